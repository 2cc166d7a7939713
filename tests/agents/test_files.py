"""An agent reads and writes the files of an issue: its settings, its Markdown and its images."""

import base64
from pathlib import Path

import pytest

from newsletter.agents import files
from newsletter.config import Config, load_config
from newsletter.errors import ConflictError, InputError
from newsletter.system.contained import fingerprint_of
from tests.agents.hostile import PICTURES, small_png
from tests.workspaces import ISSUE, LETTER, write_workspace

EVENTS = {
    "issues/2026-02/events/index.md": "---\ntitle: Events\n---\n",
    "issues/2026-02/images/photo.png": small_png(),
}


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return load_config(write_workspace(tmp_path, EVENTS))


def write(config: Config, path: str, text: str = "new", replaces: str = "") -> str:
    return files.write_text(config, "2026-02", path, text, replaces=replaces).text


def write_image(config: Config, path: str, content: bytes, replaces: str = "") -> str:
    data = base64.b64encode(content).decode()
    return files.write_image(config, "2026-02", path, data, replaces=replaces).text


def test_all_files_of_an_issue_are_listed_and_no_others(config: Config) -> None:
    folder = config.root / "issues" / "2026-02"
    (folder / "notes.txt").write_text("x")
    (folder / ".hidden.md").write_text("x")
    (folder / "linked.md").symlink_to(config.root / "newsletter.toml")
    (folder / "images" / "page.html").write_text("x")
    listed = files.list_files(config, "2026-02").text
    assert [line.split()[1] for line in listed.splitlines()] == [
        "events/index.md",
        "images/photo.png",
        "issue.yaml",
        "letter.md",
    ]


def test_issues_are_listed_with_their_subjects_and_the_segments(config: Config) -> None:
    assert files.list_issues(config).text == (
        "2026-02  2026-02-19  A small letter for everybody\n\nSegments: everyone, teachers"
    )


def test_what_was_read_can_be_written_back_with_its_fingerprint(config: Config) -> None:
    head, _, text = files.read_file(config, "2026-02", "letter.md").text.partition("\n\n")
    assert text == LETTER
    saved = write(config, "letter.md", f"{text}More.\n", head.removeprefix("fingerprint: "))
    assert saved.endswith(fingerprint_of(f"{LETTER}More.\n".encode()))
    with pytest.raises(ConflictError, match="was changed in the meantime"):
        write(config, "letter.md", text, head.removeprefix("fingerprint: "))


@pytest.mark.parametrize("path", ["new.md", "events/workshop.md", "über uns.md"])
def test_markdown_can_be_added(config: Config, path: str) -> None:
    write(config, path)
    assert (config.root / "issues" / "2026-02" / path).read_text() == "new"


@pytest.mark.parametrize(
    "path",
    [
        *(
            "newsletter.toml",
            "x.toml",
            "x.j2",
            "x.txt",
            "x.MD",
            ".md",
            "issue.yml",
            "Issue.yaml",
            "ISSUE.YAML",
            "x.md.py",
        ),
        *(
            "issue.yaml/x.md",
            "new/x.md",
            "events/a/x.md",
            "events/x.yaml",
            "events/issue.yaml",
            "images/x.md",
            "images",
        ),
        *("Images/x.png", "../2026-02/letter.md", "../../newsletter.toml", "../../templates/x.md", "letter.md/x.md"),
    ],
)
def test_no_other_text_is_read_or_written(config: Config, path: str) -> None:
    before = everything_in(config.root)
    with pytest.raises(InputError):
        write(config, path)
    with pytest.raises(InputError):
        files.read_file(config, "2026-02", path)
    assert everything_in(config.root) == before


@pytest.mark.parametrize(
    "issue", ["..", ".", "", "../issues/2026-02", "2026-02/", "2026-02/events", "nope", "linked", "x"]
)
def test_a_name_that_is_no_issue_is_refused(config: Config, issue: str) -> None:
    (config.root / "issues" / "linked").symlink_to(config.root / "issues" / "2026-02")
    (config.root / "issues" / "x").mkdir()
    (config.root / "issues" / "x" / "issue.yaml").symlink_to(config.root / "newsletter.toml")
    for deed in (files.list_files, lambda config, issue: files.read_file(config, issue, "issue.yaml")):
        with pytest.raises(InputError):
            deed(config, issue)


def test_text_must_be_text_and_not_too_long(config: Config) -> None:
    for text, what in (
        ("a\0", "zero character"),
        ("\ud800", "half of a character"),
        ("x" * 500_001, "the most is 500,000"),
    ):
        with pytest.raises(InputError, match=what):
            write(config, "new.md", text)
    (config.root / "issues" / "2026-02" / "latin.md").write_bytes("é".encode("latin-1"))
    with pytest.raises(InputError, match="is not UTF-8 text"):
        files.read_file(config, "2026-02", "latin.md")


def test_images_are_saved_if_they_are_what_their_names_say(config: Config) -> None:
    assert "was saved" in write_image(config, "images/new.png", small_png(3, 3))
    assert files.read_file(config, "2026-02", "images/new.png").pictures[0].content == small_png(3, 3)
    with pytest.raises(ConflictError):
        write_image(config, "images/new.png", small_png(4, 4))
    write_image(config, "images/new.png", small_png(4, 4), fingerprint_of(small_png(3, 3)))


@pytest.mark.parametrize("ending", ["png", "jpg", "gif", "webp", "avif", "tiff", "bmp", "svg"])
def test_bytes_that_are_no_image_are_not_saved(config: Config, ending: str) -> None:
    usable = {"png": PICTURES[0], "svg": PICTURES[9]}
    for content in PICTURES:
        if ending in usable and content in {usable[ending], *tolerated(ending)}:
            continue
        with pytest.raises(InputError):
            write_image(config, f"images/new.{ending}", content)
    assert [path.name for path in (config.root / "issues" / "2026-02" / "images").iterdir()] == ["photo.png"]


def tolerated(ending: str) -> tuple[bytes, ...]:
    """What a viewer takes for an image too: one that claims to be large but may be, one with bytes after its end, and
    drawings in which a style or a script is never carried out."""
    return (PICTURES[2], PICTURES[8]) if ending == "png" else (PICTURES[12],)


@pytest.mark.parametrize(
    "path", ["new.png", "events/new.png", "images/new.exe", "images/new.png/x.png", "images/new.md"]
)
def test_images_are_saved_only_in_their_folder(config: Config, path: str) -> None:
    with pytest.raises(InputError):
        write_image(config, path, small_png())


@pytest.mark.parametrize("data", ["x", "====", "a b", "\u00e9", "iVBORw0KGgo=\n"])
def test_what_is_not_base64_is_refused(config: Config, data: str) -> None:
    with pytest.raises(InputError):
        files.write_image(config, "2026-02", "images/new.png", data, replaces="")


def test_an_issue_has_room_for_so_many_files(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "_MOST_FILES", 4)
    with pytest.raises(InputError, match="already has 4 files"):
        write(config, "new.md")
    write(config, "issue.yaml", ISSUE + "\n", fingerprint_of(ISSUE.encode()))
    monkeypatch.setattr(files, "_MOST_FILES", 200)
    monkeypatch.setattr(files, "_MOST_FOLDER_BYTES", 500)
    with pytest.raises(InputError, match="would have more than"):
        write(config, "new.md", "x" * 400)


def everything_in(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
