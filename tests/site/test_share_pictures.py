"""The pictures with which social networks show an issue."""

from io import BytesIO

import pytest
from PIL import Image

from newsletter.settings.workspace import Palette
from newsletter.site import share_pictures
from newsletter.site.fonts import font_for
from newsletter.site.share_pictures import share_picture
from tests.site.values import made

LONG = "A title that is much too long for a picture, and goes on and on without any end in sight " * 6
OVERLINE = "Small Letter · February 2026"
NO_FONT = "\U00010600\U00010601"  # Linear A


def drawn(title: str, language: str = "en", overline: str = OVERLINE) -> Image.Image:
    content = share_picture(title, overline, language, Palette(), made)
    assert len(content) < 100_000
    image = Image.open(BytesIO(content))
    assert (image.format, image.size) == ("PNG", (1200, 630))
    return image.convert("RGB")


def ink_box(image: Image.Image) -> tuple[int, int, int, int] | None:
    """Return the box around everything in the color of the ink, below the bar."""
    paper = Image.new("L", image.size)
    shades = image.convert("L").point(lambda value: 255 if value < 100 else 0)
    paper.paste(shades.crop((0, 20, 1200, 630)), (0, 20))
    return paper.getbbox()


@pytest.mark.parametrize("title", ["Short", "Words of usual length in a title", LONG, "x" * 300, "", " "])
def test_no_title_leaves_the_picture(title: str) -> None:
    box = ink_box(drawn(title))
    assert box is not None
    assert box[0] >= 90
    assert box[2] <= 1200 - 90
    assert box[1] > 20
    assert box[3] < 610


def test_a_title_from_right_to_left_begins_at_the_right() -> None:
    title = "رسالة"
    if font_for(title, "ar", is_serif=True) is None:
        pytest.skip("no font with Arabic letters is installed")
    left, right = ink_box(drawn("Letter", overline="")), ink_box(drawn(title, "ar", overline=""))
    assert left is not None
    assert right is not None
    assert left[0] < 110
    assert right[2] > 1090


def test_a_text_is_left_out_if_no_font_has_its_letters() -> None:
    assert font_for(NO_FONT, "en", is_serif=True) is None
    assert drawn(NO_FONT).tobytes() == drawn("").tobytes()
    assert drawn("Title", overline=NO_FONT).tobytes() != drawn("Title").tobytes()


def test_letters_are_joined_or_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(share_pictures.features, "check", lambda _: False)
    assert drawn("رسالة", "ar", overline="").tobytes() == drawn("", "ar", overline="").tobytes()


def test_the_same_issue_gives_the_same_picture_and_another_title_another() -> None:
    assert drawn("One").tobytes() == drawn("One").tobytes()
    assert drawn("One").tobytes() != drawn("Two").tobytes()
