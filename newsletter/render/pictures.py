"""The images of an email. They are resized to fit and named after their content; broken files are refused."""

from collections.abc import Iterable, Mapping
from fractions import Fraction
from functools import lru_cache
from hashlib import blake2b
from io import BytesIO
from pathlib import Path

from msgspec import Struct
from PIL import Image

from newsletter.errors import FaultError, InputError, Mistake, MistakesError
from newsletter.model.issue import PictureFile
from newsletter.model.picture_files import DRAWN_ENDING, PHOTOGRAPHED_FORMATS, plain_stem
from newsletter.model.rendered import Picture
from newsletter.model.site_addresses import address_of, picture_path
from newsletter.render.imaging.decode import FAULTS
from newsletter.render.imaging.fit import Extent, FinalTouch, Original, PictureSpace, extent_of, fit, try_out
from newsletter.render.memory import Memory
from newsletter.system.pictures import read_picture

_EDITION = 2  # increase this number if images are made differently, so that cached images are made again
_STILL_SHAPE = Fraction(16, 9)
_ENDINGS: Mapping[str, str] = {"JPEG": ".jpg", "PNG": ".png", "GIF": ".gif"}


class ShownPicture(Struct, frozen=True, kw_only=True):
    """An image as a template needs it: its URL in the email, and the size at which it is shown, in pixels."""

    src: str
    width: int
    height: int


class PictureShelf:
    """Collects the images of an issue while it is rendered. An image that is used several times is stored once."""

    def __init__(self, hosted_at: str | None, memory: Memory) -> None:
        self._hosted_at = hosted_at
        self._memory = memory
        self._pictures: dict[str, Picture] = {}

    @property
    def pictures(self) -> tuple[Picture, ...]:
        """The images shown so far."""
        return tuple(self._pictures.values())

    def show(self, path: Path, space: PictureSpace) -> ShownPicture:
        """Add an image, resized to fit its space."""
        return self._place(path, space, mark="picture")

    def show_portrait(self, path: Path, *, width: int) -> ShownPicture:
        """Add a portrait, cut to a circle. The file is round, because a style would also cut the alt text."""
        space = PictureSpace(width=width, shape=Fraction(1))
        return self._place(path, space, mark="portrait", touch=_in_circle)

    def show_video(self, path: Path, length: str, *, width: int) -> ShownPicture:
        """Add a video's thumbnail, cropped to 16:9, with a play button in the middle and the length in a corner.

        `length` is drawn as it is, so it must be made of digits and colons, which every font has.
        """
        space = PictureSpace(width=width, shape=_STILL_SHAPE)
        return self._place(path, space, mark=f"still {length}", touch=lambda still: _marked(still, length))

    def take(self, pictures: Iterable[Picture]) -> None:
        """Add images that were shown on another shelf."""
        self._pictures.update((picture.name, picture) for picture in pictures)

    def _place(self, path: Path, space: PictureSpace, *, mark: str, touch: FinalTouch | None = None) -> ShownPicture:
        try:
            file = _file(path, path.stat().st_mtime_ns)
            ingredients = f"{_EDITION} {file.digest} {path.suffix.lower()} {space} {mark}".encode()
            content = self._memory.recall("picture", ingredients, lambda: fit(_original(path), space, touch))
        except FAULTS as err:
            raise InputError(f"{path}: {_fault(err)}") from err
        picture = _named(path, content, sharp_width=2 * space.width)
        self._pictures.setdefault(picture.name, picture)
        hosted_at = self._hosted_at
        src = address_of(hosted_at, picture_path(picture.name)) if hosted_at else f"cid:{picture.content_id}"
        width = file.extent.shown_width(space)
        return ShownPicture(src=src, width=width, height=max(1, round(picture.height * width / picture.width)))


# Drawing is loaded here because a build does not need it if all images are in its cache.
def _in_circle(image: Image.Image) -> Image.Image:
    from newsletter.render.imaging.touch import in_circle

    return in_circle(image)


def _marked(image: Image.Image, length: str) -> Image.Image:
    from newsletter.render.imaging.touch import with_play_mark

    return with_play_mark(image, length)


def require_whole(pictures: Iterable[tuple[str, PictureFile]], memory: Memory) -> None:
    """Raise a MistakesError that names every image whose file is missing, broken or unsafe.

    An image that has passed is not tried again until its file changes.
    """
    mistakes = []
    for name, picture in pictures:
        try:
            _try_out(picture.path, memory)
        except FAULTS as err:
            fault, place = _fault(err), picture.place
            what = f"the image {name} {fault.what}"
            mistakes.append(Mistake(path=place.path, line=place.line, what=what, remedy=fault.remedy))
    if mistakes:
        raise MistakesError(mistakes)


def _try_out(path: Path, memory: Memory) -> None:
    if path.suffix.lower() not in {*PHOTOGRAPHED_FORMATS, DRAWN_ENDING}:
        raise FaultError("has a format that cannot be converted for email", "export it as PNG, JPEG or SVG")
    file = _file(path, path.stat().st_mtime_ns)

    def examined() -> bytes:
        try_out(_original(path))
        return b""

    memory.recall("whole", f"{_EDITION} {file.digest} {path.suffix.lower()}".encode(), examined)


def _fault(error: BaseException) -> FaultError:
    """Return the error if it is our own, else a `FaultError` that describes it."""
    if isinstance(error, FaultError):
        return error
    if isinstance(error, FileNotFoundError):
        return FaultError("does not exist", "write the name of an image that exists")
    said = str(error).partition(" <")[0]  # without the object that the library names
    return FaultError(f"cannot be read ({said})", "open it in an image editor, and export it again")


class _File(Struct, frozen=True, kw_only=True):
    """The facts about an image file, which stay valid until the file changes."""

    digest: str
    extent: Extent


@lru_cache(maxsize=256)
def _file(path: Path, _modified_ns: int) -> _File:
    """Return the facts about a file. `_modified_ns` is part of the cache key, so an edited file is read again."""
    original = _original(path)
    digest = blake2b(original.content, digest_size=16).hexdigest()
    return _File(digest=digest, extent=extent_of(original))


def _original(path: Path) -> Original:
    return Original(content=read_picture(path), ending=path.suffix.lower())


@lru_cache(maxsize=256)  # keyed by the content, which the cache of images keeps anyway
def _named(path: Path, content: bytes, *, sharp_width: int) -> Picture:
    """Return a finished image as a `Picture`, with a name that changes with its content."""
    digest = blake2b(content, digest_size=6).hexdigest()
    with Image.open(BytesIO(content), formats=list(_ENDINGS)) as image:
        kind, (width, height) = image.format or "", image.size
    name = f"{plain_stem(path.name)}-{digest}{_ENDINGS[kind]}"
    mime, size = Image.MIME[kind], {"width": width, "height": height, "sharp_width": sharp_width}
    return Picture(name=name, content_type=mime, content=content, original=str(path), **size)
