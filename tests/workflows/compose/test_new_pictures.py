"""Adding an image to an issue: its bytes decide what it is, and its name leads nowhere and replaces nothing."""

from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from newsletter.errors import InputError
from newsletter.workflows.compose import new_pictures
from newsletter.workflows.compose.new_pictures import add_picture, issue_pictures

SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="10" height="10"><path d="M0 0h10v10z"/></svg>'


def picture(kind: str, color: str = "#9C3353") -> bytes:
    """A small image in a format."""
    content = BytesIO()
    Image.new("RGB", (40, 30), color).save(content, kind)
    return content.getvalue()


@pytest.mark.parametrize(
    ("kind", "ending"),
    [("PNG", "png"), ("JPEG", "jpg"), ("GIF", "gif"), ("WEBP", "webp"), ("TIFF", "tif"), ("BMP", "bmp")],
)
def test_the_ending_follows_from_the_bytes(tmp_path: Path, kind: str, ending: str) -> None:
    assert add_picture(tmp_path, "Photo 1.jpeg", picture(kind)) == f"images/photo-1.{ending}"
    assert (tmp_path / f"images/photo-1.{ending}").read_bytes() == picture(kind)


def test_a_drawing_is_taken_if_email_can_show_it(tmp_path: Path) -> None:
    assert add_picture(tmp_path, "logo.png", SVG) == "images/logo.svg"
    with pytest.raises(InputError, match="declares entities"):
        add_picture(tmp_path, "x.svg", b'<!DOCTYPE svg [<!ENTITY a "b">]>' + SVG)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("../../../etc/passwd", "passwd"),
        ("C:\\Users\\ana\\photo.png", "photo"),
        ("/absolute/.hidden", "hidden"),
        ("<script>alert(1)</script>.png", "script"),
        ("a](b).png", "a-b"),
        ("\x00\n.png", "image"),
        ("", "the-file"),
        ("x" * 5000, "x" * 60),
    ],
)
def test_a_name_is_only_letters_digits_and_dashes_in_the_images_folder(
    tmp_path: Path, name: str, expected: str
) -> None:
    added = add_picture(tmp_path, name, picture("PNG"))
    assert added == f"images/{expected}.png"
    assert [path.name for path in tmp_path.iterdir()] == ["images"]
    assert issue_pictures(tmp_path) == (added,)


def test_the_name_of_a_device_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="means something else on some systems"):
        add_picture(tmp_path, "CON.png", picture("PNG"))


def test_a_letter_of_another_script_is_told_apart_by_a_code(tmp_path: Path) -> None:
    first, second = add_picture(tmp_path, "写真.png", picture("PNG")), add_picture(tmp_path, "絵.png", picture("PNG"))
    assert first != second
    assert first.isascii()


def test_no_image_replaces_another_and_the_same_is_kept_once(tmp_path: Path) -> None:
    names = [add_picture(tmp_path, "a.png", picture("PNG", color)) for color in ("red", "blue", "red", "green")]
    assert names == ["images/a.png", "images/a-2.png", "images/a.png", "images/a-3.png"]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "damaged, or not an image"),
        (b"%PDF-1.7", "damaged, or not an image"),
        (b"\x00\x00\x00\x18ftypheic\x00\x00", "HEIC photo"),
        (picture("PNG")[:60], "damaged, or not an image"),
        (b"<html><script>alert(1)</script></html>", "is not an SVG"),
        (b"\x89PNG\r\n\x1a\n" + b"\x00" * 50, "damaged, or not an image"),
    ],
)
def test_what_is_no_image_is_refused_and_leaves_nothing(tmp_path: Path, content: bytes, told: str) -> None:
    with pytest.raises(InputError, match=told):
        add_picture(tmp_path, "photo.jpg", content)
    assert list(tmp_path.iterdir()) == []


def test_an_image_with_too_many_pixels_or_bytes_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = BytesIO()
    Image.new("1", (10_000, 9_000)).save(content, "PNG")
    with pytest.raises(InputError, match="megapixels"):
        add_picture(tmp_path, "large.png", content.getvalue())
    monkeypatch.setattr("newsletter.system.pictures.MOST_BYTES", 50)
    with pytest.raises(InputError, match="more than"):
        add_picture(tmp_path, "heavy.png", picture("PNG"))
    assert list(tmp_path.iterdir()) == []


def test_an_images_folder_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    issue, outside = tmp_path / "issue", tmp_path / "outside"
    issue.mkdir()
    outside.mkdir()
    (issue / new_pictures.PICTURES_FOLDER).symlink_to(outside)
    with pytest.raises(InputError):
        add_picture(issue, "a.png", picture("PNG"))
    assert list(outside.iterdir()) == []
