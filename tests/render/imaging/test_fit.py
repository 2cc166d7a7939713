"""Images become what every email app shows: sharp, light, upright, and without metadata about their origin."""

import subprocess
import sys
from collections.abc import Callable
from fractions import Fraction
from io import BytesIO
from pathlib import Path
from random import Random

import pytest
from PIL import Image, ImageCms, ImageDraw, ImageFile

from newsletter.errors import FaultError
from newsletter.model.picture_files import LIGHT_BYTES
from newsletter.render.imaging.decode import FAULTS
from newsletter.render.imaging.fit import Original, PictureSpace, extent_of, fit, try_out
from tests.render.imaging.samples import ACCENT, drawing, graphic, halves, opened, photograph, saved

TEXT = PictureSpace(width=536, fills=False)
SECRET = b"Ana's camera"
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def fitted(content: bytes, ending: str, space: PictureSpace = TEXT) -> bytes:
    return fit(Original(content=content, ending=ending), space)


def size_of(content: bytes, ending: str, space: PictureSpace = TEXT) -> tuple[int, int]:
    return opened(fitted(content, ending, space)).size


@pytest.mark.parametrize(
    ("natural", "space", "expected"),
    [
        ((2000, 1500), TEXT, (1072, 804)),
        ((2000, 1500), PictureSpace(width=432), (864, 648)),
        ((2000, 1500), PictureSpace(width=72), (144, 108)),
        ((1073, 100), TEXT, (1072, 100)),
        ((1072, 100), TEXT, (1072, 100)),
        ((300, 200), TEXT, (300, 200)),
        ((1, 1), TEXT, (1, 1)),
        ((3, 9000), TEXT, (3, 9000)),
        ((2000, 1000), PictureSpace(width=72, shape=Fraction(1)), (144, 144)),
        ((1000, 2000), PictureSpace(width=72, shape=Fraction(1)), (144, 144)),
        ((100, 60), PictureSpace(width=72, shape=Fraction(1)), (60, 60)),
        ((1600, 1200), PictureSpace(width=536, shape=Fraction(16, 9)), (1072, 603)),
    ],
)
def test_a_picture_has_twice_the_width_at_which_it_is_shown_and_is_never_enlarged(
    natural: tuple[int, int], space: PictureSpace, expected: tuple[int, int]
) -> None:
    content = saved(Image.new("RGB", natural, "#9C3353"), "PNG")

    assert size_of(content, ".png", space) == expected


@pytest.mark.parametrize(
    ("ending", "kind"),
    [(".jpg", "JPEG"), (".webp", "WEBP"), (".avif", "AVIF"), (".tif", "TIFF"), (".bmp", "BMP"), (".png", "PNG")],
)
def test_a_photograph_of_any_kind_becomes_a_light_jpeg(ending: str, kind: str) -> None:
    content = fitted(saved(photograph(1100, 825), kind), ending)

    picture = opened(content)
    assert (picture.format, picture.size, len(content) <= LIGHT_BYTES) == ("JPEG", (1072, 804), True)
    assert picture.info["progressive"]


@pytest.mark.parametrize(("ending", "kind"), [(".png", "PNG"), (".webp", "WEBP"), (".bmp", "BMP"), (".gif", "GIF")])
def test_a_graphic_of_few_colors_becomes_a_png_without_loss_that_is_seen(ending: str, kind: str) -> None:
    options = {"lossless": True} if kind == "WEBP" else {}
    content = fitted(saved(graphic(1072, 600), kind, **options), ending)

    picture = opened(content)
    assert picture.format == "PNG"
    assert picture.convert("RGB").tobytes() == graphic(1072, 600).tobytes()


def test_letters_on_a_plain_ground_are_not_smeared() -> None:
    page = Image.new("RGB", (1400, 800), "white")
    draw = ImageDraw.Draw(page)
    for line in range(0, 800, 80):
        draw.text((20, line), "The quick brown fox jumps over the lazy dog", fill="#222222", font_size=24)

    assert opened(fitted(saved(page, "PNG"), ".png")).format == "PNG"


def test_what_is_transparent_stays_transparent() -> None:
    logo = Image.new("RGBA", (600, 600))
    ImageDraw.Draw(logo).ellipse((100, 100, 500, 500), fill=ACCENT)
    logo.paste((0, 0, 0, 128), (0, 540, 600, 600))

    picture = opened(fitted(saved(logo, "PNG"), ".png", PictureSpace(width=100)))

    assert (picture.format, picture.mode) == ("PNG", "RGBA")
    assert [picture.getpixel(spot) for spot in ((2, 2), (100, 100), (100, 190))] == [
        (0, 0, 0, 0),
        (*ACCENT, 255),
        (0, 0, 0, 128),
    ]


