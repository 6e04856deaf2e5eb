"""How large and how many files may be, and for how long their grants live: the server's settings, for its services."""

from dataclasses import dataclass, field

from server.services.file_types import EVERY_KIND, FileKind
from server.store.files import Allowance


@dataclass(frozen=True, slots=True)
class FileRules:
    """Sizes in bytes. `*_daily`: in one conversation, in 24 hours."""

    customer_bytes: int = 20 * 1024 * 1024
    agent_bytes: int = 100 * 1024 * 1024
    image_bytes: int = 20 * 1024 * 1024
    """an image is decoded: never larger than this, whoever sends it"""
    customer_daily: Allowance = field(default_factory=lambda: Allowance(50, 200 * 1024 * 1024))
    agent_daily: Allowance = field(default_factory=lambda: Allowance(200, 1024 * 1024 * 1024))
    kinds: frozenset[FileKind] = EVERY_KIND
    """what any shop may allow"""
    uploads_parallel: int = 64
    """uploads under way on one node; each holds some MiB"""
    upload_s: int = 900
    """longest time from an upload's first byte to its last"""
    unused_s: int = 86_400
    """after this long, what no message names is deleted"""
