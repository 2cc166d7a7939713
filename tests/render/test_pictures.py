"""Images are fitted and named by their content, a video's still shows that it plays, and broken files are reported."""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from newsletter.errors import InputError, MistakesError
from newsletter.model.finding import Place
from newsletter.model.issue import PictureFile
from newsletter.render.imaging.fit import PictureSpace
from newsletter.render.memory import Memory
from newsletter.render.pictures import PictureShelf, require_whole
from tests.render.conftest import Render, picture_bytes
from tests.render.imaging.samples import drawing, photograph, saved
from tests.workspaces import CONFIG

SPACE = PictureSpace(width=536, fills=False)
LETTER = "issues/2026-02/letter.md"
IMAGES = "issues/2026-02/images"
SIGNED = "---\nsignature:\n  name: Ana Lima\n  portrait: images/ana.png\n---\n"


@pytest.fixture
def still(tmp_path: Path) -> Path:
    path = tmp_path / "still.png"
    path.write_bytes(picture_bytes(1600, 1200))
    return path


def shown(path: Path, length: str = "") -> Image.Image:
    shelf = PictureShelf(None, Memory())
    shelf.show_video(path, length, width=536)
    return Image.open(BytesIO(shelf.pictures[0].content))


def test_the_name_changes_with_the_content(tmp_path: Path) -> None:
    names = set()
    for width in (10, 11):
        path = tmp_path / f"{width}" / "dot one.png"
        path.parent.mkdir()
        path.write_bytes(picture_bytes(width, 10))
        shelf = PictureShelf(None, Memory())
        shelf.show(path, SPACE)
        names.add(shelf.pictures[0].name)
    assert len(names) == 2
    assert all(name.startswith("dot-one-") and name.endswith(".png") for name in names)


def test_the_name_ends_in_what_the_picture_has_become(tmp_path: Path) -> None:
    files = {
        "field.webp": (saved(photograph(1072, 300), "WEBP"), "field", ".jpg", "image/jpeg"),
        "logo.SVG": (drawing(), "logo", ".png", "image/png"),
        "plan.TIFF": (saved(Image.new("RGB", (9, 9)), "TIFF"), "plan", ".png", "image/png"),
    }
    for name, (content, stem, ending, content_type) in files.items():
        (tmp_path / name).write_bytes(content)
        shelf = PictureShelf(None, Memory())
        shelf.show(tmp_path / name, SPACE)
        (picture,) = shelf.pictures
        assert (picture.name.rpartition("-")[0], picture.name[-4:], picture.content_type) == (
            stem,
            ending,
            content_type,
        )


def test_a_picture_used_twice_is_kept_once(still: Path) -> None:
    shelf = PictureShelf(None, Memory())
    assert shelf.show(still, SPACE) == shelf.show(still, SPACE)
    assert len(shelf.pictures) == 1


def test_a_picture_used_at_two_widths_is_kept_twice(still: Path) -> None:
    shelf = PictureShelf(None, Memory())
    wide, narrow = shelf.show(still, SPACE), shelf.show(still, PictureSpace(width=432))
    assert (wide.width, wide.height, narrow.width, narrow.height) == (536, 402, 432, 324)
    assert [picture.width for picture in shelf.pictures] == [1072, 864]


def test_an_edited_picture_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "dot.png"
    path.write_bytes(picture_bytes(10, 10))
    first = PictureShelf(None, Memory()).show(path, SPACE)
    path.write_bytes(picture_bytes(20, 20))
    assert PictureShelf(None, Memory()).show(path, SPACE).src != first.src


def test_hosted_pictures_have_an_address_and_others_travel_inside(still: Path) -> None:
    assert (
        PictureShelf("https://www.example.org/letters", Memory())
        .show(still, SPACE)
        .src.startswith("https://www.example.org/letters/i/still-")
    )
    assert PictureShelf(None, Memory()).show(still, SPACE).src.startswith("cid:still-")


def test_what_was_fitted_once_is_only_remembered(tmp_path: Path) -> None:
    path = tmp_path / "field.jpg"
    path.write_bytes(saved(photograph(1200, 300), "JPEG"))
    memory = Memory(tmp_path / "memory")
    first = PictureShelf(None, memory)
    first.show(path, SPACE)
    first.show_video(path, "8 min", width=536)
    kept = {file: file.stat().st_mtime_ns for file in (tmp_path / "memory").iterdir()}

    again = PictureShelf(None, Memory(tmp_path / "memory"))
    again.show(path, SPACE)
    again.show_video(path, "8 min", width=536)

    assert again.pictures == first.pictures
    assert {file: file.stat().st_mtime_ns for file in (tmp_path / "memory").iterdir()} == kept


def test_a_still_is_cut_to_sixteen_by_nine(still: Path) -> None:
    assert shown(still).size == (1072, 603)


def test_the_play_mark_stands_in_the_middle(still: Path) -> None:
    image = shown(still).convert("L")
    ground = image.getpixel((100, 100))
    middle, ring = image.getpixel((536, 301)), image.getpixel((536, 301 - 56))
    assert isinstance(ground, int)
    assert isinstance(middle, int)
    assert isinstance(ring, int)
    assert middle > 240  # the triangle, white
    assert ring < ground - 60  # the disc around it, dark


