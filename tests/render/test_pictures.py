"""Pictures are named by their content, and a video's still shows that it plays."""

from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from newsletter.errors import InputError
from newsletter.render.memory import Memory
from newsletter.render.pictures import PictureShelf
from tests.render.conftest import picture_bytes


@pytest.fixture
def still(tmp_path: Path) -> Path:
    path = tmp_path / "still.png"
    path.write_bytes(picture_bytes(1600, 1200))
    return path


def shown(path: Path, length: str = "") -> Image.Image:
    shelf = PictureShelf(None, Memory())
    shelf.show_video(path, length)
    return Image.open(BytesIO(shelf.pictures[0].content))


def test_the_name_changes_with_the_content(tmp_path: Path) -> None:
    names = set()
    for width in (10, 11):
        path = tmp_path / f"{width}" / "dot one.png"
        path.parent.mkdir()
        path.write_bytes(picture_bytes(width, 10))
        shelf = PictureShelf(None, Memory())
        shelf.show(path)
        names.add(shelf.pictures[0].name)
    assert len(names) == 2
    assert all(name.startswith("dot-one-") and name.endswith(".png") for name in names)


def test_a_picture_used_twice_is_kept_once(still: Path) -> None:
    shelf = PictureShelf(None, Memory())
    assert shelf.show(still) == shelf.show(still)
    assert len(shelf.pictures) == 1


def test_an_edited_picture_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "dot.png"
    path.write_bytes(picture_bytes(10, 10))
    first = PictureShelf(None, Memory()).show(path)
    path.write_bytes(picture_bytes(20, 20))
    assert PictureShelf(None, Memory()).show(path).src != first.src


def test_hosted_pictures_have_an_address_and_others_travel_inside(still: Path) -> None:
    assert (
        PictureShelf("https://www.example.org/letters", Memory())
        .show(still)
        .src.startswith("https://www.example.org/letters/images/still-")
    )
    assert PictureShelf(None, Memory()).show(still).src.startswith("cid:still-")


def test_a_still_is_cut_to_sixteen_by_nine(still: Path) -> None:
    assert shown(still).size == (1200, 675)


def test_the_play_mark_stands_in_the_middle(still: Path) -> None:
    image = shown(still).convert("L")
    ground = image.getpixel((100, 100))
    middle, ring = image.getpixel((600, 337)), image.getpixel((600, 337 - 62))
    assert isinstance(ground, int)
    assert isinstance(middle, int)
    assert isinstance(ring, int)
    assert middle > 240  # the triangle, white
    assert ring < ground - 60  # the disc around it, dark


def test_the_length_stands_in_the_corner_only_where_there_is_one(still: Path) -> None:
    corner = (1020, 580, 1200, 675)
    assert shown(still, "8 min").crop(corner).tobytes() != shown(still).crop(corner).tobytes()


def test_a_damaged_picture_is_an_error_with_a_remedy(tmp_path: Path) -> None:
    path = tmp_path / "broken.png"
    path.write_bytes(b"not a picture")
    with pytest.raises(InputError, match="export it again"):
        PictureShelf(None, Memory()).show(path)
