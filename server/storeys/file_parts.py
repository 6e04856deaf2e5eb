"""The parts that handle files, made from the settings: a corner of the composition root."""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from server.allowances import file_rules
from server.background import Background
from server.services.file_grants import FileGrants
from server.services.file_transfer import FileTransfer
from server.services.files import FileRequests
from server.services.seeing import Seeing
from server.services.thumbnails import Thumbnails
from server.settings import Settings
from server.store.database import Database
from server.store.files import Files
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
        rules = file_rules(settings)
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
