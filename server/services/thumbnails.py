"""Small pictures of images, and the check that an image is one. Pillow, in threads of its own, a few at a time.

What strangers upload may be made to hurt: so many pixels that decoding fills the memory, or bytes that trip a decoder.
The size is read from the header before anything is decoded, only the four formats that we take are tried, and whatever
a decoder stumbles over means that it is no image.
"""

import asyncio
import io
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from PIL import Image, ImageOps

from protocol.codes import ErrorCode
from protocol.errors import RequestError
from server.services.file_types import not_what_it_says

SIDE: Final = 320
"""Longest side of a thumbnail, in pixels."""
MEDIA_TYPE: Final = "image/webp"
FORMATS: Final = {"image/jpeg": "JPEG", "image/png": "PNG", "image/gif": "GIF", "image/webp": "WEBP"}
"""Media type -> the only decoder that is tried."""
_TURNED: Final = range(5, 9)
"""EXIF orientations that swap width and height."""
_ORIENTATION: Final = 0x0112

Image.MAX_IMAGE_PIXELS = (
    None  # the limit is ours, by settings; Pillow's own would only warn, or call it broken
)


@dataclass(frozen=True, slots=True)
class Picture:
    """An image as people see it (turned upright), with its thumbnail (WebP, without the original's metadata)."""

    width: int
    height: int
    thumbnail: bytes


@dataclass(frozen=True, slots=True)
class TooManyPixels:
    """Not decoded: it has more pixels than the server decodes."""

    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Broken:
    """Not an image of that format, or one that ends early."""


class Thumbnails:
    """Makes them, at most `parallel` at once; more wait, without their bytes in memory."""

    def __init__(self, *, parallel: int, pixels_max: int) -> None:
        self._pool = ThreadPoolExecutor(parallel, thread_name_prefix="thumbnails")
        self._turn = asyncio.Semaphore(parallel)
        self._pixels_max = pixels_max

    async def make(self, name: str, media_type: str, load: Callable[[], Awaitable[bytes]]) -> Picture:
        """The picture of an image of this media type, whose bytes `load` fetches when it is its turn.

        Refused: INVALID_PARAMS `too_many_pixels`, `not_what_it_says`.
        """
        async with self._turn:
            data = await load()
            outcome = await asyncio.get_running_loop().run_in_executor(
                self._pool, picture, data, FORMATS[media_type], self._pixels_max
            )
        if isinstance(outcome, TooManyPixels):
            raise RequestError(
                ErrorCode.INVALID_PARAMS,
                "too_many_pixels",
                f"{name} has {outcome.width} × {outcome.height} pixels; at most {self._pixels_max} are taken.",
            )
        if isinstance(outcome, Broken):
            raise not_what_it_says(name)
        return outcome

    def close(self) -> None:
        """No more; what is being decoded comes to its end."""
        self._pool.shutdown(wait=False, cancel_futures=True)


def picture(data: bytes, format: str, pixels_max: int) -> Picture | TooManyPixels | Broken:
    """Decode an image, down to a thumbnail. Never raises for what the bytes are."""
    try:
        with Image.open(io.BytesIO(data), formats=(format,)) as image:
            width, height = image.size
            if width * height > pixels_max:
                return TooManyPixels(width, height)
            if image.getexif().get(_ORIENTATION) in _TURNED:
                width, height = height, width
            image.draft("RGB", (2 * SIDE, 2 * SIDE))  # JPEG: decode no more than is needed
            upright = ImageOps.exif_transpose(image)
            upright.thumbnail((SIDE, SIDE))
            small = upright.convert("RGBA" if upright.has_transparency_data else "RGB")
            out = io.BytesIO()
            small.save(out, "WEBP", quality=80, method=4)
            return Picture(width, height, out.getvalue())
    except (
        Exception
    ):  # decoders raise whatever they trip over: OSError, SyntaxError, struct.error, IndexError...
        return Broken()
