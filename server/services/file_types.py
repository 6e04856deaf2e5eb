"""Which files are taken at all, and whether the bytes are what the name says (CO-04).

A closed list: what is not in it is refused by its name, before a byte was sent. Everything in it is safe to give out as
an attachment; nothing that a browser or a shell would run is in it (HTML, SVG, scripts, programs), under any name.
"""

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, cast

import puremagic

from protocol.codes import ErrorCode
from protocol.errors import RequestError

HEAD_BYTES: Final = 64 * 1024
"""How much of a file's beginning, and of its end, is looked at; puremagic's farthest mark is at 36 KiB."""
PLAIN: Final = "application/octet-stream"
"""What is given out when nothing else may be claimed."""


class FileKind(StrEnum):
    """What a shop allows or does not."""

    IMAGE = "image"
    DOCUMENT = "document"
    """PDF, rich text, and what office programs write"""
    TEXT = "text"
    """plain text, logs, tables"""
    ARCHIVE = "archive"
    VIDEO = "video"
    AUDIO = "audio"


@dataclass(frozen=True, slots=True)
class FileType:
    """One type. `marks`: the extensions that puremagic knows such bytes by; `inside`: what must also be in their
    beginning or end, for formats that are all ZIP outside."""

    extensions: tuple[str, ...]
    media_type: str
    kind: FileKind
    marks: frozenset[str] = field(default_factory=frozenset[str])
    inside: tuple[bytes, ...] = ()


def _type(extensions: str, media_type: str, kind: FileKind, marks: str = "", *inside: bytes) -> FileType:
    names = tuple(extensions.split())
    known = marks.split() or [f".{name}" for name in names]
    return FileType(names, media_type, kind, frozenset(known), inside)


_ZIPS = ".zip .docx .xlsx .pptx .odt .ods .odp .jar"
_OFFICE = "application/vnd.openxmlformats-officedocument"
_OPEN = "application/vnd.oasis.opendocument"
_MP4 = ".mp4 .m4a .m4v .mov .3g2 .3gpp .3gp"

TYPES: Final = (
    _type("jpg jpeg jfif", "image/jpeg", FileKind.IMAGE, ".jpg .jpeg .jpe .jfif"),
    _type("png", "image/png", FileKind.IMAGE),
    _type("gif", "image/gif", FileKind.IMAGE),
    _type("webp", "image/webp", FileKind.IMAGE),
    _type("pdf", "application/pdf", FileKind.DOCUMENT),
    _type("rtf", "application/rtf", FileKind.DOCUMENT),
    _type("doc", "application/msword", FileKind.DOCUMENT),
    _type("xls", "application/vnd.ms-excel", FileKind.DOCUMENT),
    _type("ppt", "application/vnd.ms-powerpoint", FileKind.DOCUMENT),
    _type("docx", f"{_OFFICE}.wordprocessingml.document", FileKind.DOCUMENT, _ZIPS, b"[Content_", b"word/"),
    _type("xlsx", f"{_OFFICE}.spreadsheetml.sheet", FileKind.DOCUMENT, _ZIPS, b"[Content_", b"xl/"),
    _type("pptx", f"{_OFFICE}.presentationml.presentation", FileKind.DOCUMENT, _ZIPS, b"[Content_", b"ppt/"),
    _type("odt", f"{_OPEN}.text", FileKind.DOCUMENT, _ZIPS, f"{_OPEN}.text".encode()),
    _type("ods", f"{_OPEN}.spreadsheet", FileKind.DOCUMENT, _ZIPS, f"{_OPEN}.spreadsheet".encode()),
    _type("odp", f"{_OPEN}.presentation", FileKind.DOCUMENT, _ZIPS, f"{_OPEN}.presentation".encode()),
    _type("txt log md", "text/plain", FileKind.TEXT),
    _type("csv", "text/csv", FileKind.TEXT),
    _type("json", "application/json", FileKind.TEXT),
    _type("zip", "application/zip", FileKind.ARCHIVE, _ZIPS),
    _type("gz", "application/gzip", FileKind.ARCHIVE),
    _type("7z", "application/x-7z-compressed", FileKind.ARCHIVE),
    _type("rar", "application/vnd.rar", FileKind.ARCHIVE),
    _type("mp4 m4v", "video/mp4", FileKind.VIDEO, _MP4),
    _type("mov", "video/quicktime", FileKind.VIDEO, _MP4),
    _type("webm", "video/webm", FileKind.VIDEO, ".webm .mkv"),
    _type("mp3", "audio/mpeg", FileKind.AUDIO, ".mp3 .mpga .koz"),
    _type("m4a", "audio/mp4", FileKind.AUDIO, _MP4),
    _type("ogg oga opus", "audio/ogg", FileKind.AUDIO, ".ogg .oga .opus"),
    _type("wav", "audio/wav", FileKind.AUDIO),
    _type("aac", "audio/aac", FileKind.AUDIO),
    _type("flac", "audio/flac", FileKind.AUDIO),
    _type("amr", "audio/amr", FileKind.AUDIO),
)
"""Everything that can be allowed."""

