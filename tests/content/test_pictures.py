"""Pictures that an issue names: found inside its folder, readable, described or marked."""

import re
from io import BytesIO
from pathlib import Path
from typing import Literal
from unicodedata import normalize
from urllib.parse import quote
from zlib import compress, crc32

import pytest
from PIL import Image, ImageFile

from newsletter.config import load_config
from newsletter.content.loader import load_issue
from newsletter.content.pictures import find_picture, location_of
from newsletter.errors import MistakesError
from newsletter.model.finding import Place
from tests.workspaces import write_workspace

SIGNED = "---\nsignature:\n  name: Ana Lima\n  portrait: images/ana.png\n---\nWords\n"
LETTER = "issues/2026-02/letter.md"


def picture(kind: str) -> bytes:
    buffer = BytesIO()
    Image.new("RGB", (8, 6), "#9C3353").save(buffer, kind)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.png", "PNG"),
        ("a.jpg", "JPEG"),
        ("A.JPEG", "JPEG"),
        ("a.gif", "GIF"),
        ("a.webp", "WEBP"),
        ("a.avif", "AVIF"),
        ("a.tif", "TIFF"),
        ("a.tiff", "TIFF"),
        ("a.bmp", "BMP"),
    ],
)
def test_every_kind_that_can_be_turned_into_one_for_mail_is_taken(tmp_path: Path, name: str, kind: str) -> None:
    (tmp_path / name).write_bytes(picture(kind))

    assert find_picture(tmp_path, name) == (tmp_path / name).resolve()


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.heic", b"x", "is a HEIC photo, which email apps cannot show; export it as JPEG"),
        ("a.pdf", b"x", "is not an image that can be used in an email; use a file in JPEG, PNG"),
        ("a", b"x", "is not an image"),
        ("a.jpg", picture("PNG"), "is damaged, or its name has the wrong extension; open it"),
        ("a.png", picture("PNG")[:-30], "is damaged"),
        ("a.png", b"", "is damaged"),
        ("a.webp", b"RIFF", "is damaged"),
    ],
)
def test_what_is_no_picture_is_told(tmp_path: Path, name: str, content: bytes, said: str) -> None:
    (tmp_path / name).write_bytes(content)

    with pytest.raises(ValueError, match=said):
        find_picture(tmp_path, name)


@pytest.mark.parametrize("name", [f"images/{'a' * 300}.png", f"{'a/' * 3000}a.png"])
def test_a_name_that_is_longer_than_the_system_knows_is_one_of_no_picture(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="there is no image "):
        find_picture(tmp_path, name)


def bomb(kind: str, width: int, height: int) -> bytes:
    """Returns an image that says it has this size. Only its first bytes are there, or it is otherwise small."""
    big, little = "big", "little"

    def chunk(name: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4, big) + name + data + crc32(name + data).to_bytes(4, big)

    match kind:
        case "png":
            header = width.to_bytes(4, big) + height.to_bytes(4, big) + b"\x08\x06\0\0\0"
            content = (
                b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", compress(bytes(9))) + chunk(b"IEND", b"")
            )
        case "jpg":
            small = picture("JPEG")
            at = small.index(b"\xff\xc0") + 5
            content = small[:at] + height.to_bytes(2, big) + width.to_bytes(2, big) + small[at + 4 :]
        case "gif":
            content = b"GIF89a" + width.to_bytes(2, little) + height.to_bytes(2, little) + picture("GIF")[10:]
        case "webp":
            extended = b"VP8X" + (10).to_bytes(4, little) + bytes(4)
            extended += (width - 1).to_bytes(3, little) + (height - 1).to_bytes(3, little) + picture("WEBP")[12:]
            content = b"RIFF" + (len(extended) + 4).to_bytes(4, little) + b"WEBP" + extended
        case "avif":
            small = picture("AVIF")
            at = small.index(b"ispe") + 8
            content = small[:at] + width.to_bytes(4, big) + height.to_bytes(4, big) + small[at + 8 :]
        case "tif":
            tags = [
                (256, width),
                (257, height),
                (258, 8),
                (259, 1),
                (262, 1),
                (273, 8),
                (277, 1),
                (278, height),
                (279, 1),
            ]
            entries = b"".join(
                tag.to_bytes(2, little) + b"\x04\0\1\0\0\0" + value.to_bytes(4, little) for tag, value in tags
            )
            content = b"II*\0\x08\0\0\0" + len(tags).to_bytes(2, little) + entries + bytes(4)
        case _:
            header = b"BM" + (54).to_bytes(4, little) + bytes(4) + (54).to_bytes(4, little) + (40).to_bytes(4, little)
            content = header + width.to_bytes(4, little) + height.to_bytes(4, little) + b"\1\0\x18\0" + bytes(24)
    return content


