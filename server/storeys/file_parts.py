"""The parts that handle files, made from the settings: a corner of the composition root."""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from server.background import Background
from server.services.file_grants import FileGrants
from server.services.file_rules import FileRules
from server.services.file_transfer import FileTransfer
from server.services.file_types import FileKind
from server.services.files import FileRequests
from server.services.seeing import Seeing
from server.services.thumbnails import Thumbnails
from server.settings import Settings
from server.store.database import Database
from server.store.files import Allowance, Files
from server.store.objects import Bucket, Objects


@dataclass(frozen=True, slots=True)
class FileParts:
    """What the rest of the house uses of them. `thumbnails.close()` at the end."""

    requests: FileRequests
    transfer: FileTransfer
    thumbnails: Thumbnails

    @classmethod
    def of(cls, settings: Settings, db: Database, seeing: Seeing, background: Background) -> "FileParts":
        """Opens nothing yet."""
        rules = rules_of(settings)
        files = Files(db)
        grants = FileGrants(
            settings.secret.get_secret_value(), send_s=settings.file_upload_s, fetch_s=settings.file_link_s
        )
        thumbnails = Thumbnails(parallel=settings.file_images_parallel, pixels_max=settings.file_image_pixels)
        transfer = FileTransfer(files, Objects(place_of(settings)), grants, thumbnails, rules, background)
        return cls(FileRequests(files, seeing, grants, rules), transfer, thumbnails)


def place_of(settings: Settings) -> Path | Bucket:
    """Where the bytes are kept."""
    if not settings.files.startswith("s3://"):
        return Path(settings.files).expanduser().absolute()
    at = urlsplit(settings.files)
    return Bucket(
        name=at.netloc,
        prefix=at.path.strip("/"),
        endpoint=settings.files_endpoint,
        region=settings.files_region,
        key=settings.files_key.get_secret_value(),
        secret=settings.files_secret.get_secret_value(),
    )


def rules_of(settings: Settings) -> FileRules:
    """The limits."""
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