EVERY_KIND: Final = frozenset(FileKind)
_BY_EXTENSION: Final = {name: each for each in TYPES for name in each.extensions}
MEDIA_TYPES: Final = frozenset(each.media_type for each in TYPES)
_MARKUP: Final = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*<(?:!doctype|!--|\?xml|html|head|body|svg|script|iframe|img|object|embed)",
    re.IGNORECASE,
)
_WIDE: Final = (b"\xff\xfe", b"\xfe\xff")
"""How UTF-16 begins; only there are zero bytes part of a text."""
_UNSEEN: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\ud800-\udfff]"
)
_PATHS: Final = re.compile(r'[\\/:*?"<>|]')
NAME_MAX: Final = 120
"""Longest name kept, in characters."""


def safe_name(name: str) -> str:
    """A name that can be shown and saved anywhere: no folders, nothing invisible, nothing that turns the direction of
    reading round (`exe.gpj` must not look like `jpg.exe`). The extension survives."""
    plain = _PATHS.sub("_", _UNSEEN.sub("", name.replace("\\", "/").rpartition("/")[2])).strip(" .")
    stem, dot, extension = plain.rpartition(".")
    if not dot:
        return plain[:NAME_MAX] or "file"
    extension = extension.strip()[:16]
    return f"{stem.strip(' .')[: NAME_MAX - 1 - len(extension)] or 'file'}.{extension}"


def type_of(name: str, allowed: frozenset[FileKind]) -> FileType:
    """The type that a name claims. INVALID_PARAMS `type_not_allowed` for what is not in the list, or not allowed."""
    extension = name.rpartition(".")[2].lower() if "." in name else ""
    found = _BY_EXTENSION.get(extension)
    if found is None or found.kind not in allowed:
        offered = sorted(
            name
            for name, each in _BY_EXTENSION.items()
            if each.kind in allowed and name == each.extensions[0]
        )
        shown = f"`.{extension}`" if extension else "without an extension"
        raise RequestError(
            ErrorCode.INVALID_PARAMS,
            "type_not_allowed",
            f"Files {shown} are not taken here. Taken are: {', '.join(offered)}.",
            detail=[{"field": "name", "problem": "names a type of file that is not allowed"}],
        )
    return found


def not_what_it_says(name: str) -> RequestError:
    """The refusal of bytes that are not what the name claims."""
    return RequestError(
        ErrorCode.INVALID_PARAMS,
        "not_what_it_says",
        f"The content of {name} is not what its name says; it was not kept.",
    )


def known_by(media_type: str) -> FileType:
    """The first type in the list with this media type, which is in it."""
    return next(each for each in TYPES if each.media_type == media_type)


def agrees(claimed: FileType, head: bytes, tail: bytes, *, zeros: bool) -> bool:
    """Whether bytes that begin and end so are of the type claimed. `zeros`: there is a zero byte anywhere in them.

    Images are also decoded afterwards; here it is only about the first look.
    """
    if claimed.kind is FileKind.TEXT:
        return (not zeros or head.startswith(_WIDE)) and _MARKUP.match(head) is None
    if not claimed.marks & _marks(head, tail):
        return False
    return all(mark in head or mark in tail for mark in claimed.inside)


def _marks(head: bytes, tail: bytes) -> frozenset[str]:
    """The extensions of the longest magic numbers that are there: shorter ones are containers, or chance."""
    ends = head if len(head) < HEAD_BYTES else head + tail  # what is shorter is all in `head`
    try:
        found = puremagic.magic_string(ends)  # pyright: ignore[reportUnknownMemberType] - its parameters are untyped
    except puremagic.PureError:
        return frozenset()
    longest = max(len(cast(bytes, each.byte_match)) for each in found)
    return frozenset(
        cast(str, each.extension) for each in found if len(cast(bytes, each.byte_match)) == longest
    )