def test_a_channel_of_transparency_that_is_nowhere_used_makes_no_png_of_a_photograph() -> None:
    assert opened(fitted(saved(photograph(1072, 200).convert("RGBA"), "PNG"), ".png")).format == "JPEG"


def test_a_picture_too_heavy_at_its_best_quality_is_made_light_by_less() -> None:
    noise = Image.frombytes("RGB", (1500, 1500), Random(1).randbytes(1500 * 1500 * 3))

    content = fitted(saved(noise, "PNG"), ".png")

    assert len(content) <= LIGHT_BYTES
    assert 1.5 * 536 <= opened(content).width <= 1072


def test_a_jpeg_made_for_mail_loses_no_more_of_its_quality() -> None:
    original = saved(photograph(1072, 600), "JPEG", quality=70)

    content = fitted(original, ".jpg")

    assert len(content) <= len(original)
    assert opened(content).quantization == opened(original).quantization  # type: ignore[attr-defined]


def test_a_palette_made_for_mail_stays_as_it_is() -> None:
    logo = Image.new("RGBA", (1072, 600))
    ImageDraw.Draw(logo).ellipse((100, 100, 500, 500), fill=(*ACCENT, 128))
    palette = logo.quantize(16, method=Image.Quantize.FASTOCTREE)

    picture = opened(fitted(saved(palette, "PNG"), ".png"))

    assert picture.mode == "P"
    assert picture.convert("RGBA").tobytes() == palette.convert("RGBA").tobytes()


@pytest.mark.parametrize("size", [(1072, 200), (1600, 300)])
@pytest.mark.parametrize(("ending", "kind"), [(".jpg", "JPEG"), (".png", "PNG"), (".webp", "WEBP"), (".avif", "AVIF")])
def test_nothing_is_told_of_where_and_by_what_a_picture_was_taken(
    ending: str, kind: str, size: tuple[int, int]
) -> None:
    exif = Image.Exif()
    exif[0x010F] = SECRET.decode()  # the camera's maker
    exif.get_ifd(0x8825)[1] = "N"  # where it was: GPS
    exif.get_ifd(0x8825)[2] = (53.0, 16.0, 21.0)
    options: dict[str, object] = {"exif": exif, "icc_profile": SRGB}
    if kind == "JPEG":
        options["comment"] = SECRET
    content = saved(photograph(*size), kind, **options)
    assert SECRET in content

    plain = fitted(content, ending)

    assert SECRET not in plain
    assert not opened(plain).getexif()
    assert not {"exif", "icc_profile", "comment", "xmp", "photoshop"} & opened(plain).info.keys()