@pytest.mark.parametrize("kind", ["png", "jpg", "gif", "webp", "avif", "tif", "bmp"])
@pytest.mark.parametrize(("width", "height"), [(6_400, 6_400), (9_999, 9_999), (16_383, 2_500)])
def test_an_image_over_40_megapixels_is_refused_before_it_is_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, width: int, height: int
) -> None:
    text = f"Words\n\n![A hill](images/bomb.{kind})\n"
    files = {LETTER: text, f"issues/2026-02/images/bomb.{kind}": bomb(kind, width, height)}
    root = write_workspace(tmp_path, files)
    monkeypatch.setattr(ImageFile.ImageFile, "load", lambda *_: pytest.fail("the image was decoded"))

    (mistake,) = mistakes(root)

    megapixels = f"{width * height / 1_000_000:,.1f} megapixels"
    assert mistake.startswith(f"{LETTER}:3: the image images/bomb.{kind} has {megapixels}, more than the 40 megapixels")


@pytest.mark.parametrize("kind", ["png", "bmp"])
def test_an_image_just_below_the_limit_is_taken(tmp_path: Path, kind: str) -> None:
    (tmp_path / f"large.{kind}").write_bytes(bomb(kind, 8_000, 5_000))

    assert find_picture(tmp_path, f"large.{kind}").name == f"large.{kind}"


def test_a_file_too_large_for_an_image_is_refused_before_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (tmp_path / "huge.png").open("wb") as file:
        file.truncate(3_000_000_000)  # takes no space on the disk
    monkeypatch.setattr(Image, "open", lambda *_, **__: pytest.fail("the file was opened"))

    with pytest.raises(
        ValueError, match=r"^the image huge\.png is 3,000 MB, more than the 100 MB that can be read; open"
    ):
        find_picture(tmp_path, "huge.png")


def mistakes(root: Path) -> list[str]:
    with pytest.raises(MistakesError) as told:
        load_issue(load_config(root), root / "issues/2026-02")
    return [str(mistake) for mistake in told.value.mistakes]


@pytest.mark.parametrize(
    ("markdown", "said"),
    [
        (
            'One\n\n![A hill](images/a.png "A hill")\n',
            f"{LETTER}:3: the image title “A hill” would not be shown; write",
        ),
        ('![A hill](images/a.png "5000 px")\n', f"{LETTER}:1: an image cannot be shown 5000 px wide; choose"),
        (
            '![A hill](images/a.png "decorative")\n',
            f"{LETTER}:1: the image images/a.png is marked as decorative, but has a description",
        ),
    ],
)
def test_a_title_of_a_picture_that_says_something_else_is_a_mistake(tmp_path: Path, markdown: str, said: str) -> None:
    root = write_workspace(tmp_path, {LETTER: markdown, "issues/2026-02/images/a.png": picture("PNG")})

    (mistake,) = mistakes(root)

    assert mistake.startswith(said)


def test_a_portrait_is_described_or_decorative(tmp_path: Path) -> None:
    both = SIGNED.replace("images/ana.png", "images/ana.png\n  alt: Ana\n  decorative: true")
    root = write_workspace(tmp_path, {LETTER: both, "issues/2026-02/images/ana.png": picture("PNG")})

    (mistake,) = mistakes(root)

    assert mistake.startswith(f"{LETTER}:5: signature: the portrait is marked as decorative, but has a description")


def test_a_picture_keeps_the_place_where_it_is_named(tmp_path: Path) -> None:
    text = SIGNED + "\n![Ana again](images/ana.png)\n\n![A cup](images/cup.png)\n"
    files = {f"issues/2026-02/images/{name}.png": picture("PNG") for name in ("ana", "cup")}
    root = write_workspace(tmp_path, {LETTER: text, **files})

    issue = load_issue(load_config(root), root / "issues/2026-02")

    assert {name: file.place for name, file in issue.pictures.items()} == {
        "images/ana.png": Place(path=LETTER, line=4),
        "images/cup.png": Place(path=LETTER, line=10),
    }


