"""Requests about files (CO-04): short-lived grants; the bytes themselves go over HTTP."""

from typing import Annotated

from pydantic import Field, StringConstraints

from protocol.shapes import Id, Shape, Timestamp


class UploadParams(Shape):
    """A place for a file of this conversation. `internal`: for colleagues only. Name it in a message
    when it is there."""

    conversation_id: Id
    name: Annotated[str, StringConstraints(min_length=1, max_length=255)]
    size_bytes: Annotated[int, Field(ge=1, lt=2**40)]
    internal: bool = False


class UploadResult(Shape):
    """`PUT` the bytes to `url`, begun before `expires_at`; it works once. Addresses here begin with `/`: they are
    below the one at which the server was reached."""

    file_id: Id
    url: str
    expires_at: Timestamp


class LinkParams(Shape):
    """A file that the caller may see."""

    file_id: Id


class LinkResult(Shape):
    """`GET` the file, or its small picture, before `expires_at`; spans too (`Range`)."""

    file_id: Id
    url: str
    thumbnail_url: str | None = None
    name: str
    media_type: str
    size_bytes: int
    expires_at: Timestamp
