"""Which issue is meant to use if none is named, and which issues came before it."""

from datetime import date
from io import BytesIO
from pathlib import Path
from typing import Literal
from unicodedata import normalize
from urllib.parse import quote

import pytest
from PIL import Image

from newsletter.config import Config, load_config
from newsletter.errors import InputError
from newsletter.workflows.compose.compose import compose_issue, require_issue
from newsletter.workflows.compose.new import new_issue
from newsletter.workflows.doctor.examination import workspace_items
from tests.workspaces import ISSUE, LETTER, write_workspace


def workspace(folder: Path, **dates: str) -> Config:
    """A workspace with February's issue, and more of the given names and dates."""
    files = {
        f"issues/{name.replace('_', '-')}/{file}": text
        for name, day in dates.items()
        for file, text in (
            ("issue.yaml", ISSUE.replace("date: 2026-02-19", day)),
            ("letter.md", LETTER),
        )
    }
    return load_config(write_workspace(folder, files))


@pytest.mark.parametrize("name", ["2019-05-welcome", "archive/2019-05-welcome"])
def test_a_past_issue_is_said_to_be_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    config = workspace(tmp_path)
    past = tmp_path / "archive" / "2019-05-welcome"
    past.mkdir(parents=True)
    for file in ("issue.yaml", "page.html"):
        (past / file).write_text("")
    monkeypatch.chdir(tmp_path)

    with pytest.raises(InputError, match=rf"{name} is a past issue from another tool"):
        require_issue(config, name)


@pytest.mark.parametrize(
    ("dates", "newest"),
    [
        ({}, "2026-02"),
        ({"spring": "date: 2026-01-31"}, "2026-02"),
        ({"a_special": "date: 2026-02-20"}, "a-special"),
        ({"2025_12": "date: 2026-12-01", "welcome": "date: 2024-01-01"}, "2025-12"),
        ({"x1": "date: 2026-02-19", "a1": "date: 2026-02-19"}, "x1"),  # of the same day, by name
        ({"a_draft": "date: soon"}, "a-draft"),  # so that its mistake is reported
        ({"a_draft": "topics: []"}, "a-draft"),
        ({"a_draft": "date: [1"}, "a-draft"),
    ],
)
def test_the_newest_issue_is_the_one_with_the_latest_date(tmp_path: Path, dates: dict[str, str], newest: str) -> None:
    config = workspace(tmp_path, **dates)

    assert require_issue(config, None).name == newest
    (told,) = [item.what for item in workspace_items(config) if item.id == "issues"]
    assert told.endswith(f"the newest is {newest}")


def test_a_new_issue_is_a_copy_of_the_latest_by_date(tmp_path: Path) -> None:
    config = workspace(tmp_path, a_special="date: 2026-02-20")

    (config.root / "issues/a-special/only-here.md").touch()

    created = new_issue(config, "2026-03", source=None, issue_date=None, today=date(2026, 2, 21))

    assert (created / "only-here.md").exists()


@pytest.mark.parametrize(
    ("day", "told"),
    [
        ("date: 2026-02-18", True),
        ("date: 2026-02-19", True),
        ("date: 2026-02-20", False),  # the later issue has the warning
        ("date: soon", False),
    ],
)
def test_a_subject_is_compared_with_those_of_issues_up_to_its_date(tmp_path: Path, day: str, *, told: bool) -> None:
    config = workspace(tmp_path, other=day)

    findings = compose_issue(config, require_issue(config, "2026-02")).findings

    assert [finding.what for finding in findings if finding.rule == "S17"] == [
        "the subject is the same as that of the issue other"
    ] * told


@pytest.mark.parametrize("spelled", ["NFC", "NFD"])
@pytest.mark.parametrize("name", ["März", "会場-号", "हिन्दी"])
def test_an_issue_its_sections_and_images_may_have_names_in_any_script(
    tmp_path: Path, name: str, spelled: Literal["NFC", "NFD"]
) -> None:
    stored, image = normalize(spelled, name), BytesIO()
    Image.new("RGB", (8, 8)).save(image, "PNG")
    text = f"---\ntype: text\n---\n![A hill](images/{quote(name)}.png) and ![A cup](<images/{name}#2.png>)\n"
    files = {
        "issue.yaml": ISSUE.replace("letter", name),
        f"{stored}.md": text,
        f"images/{stored}.png": image.getvalue(),
        f"images/{stored}#2.png": image.getvalue(),
    }
    config = load_config(write_workspace(tmp_path, {f"issues/2026-02/{path}": text for path, text in files.items()}))

    new_issue(config, f"{name}-2027", source=None, issue_date=None, today=date(2026, 2, 21))
    folder = require_issue(config, normalize("NFD", f"{name}-2027"))
    composed = compose_issue(config, folder)

    assert folder.name == normalize("NFC", f"{name}-2027")
    assert [section.name for section in composed.issue.sections] == [normalize("NFC", name)]
    assert len(composed.rendered.pictures) == 2
    assert all(picture.name.isascii() and picture.name[0].isalnum() for picture in composed.rendered.pictures)


def test_a_problem_with_an_image_is_told_at_its_line_whatever_its_letters(tmp_path: Path) -> None:
    text = "---\ntype: text\n---\n![A hill](images/会場.png)\n\n![A cup](images/本部.png)\n"
    image = BytesIO()
    Image.new("RGB", (300, 200)).save(image, "PNG")  # too few pixels for the width of the text
    small = BytesIO()
    Image.new("RGB", (8, 8)).save(small, "PNG")
    files = {"letter.md": text, "images/会場.png": small.getvalue(), "images/本部.png": image.getvalue()}
    config = load_config(write_workspace(tmp_path, {f"issues/2026-02/{path}": text for path, text in files.items()}))

    composed = compose_issue(config, require_issue(config, "2026-02"))

    lines = [finding.place.line for finding in composed.findings if finding.rule == "S12"]
    assert lines == [4, 6]


@pytest.mark.parametrize("line", ["id: 2026-january\n", "id : '2026-january'  # renamed\n", "id: 2026-january\r\n"])
def test_a_new_issue_does_not_have_the_former_name_of_the_copied_one(tmp_path: Path, line: str) -> None:
    config = workspace(tmp_path)
    path = config.root / "issues/2026-02/issue.yaml"
    path.write_bytes((line + ISSUE).encode())

    created = new_issue(config, "2026-03", source=None, issue_date=date(2026, 2, 19), today=date(2026, 2, 19))

    assert (created / "issue.yaml").read_bytes() == ISSUE.encode()
    assert path.read_bytes().startswith(b"id")


def test_an_issue_that_is_not_utf8_can_be_copied(tmp_path: Path) -> None:
    config = workspace(tmp_path)
    path = config.root / "issues/2026-02/issue.yaml"
    path.write_bytes(ISSUE.replace("small", "kleine, schöne").encode("latin-1").replace(b"\n", b"\r\n"))

    created = new_issue(config, "2026-03", source=None, issue_date=date(2026, 3, 5), today=date(2026, 2, 21))

    assert b"\r\ndate: 2026-03-05\r\n" in (created / "issue.yaml").read_bytes()