def test_the_keys_that_lead_to_a_picture_are_found() -> None:
    tree = {"a": [{"b": "x"}, {"c": {"d": "images/a.png"}}], "e": 1}

    assert location_of("images/a.png", tree) == ("a", 1, "c", "d")
    assert location_of("images/b.png", tree) == ()


NAMES = (
    *("our hall.png", "café.png", "cafe\u0301 noir.png", "会场.png", "本部.png", "a&b.png", "100%.png", "50%20off.png"),
    *("plus+sign.png", "paren(1).png", "hash#1.png", "it's.png", "q?x.png", "“Ana”.png", "ملصق.png", "a;b,c=d.png"),
)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("spelled", ["NFC", "NFD"])
@pytest.mark.parametrize("written", ["<images/{}>", "images/{}", "portrait"])
def test_an_image_of_any_name_is_found_however_its_name_is_written(
    tmp_path: Path, name: str, spelled: Literal["NFC", "NFD"], written: str
) -> None:
    stored = tmp_path / "issues/2026-02/images" / normalize(spelled, name)
    letter = f"![A hill]({written.format(name if written[0] == '<' else quote(name))})\n"
    if written == "portrait":
        letter = SIGNED.replace("images/ana.png", f'"images/{name}"\n  alt: Ana')
    root = write_workspace(tmp_path, {LETTER: letter, str(stored.relative_to(tmp_path)): picture("PNG")})

    issue = load_issue(load_config(root), root / "issues/2026-02")

    assert [file.path for file in issue.pictures.values()] == [stored.resolve()]


def test_a_folder_may_be_spelled_either_way_too(tmp_path: Path) -> None:
    stored = tmp_path / normalize("NFD", "été/été.png")
    stored.parent.mkdir()
    stored.write_bytes(picture("PNG"))

    assert find_picture(tmp_path, normalize("NFC", "été/été.png")) == stored.resolve()


def test_of_two_spellings_the_one_that_was_written_is_taken(tmp_path: Path) -> None:
    for name in (normalize("NFD", "é.png"), normalize("NFC", "é.png"), "a%20b.png", "a b.png"):
        (tmp_path / name).write_bytes(picture("PNG"))
        assert find_picture(tmp_path, name) == (tmp_path / name).resolve()


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("images/our hal.png", "did you mean images/our hall.png? If not, put the file our hal.png into"),
        ("images\\our hall.png", "did you mean images/our hall.png?"),
        ("images/Our Hall.PNG", "did you mean images/our hall.png?"),
        ("images/cafes.png", "did you mean images/café.png?"),
        ("our hall.png", "did you mean images/our hall.png?"),
        ("images/nowhere.png", "there is no image 'images/nowhere.png'; put the file nowhere.png into"),
    ],
)
def test_a_missing_image_is_told_with_the_closest_name(tmp_path: Path, written: str, said: str) -> None:
    (tmp_path / "images").mkdir()
    for name in ("our hall.png", normalize("NFD", "café.png")):
        (tmp_path / "images" / name).write_bytes(picture("PNG"))

    with pytest.raises(ValueError, match=re.escape(said)):
        find_picture(tmp_path, written)


@pytest.mark.parametrize("name", ["../secret.png", "images/../../secret.png", "%2e%2e/secret.png", "link/secret.png"])
def test_no_spelling_of_a_name_leads_out_of_the_issue(tmp_path: Path, name: str) -> None:
    issue = tmp_path / "issue"
    issue.mkdir()
    (tmp_path / "secret.png").write_bytes(picture("PNG"))
    (issue / "link").symlink_to(tmp_path)

    with pytest.raises(ValueError, match=r"is outside|there is no image"):
        find_picture(issue, name)


@pytest.mark.parametrize("name", ["a\0.png", "images/a\nb.png"])
def test_an_invisible_character_in_a_name_is_told(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="contains an invisible character; delete it, or rename the file"):
        find_picture(tmp_path, name)
