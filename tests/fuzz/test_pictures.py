"""Images that are cut, overwritten or made to look huge: shown, or refused with what to do."""

import tempfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from newsletter.content.pictures import find_picture
from newsletter.errors import FaultError
from newsletter.render.imaging.decode import FAULTS
from newsletter.render.imaging.fit import Original, PictureSpace, fit, try_out
from tests.fuzz.amount import EXAMPLES
from tests.fuzz.limits import limited
from tests.fuzz.mutations import mutated

_FOLDER = tempfile.TemporaryDirectory(prefix="newsletter-fuzz-")
_PIECES = (
    *(b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x7f\xff\xff\xff", b"\0\0\0\x01", b"\xff", b"\0", b"\x80"),
    *(b"IHDR", b"IDAT", b"IEND", b"acTL", b"fcTL", b"fdAT", b"iCCP", b"tRNS", b"PLTE", b"eXIf", b"zTXt"),
    *(
        b"\xff\xc0",
        b"\xff\xda",
        b"\xff\xe1",
        b"\xff\xd9",
        b"\xff\xc4",
        b"!\xf9\x04\0\0\0\0\0",
        b",",
        b";",
        b"!\xff\x0b",
    ),
    *(b"VP8X", b"VP8L", b"VP8 ", b"ANIM", b"ANMF", b"ALPH", b"ispe", b"II*\0", b"MM\0*", b"BM", b"Exif\0\0"),
)


def _saved(kind: str, mode: str = "RGB", *, frames: int = 1) -> bytes:
    buffer = BytesIO()
    images = [Image.new(mode, (40, 30), 40 * number) for number in range(frames)]
    more = {"save_all": True, "append_images": images[1:]} if frames > 1 else {}
    images[0].save(buffer, kind, **more)
    return buffer.getvalue()


_SAMPLES = {
    ".png": (_saved("PNG"), _saved("PNG", "RGBA"), _saved("PNG", "P"), _saved("PNG", "I;16"), _saved("PNG", frames=3)),
    ".jpg": (_saved("JPEG"), _saved("JPEG", "L"), _saved("JPEG", "CMYK")),
    ".gif": (_saved("GIF", "P"), _saved("GIF", "P", frames=3)),
    ".webp": (_saved("WEBP"), _saved("WEBP", "RGBA"), _saved("WEBP", frames=3)),
    ".tif": (_saved("TIFF"), _saved("TIFF", "1"), _saved("TIFF", "CMYK")),
    ".bmp": (_saved("BMP"), _saved("BMP", "P")),
    ".avif": (_saved("AVIF"), _saved("AVIF", "RGBA")),
}
_FILES = st.sampled_from(sorted(_SAMPLES)).flatmap(
    lambda ending: st.tuples(st.just(ending), mutated(_SAMPLES[ending], _PIECES))
)


@given(file=_FILES)
@settings(max_examples=EXAMPLES)
def test_any_image_is_found_or_refused(file: tuple[str, bytes]) -> None:
    ending, content = file
    path = Path(_FOLDER.name, f"image{ending}")
    path.write_bytes(content)

    with limited():
        fault = _fault_of(lambda: find_picture(path.parent, path.name))

    assert fault is None or isinstance(fault, FaultError)


@given(file=_FILES)
@settings(max_examples=EXAMPLES)
def test_any_image_is_shown_or_refused(file: tuple[str, bytes]) -> None:
    ending, content = file
    original = Original(content=content, ending=ending)

    with limited():
        fault = _fault_of(lambda: try_out(original))
        fault = fault or _fault_of(lambda: fit(original, PictureSpace(width=20)))

    assert fault is None or len(str(fault)) < 1_000
    assert not isinstance(fault, MemoryError)


def _fault_of(work: Callable[[], object]) -> Exception | None:
    """Return what is wrong with the image. Any error that is not one of its faults is passed on."""
    try:
        work()
    except FAULTS as err:
        return err
    return None
