"""What the server's settings allow shops, in the words of its services: files and quick replies."""

from server.services.file_rules import FileRules
from server.services.file_types import FileKind
from server.services.quick_replies import Limits
from server.settings import Settings
from server.store.files import Allowance


def file_rules(settings: Settings) -> FileRules:
    """How large and how many files may be, and of which kinds."""
    return FileRules(
        customer_bytes=settings.file_customer_bytes,
        agent_bytes=settings.file_agent_bytes,
        image_bytes=settings.file_image_bytes,
        customer_daily=Allowance(settings.file_customer_daily, settings.file_customer_daily_bytes),
        agent_daily=Allowance(settings.file_agent_daily, settings.file_agent_daily_bytes),
        kinds=frozenset(FileKind(kind) for kind in settings.file_kinds.replace(" ", "").split(",")),
        uploads_parallel=settings.file_uploads_parallel,
        upload_s=settings.file_upload_s,
        unused_s=settings.file_unused_s,
    )


def reply_limits(settings: Settings) -> Limits:
    """How many quick replies there may be."""
    return Limits(
        shop=settings.quick_replies_shop, group=settings.quick_replies_group, own=settings.quick_replies_own
    )