def test_the_length_stands_in_the_corner_only_where_there_is_one(still: Path) -> None:
    corner = (900, 520, 1072, 603)
    assert shown(still, "8 min").crop(corner).tobytes() != shown(still).crop(corner).tobytes()


@pytest.mark.parametrize("name", ["clip.gif", "logo.svg", "cut-out.png", "dot.png"])
def test_a_still_can_be_made_of_any_picture(tmp_path: Path, name: str) -> None:
    frames = [Image.new("RGB", (640, 360), color) for color in ("red", "blue")]
    contents = {
        "clip.gif": saved(frames[0], "GIF", save_all=True, append_images=frames[1:]),
        "logo.svg": drawing(),
        "cut-out.png": saved(Image.new("RGBA", (640, 360)), "PNG"),
        "dot.png": picture_bytes(1, 1),
    }
    path = tmp_path / name
    path.write_bytes(contents[name])
    image = shown(path, "8 min")
    assert (image.format in {"JPEG", "PNG"}, getattr(image, "n_frames", 1)) == (True, 1)


def test_a_damaged_picture_is_an_error_with_a_remedy(tmp_path: Path) -> None:
    path = tmp_path / "broken.png"
    path.write_bytes(b"not a picture")
    with pytest.raises(InputError, match="export it again"):
        PictureShelf(None, Memory()).show(path, SPACE)


def broken_files(folder: Path) -> Iterator[tuple[str, PictureFile]]:
    contents = {
        "cut.jpg": saved(photograph(300, 200), "JPEG")[:-2000],
        "words.svg": drawing("<text>Words</text>"),
        "whole.png": picture_bytes(10, 10),
        "logo.pdf": b"%PDF",
    }
    for line, (name, content) in enumerate(contents.items(), start=1):
        (folder / name).write_bytes(content)
        yield name, PictureFile(path=folder / name, place=Place(path="letter.md", line=line))
    yield "gone.png", PictureFile(path=folder / "gone.png", place=Place(path="newsletter.toml", line=9))


def test_a_semicolon_in_an_address_inside_a_drawing_stays_in_its_place(tmp_path: Path) -> None:
    path = tmp_path / "a.svg"
    path.write_bytes(drawing('<image href="near; far.png" width="200" height="100"/>'))
    place = Place(path="issues/2026-02/letter.md", line=3)

    with pytest.raises(MistakesError) as caught:
        require_whole([("a.svg", PictureFile(path=path, place=place))], Memory())

    (mistake,) = caught.value.mistakes
    assert mistake.what.endswith("refers to something outside the file, near; far.png")
    assert mistake.remedy.startswith("embed it, or ")


def test_every_broken_picture_is_told_where_it_is_named(tmp_path: Path) -> None:
    with pytest.raises(MistakesError) as told:
        require_whole(broken_files(tmp_path), Memory())

    said = [str(mistake) for mistake in told.value.mistakes]
    assert said[0].startswith("letter.md:1: the image cut.jpg cannot be read (image file is truncated")
    assert said[0].endswith("export it again")
    assert said[1:] == [
        "letter.md:2: the image words.svg contains text, which looks different on every machine; "
        "convert the text to paths",
        "letter.md:4: the image logo.pdf has a format that cannot be converted for email; "
        "export it as PNG, JPEG or SVG",
        "newsletter.toml:9: the image gone.png does not exist; write the name of an image that exists",
    ]


def test_a_truncated_picture_of_an_issue_is_told_at_its_line(render: Render) -> None:
    truncated = saved(photograph(300, 200), "JPEG")[:-2000]
    with pytest.raises(MistakesError, match=rf"^{LETTER}:3: the image images/cut\.jpg cannot be read"):
        render({LETTER: "One\n\n![A field](images/cut.jpg)\n", f"{IMAGES}/cut.jpg": truncated})


def test_a_logo_is_fitted_to_its_width_and_told_at_its_line(render: Render) -> None:
    brand = '\n[brand]\nlogo = "logo.svg"\nlogo_width = 90\n'
    html = render({"newsletter.toml": CONFIG + brand, "logo.svg": drawing()}).html
    assert 'width="90" style="display:block;width:auto;height:45px;max-width:100%' in html

    with pytest.raises(MistakesError, match=r"^newsletter\.toml:\d+: the image logo\.svg states no size"):
        render({"newsletter.toml": CONFIG + brand, "logo.svg": drawing(attributes="")})


def test_a_portrait_is_cut_square_and_sized(render: Render) -> None:
    mail = render({LETTER: SIGNED, f"{IMAGES}/ana.png": picture_bytes(400, 300)})
    (portrait,) = mail.rendered.pictures
    assert (portrait.width, portrait.height) == (144, 144)
    assert 'alt="Portrait of Ana Lima" width="72" style="display:block;width:auto;height:72px' in mail.html


def test_a_portrait_can_be_marked_as_decorative(render: Render) -> None:
    decorative = SIGNED.replace("ana.png", "ana.png\n  decorative: true")
    html = render({LETTER: decorative, f"{IMAGES}/ana.png": picture_bytes(400, 300)}).html
    assert 'alt="" role="presentation" width="72"' in html