@pytest.mark.parametrize(
    ("ending", "kind"), [(".jpg", "JPEG"), (".png", "PNG"), (".webp", "WEBP"), (".avif", "AVIF"), (".tif", "TIFF")]
)
@pytest.mark.parametrize("size", [(200, 300), (1200, 800)])
def test_a_photograph_taken_aside_stands_upright(ending: str, kind: str, size: tuple[int, int]) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turn it a quarter to the right
    upright = halves(*size)
    content = saved(upright.transpose(Image.Transpose.ROTATE_90), kind, exif=exif)

    picture = opened(fitted(content, ending)).convert("RGB")

    assert extent_of(Original(content=content, ending=ending)).aspect == Fraction(*size)
    assert picture.size == (min(size[0], 1072), round(size[1] * min(size[0], 1072) / size[0]))
    for height, (red, _, blue) in ((0.2, (255, 0, 0)), (0.8, (0, 0, 255))):
        pixel = picture.getpixel((picture.width // 2, int(picture.height * height)))
        assert isinstance(pixel, tuple)
        assert abs(pixel[0] - red) < 12
        assert abs(pixel[2] - blue) < 12


def test_colors_of_another_space_look_the_same_in_srgb() -> None:
    # A space in which red and blue have changed places: the same profile, with the names of two of its parts swapped.
    swapped = SRGB.replace(b"\0s\0R\0G\0B", b"\0x\0y\0z\0w")
    swapped = swapped.replace(b"rXYZ", b"????", 1).replace(b"bXYZ", b"rXYZ", 1).replace(b"????", b"bXYZ", 1)
    content = saved(Image.new("RGB", (8, 8), (255, 0, 0)), "PNG", icc_profile=swapped)

    assert opened(fitted(content, ".png")).convert("RGB").getpixel((0, 0)) == (0, 0, 255)


@pytest.mark.parametrize(
    "profile", [b"not a profile", ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()]
)
def test_a_profile_that_is_of_no_use_changes_nothing(profile: bytes) -> None:
    content = saved(Image.new("RGB", (8, 8), ACCENT), "PNG", icc_profile=profile)

    assert opened(fitted(content, ".png")).convert("RGB").getpixel((0, 0)) == ACCENT


@pytest.mark.parametrize(
    ("content", "ending", "near"),
    [
        (saved(Image.new("CMYK", (40, 40), (0, 255, 255, 0)), "JPEG"), ".jpg", (255, 0, 0)),
        (saved(Image.new("I;16", (40, 40), 40_000), "PNG"), ".png", (156, 156, 156)),
        (saved(Image.new("1", (40, 40), 1), "PNG"), ".png", (255, 255, 255)),
        (saved(Image.new("L", (40, 40), 77), "TIFF"), ".tif", (77, 77, 77)),
        (saved(Image.new("LA", (40, 40), (77, 255)), "PNG"), ".png", (77, 77, 77)),
        (saved(halves(40, 40).quantize(4), "PNG"), ".png", (255, 0, 0)),
        (saved(halves(40, 40), "PNG", transparency=(1, 2, 3)), ".png", (255, 0, 0)),
    ],
    ids=["CMYK", "16 bits", "black and white", "gray", "gray and alpha", "palette", "a transparent color"],
)
def test_pixels_of_every_mode_keep_their_color(content: bytes, ending: str, near: tuple[int, int, int]) -> None:
    pixel = opened(fitted(content, ending)).convert("RGB").getpixel((20, 5))

    assert isinstance(pixel, tuple)
    assert all(abs(is_ - should_be) < 12 for is_, should_be in zip(pixel, near, strict=True))


def moving(width: int, kind: str, **options: object) -> bytes:
    frames = [Image.new("RGB", (width, width // 2), color) for color in ("red", "lime", "blue")]
    return saved(frames[0], kind, save_all=True, append_images=frames[1:], duration=120, loop=0, **options)


@pytest.mark.parametrize(("ending", "kind"), [(".gif", "GIF"), (".webp", "WEBP"), (".png", "PNG")])
@pytest.mark.parametrize("width", [400, 1100])
def test_what_moves_goes_on_moving_as_gif(ending: str, kind: str, width: int) -> None:
    picture = Image.open(BytesIO(fitted(moving(width, kind), ending)))

    assert (picture.format, picture.n_frames, picture.info["loop"]) == ("GIF", 3, 0)  # type: ignore[attr-defined]
    assert picture.size == (min(width, 1072), min(width, 1072) // 2)
    for number, color in enumerate([(255, 0, 0), (0, 255, 0), (0, 0, 255)]):
        picture.seek(number)
        pixel = picture.convert("RGB").getpixel((5, 5))
        assert picture.info["duration"] == 120
        assert isinstance(pixel, tuple)
        assert all(abs(is_ - should_be) < 12 for is_, should_be in zip(pixel, color, strict=True))


def test_a_gif_that_fits_loses_its_remarks_and_nothing_else() -> None:
    original = moving(400, "GIF", comment=SECRET)
    assert SECRET in original

    content = fitted(original, ".gif")

    assert SECRET not in content
    assert content == moving(400, "GIF")


def test_a_still_gif_becomes_a_png() -> None:
    assert opened(fitted(saved(graphic(200, 100), "GIF"), ".gif")).format == "PNG"


@pytest.mark.parametrize("space", [TEXT, PictureSpace(width=72, shape=Fraction(1))])
@pytest.mark.parametrize(
    "make",
    [
        lambda: (saved(photograph(1600, 300), "JPEG"), ".jpg"),
        lambda: (saved(graphic(1600, 300), "PNG"), ".png"),
        lambda: (moving(1100, "GIF"), ".gif"),
        lambda: (drawing(), ".svg"),
    ],
    ids=["photograph", "graphic", "animation", "drawing"],
)
def test_the_same_picture_gives_the_same_bytes(make: Callable[[], tuple[bytes, str]], space: PictureSpace) -> None:
    content, ending = make()

    assert fitted(content, ending, space) == fitted(content, ending, space)


def test_a_drawing_is_drawn_as_large_as_it_is_needed() -> None:
    assert size_of(drawing(), ".svg") == (1072, 536)
    assert size_of(drawing(), ".svg", PictureSpace(width=72)) == (144, 72)
    assert size_of(drawing(attributes='width="24" height="24"'), ".svg") == (48, 48)
    assert size_of(drawing(attributes='width="24" height="24"'), ".svg", PictureSpace(width=72)) == (144, 144)


@pytest.mark.parametrize(("ending", "kind"), [(".jpg", "JPEG"), (".png", "PNG"), (".gif", "GIF"), (".webp", "WEBP")])
@pytest.mark.parametrize("left", [0.3, 0.9])
def test_a_truncated_file_is_found_before_it_is_fitted(ending: str, kind: str, left: float) -> None:
    content = saved(photograph(300, 200), kind)

    with pytest.raises(FAULTS):
        try_out(Original(content=content[: int(len(content) * left)], ending=ending))


def test_whatever_is_wrong_with_a_file_is_a_fault_of_decoding() -> None:
    random = Random(7)
    whole = {
        ".jpg": saved(photograph(64, 48), "JPEG"),
        ".png": saved(halves(64, 48).quantize(4), "PNG"),
        ".gif": moving(64, "GIF"),
        ".webp": moving(64, "WEBP"),
        ".tif": saved(photograph(64, 48), "TIFF"),
        ".bmp": saved(photograph(64, 48), "BMP"),
        ".avif": saved(photograph(64, 48), "AVIF"),
    }
    for ending, content in whole.items():
        for _ in range(25):
            broken = bytearray(content)
            for _ in range(random.randint(1, 8)):
                broken[random.randrange(len(broken))] = random.randrange(256)
            original = Original(content=bytes(broken), ending=ending)
            try:
                try_out(original)
                fit(original, TEXT)
            except FAULTS:
                continue


FRAME = b"!\xf9\x04\x04\x0a\0\0\0,\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0"


def gif_of(frames: int) -> Original:
    """An animation of one pixel."""
    head = b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff!\xff\x0bNETSCAPE2.0\x03\x01\0\0\0"
    return Original(content=head + FRAME * frames + b";", ending=".gif")


def test_an_animation_of_countless_frames_is_refused_without_decoding_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ImageFile.ImageFile, "load", lambda *_: pytest.fail("a frame was decoded"))

    with pytest.raises(FaultError, match=r"^has more than 1,000 frames; remove frames"):
        try_out(gif_of(60_000))


def test_an_animation_may_have_as_many_frames_as_anybody_needs() -> None:
    try_out(gif_of(1_000))


def test_all_frames_of_an_animation_count(monkeypatch: pytest.MonkeyPatch) -> None:
    large = gif_of(600).content.replace(b"GIF89a\x01\0\x01\0", b"GIF89a\x00\x02\x00\x02")
    monkeypatch.setattr(ImageFile.ImageFile, "load", lambda *_: pytest.fail("a frame was decoded"))

    with pytest.raises(FaultError, match=r"^has 157\.3 megapixels in 600 frames, more than the 100 megapixels"):
        try_out(Original(content=large, ending=".gif"))


def test_a_frame_larger_than_its_animation_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    frame = FRAME.replace(b"\x01\0\x01\0\0\x02", b"\xff\xff\xff\xff\0\x02")
    content = gif_of(1).content[:-1] + frame + b";"

    with pytest.raises(FaultError, match=r"megapixels"):
        try_out(Original(content=content, ending=".gif"))


MEASURED = """
import resource, sys
from pathlib import Path
from newsletter.render.imaging.fit import Original, PictureSpace, fit, try_out
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
original = Original(content=Path(sys.argv[1]).read_bytes(), ending=".png")
try_out(original)
fit(original, PictureSpace(width=536))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.parametrize("mode", ["RGBA", "RGB", "P"])
def test_the_largest_image_takes_little_memory(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "large.png"
    Image.new(mode, (8_000, 5_000), 128 if mode == "P" else (90, 90, 90, 128)[: len(mode)]).save(path, compress_level=1)

    run = subprocess.run([sys.executable, "-c", MEASURED, path], capture_output=True, text=True, check=True)

    assert int(run.stdout) < 400_000  # KB; four copies of 160 MB would be 640,000
