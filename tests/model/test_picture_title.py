"""What may stand behind the address of a picture in Markdown."""

import pytest

from newsletter.model.picture_files import PictureTitle, read_picture_title


@pytest.mark.parametrize(
    ("title", "read"),
    [
        ("", PictureTitle()),
        (" ", PictureTitle()),
        ("decorative", PictureTitle(is_decorative=True)),
        ("240 px", PictureTitle(width=240)),
        ("240px", PictureTitle(width=240)),
        ("decorative, 120 px", PictureTitle(is_decorative=True, width=120)),
        ("8 px,decorative", PictureTitle(is_decorative=True, width=8)),
    ],
)
def test_a_title_says_whether_a_picture_decorates_and_how_wide_it_is(title: str, read: PictureTitle) -> None:
    assert read_picture_title(title) == read


@pytest.mark.parametrize("title", ["A hill", "Decorative", "240", "decorative 240 px", ",", "240 px, wide", "50%"])
def test_anything_else_is_told(title: str) -> None:
    with pytest.raises(ValueError, match=r'would not be shown; write "decorative", a width such as "240 px"'):
        read_picture_title(title)


@pytest.mark.parametrize("title", ["7 px", "537 px", "0 px", f"{10**9} px"])
def test_a_width_that_no_mail_has_room_for_is_told(title: str) -> None:
    with pytest.raises(ValueError, match="choose a width from 8 to 536 px"):
        read_picture_title(title)
