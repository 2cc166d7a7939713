"""Pictures of a mail: named by their content, and a play mark drawn into the still of a video."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from newsletter.errors import InputError
from newsletter.model.rendered import Picture
from newsletter.render.memory import Memory

STILL_SIZE = (1200, 675)  # 16 : 9, sharp on a display of twice the density
_MARK_SHARE = 0.22  # the play mark's diameter, as a share of the still's height
_STILL_EDITION = 1  # to be raised when a still is drawn in another way, so that remembered ones are drawn anew
_INK, _PAPER = (22, 20, 19), (255, 255, 255)
_OVERSAMPLING = 4
_FAULTS = (OSError, SyntaxError, Image.DecompressionBombError)  # what Pillow raises for a file that is no picture


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownPicture:
    """A picture as a template needs it: its address in the mail and its natural size in pixels."""

    src: str
    width: int
    height: int


class PictureShelf:
    """Collects the pictures of an issue while it is rendered; each is kept once, however often it is used."""

    def __init__(self, hosted_at: str | None, memory: Memory) -> None:
        self._hosted_at = hosted_at
        self._memory = memory
        self._pictures: dict[str, Picture] = {}

    @property
    def pictures(self) -> tuple[Picture, ...]:
        """All pictures shown so far."""
        return tuple(self._pictures.values())

    def show(self, path: Path) -> ShownPicture:
        """Takes a picture from a file as it is."""
        return self._place(_read(path, _modified_ns(path)))

    def show_video(self, path: Path, length: str) -> ShownPicture:
        """Takes a video's still, cut to 16 : 9, with a play mark in its middle and the length in a corner."""
        return self._place(_still(path, length, self._memory))

    def take(self, pictures: Iterable[Picture]) -> None:
        """Takes pictures that another shelf has shown."""
        self._pictures.update((picture.name, picture) for picture in pictures)

    def _place(self, picture: Picture) -> ShownPicture:
        self._pictures.setdefault(picture.name, picture)
        src = f"{self._hosted_at}/images/{picture.name}" if self._hosted_at else f"cid:{picture.content_id}"
        return ShownPicture(src=src, width=picture.width, height=picture.height)


def _modified_ns(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError as err:
        raise InputError(f"{path}: there is no such picture ({err.strerror}); check its name") from err


@lru_cache(maxsize=64)
def _read(path: Path, _modified: int) -> Picture:
    """A picture file; `_modified` makes an edited one a new one."""
    try:
        content = path.read_bytes()
        with Image.open(BytesIO(content)) as image:
            width, height = image.size
            content_type = Image.MIME[image.format or "PNG"]
    except _FAULTS as err:
        raise InputError(f"{path}: cannot be read as a picture ({err}); export it again as PNG or JPEG") from err
    return _picture(path, path.suffix.lower(), content_type, content, (width, height))


def _still(path: Path, length: str, memory: Memory) -> Picture:
    original = _read(path, _modified_ns(path))
    ingredients = f"{_STILL_EDITION}\0{length}\0".encode() + original.content
    try:
        content = memory.recall("still", ingredients, lambda: _draw_still(original.content, length))
    except _FAULTS as err:
        raise InputError(f"{path}: cannot be read as a picture ({err}); export it again as PNG or JPEG") from err
    return _picture(path, ".jpg", "image/jpeg", content, _still_size(original.width, original.height))


def _draw_still(content: bytes, length: str) -> bytes:
    with Image.open(BytesIO(content)) as image:
        still = _cut(image.convert("RGB"))
    _draw_play_mark(still)
    if length:
        _draw_length(still, length)
    buffer = BytesIO()
    still.save(buffer, "JPEG", quality=84, optimize=True, progressive=True)
    return buffer.getvalue()


def _picture(path: Path, ending: str, content_type: str, content: bytes, size: tuple[int, int]) -> Picture:
    digest = blake2b(content, digest_size=6).hexdigest()
    stem = "".join(sign if sign.isascii() and sign.isalnum() else "-" for sign in path.stem)
    width, height = size
    return Picture(
        name=f"{stem}-{digest}{ending}", content_type=content_type, content=content, width=width, height=height
    )


def _cut(image: Image.Image) -> Image.Image:
    """The largest middle part of 16 : 9, at most `STILL_SIZE`."""
    width, height = image.size
    wide, high = _widest(width, height)
    left, top = (width - wide) // 2, (height - high) // 2
    part = image.crop((left, top, left + wide, top + high))
    return part if wide <= STILL_SIZE[0] else part.resize(STILL_SIZE, Image.Resampling.LANCZOS)


def _still_size(width: int, height: int) -> tuple[int, int]:
    wide, high = _widest(width, height)
    return (wide, high) if wide <= STILL_SIZE[0] else STILL_SIZE


def _widest(width: int, height: int) -> tuple[int, int]:
    """The size of the largest part of 16 : 9."""
    return min(width, height * 16 // 9), min(height, width * 9 // 16)


def _draw_play_mark(still: Image.Image) -> None:
    width, height = still.size
    diameter = int(height * _MARK_SHARE)
    big = diameter * _OVERSAMPLING
    mark = Image.new("RGBA", (big, big))
    draw = ImageDraw.Draw(mark)
    draw.ellipse((0, 0, big - 1, big - 1), fill=(*_INK, 190))
    # The triangle's middle of mass, not its box, stands in the circle's middle.
    draw.polygon(((big * 0.40, big * 0.30), (big * 0.40, big * 0.70), (big * 0.72, big * 0.50)), fill=(*_PAPER, 255))
    mark = mark.resize((diameter, diameter), Image.Resampling.LANCZOS)
    still.paste(mark, ((width - diameter) // 2, (height - diameter) // 2), mark)


def _draw_length(still: Image.Image, length: str) -> None:
    width, height = still.size
    font = ImageFont.load_default(size=height * 0.06)
    margin, padding = int(height * 0.035), int(height * 0.022)
    left, top, right, bottom = font.getbbox(length)
    box_width, box_height = int(right - left) + 3 * padding, int(bottom - top) + 2 * padding
    layer = Image.new("RGBA", still.size)
    draw = ImageDraw.Draw(layer)
    x, y = width - margin - box_width, height - margin - box_height
    draw.rounded_rectangle((x, y, x + box_width, y + box_height), radius=padding, fill=(*_INK, 200))
    draw.text((x + 1.5 * padding - left, y + padding - top), length, font=font, fill=(*_PAPER, 255))
    still.paste(layer, (0, 0), layer)
