"""The steps for mail apps as data: what ships is whole, a workspace's own is laid over it, and mistakes name a line."""

import re
from pathlib import Path

import pytest

from newsletter.config import load_config
from newsletter.content.loader import load_issue
from newsletter.errors import MistakesError
from newsletter.language.catalogue import spoken_languages
from newsletter.model.issue import Issue
from newsletter.model.mailbox import MailApp
from tests.steps import steps_file
from tests.workspaces import CONFIG, ISSUE, write_workspace

TIPS_ISSUE = ISSUE + "  - tips\n"
ENGLISH = steps_file()


def load(root: Path, front_matter: str, *, language: str = "", files: dict[str, str] | None = None) -> Issue:
    written = {
        "issues/2026-02/issue.yaml": TIPS_ISSUE + (f"language: {language}\n" if language else ""),
        "issues/2026-02/tips.md": f"---\ntitle: Find us\n{front_matter}\n---\nWords.\n",
        **(files or {}),
    }
    write_workspace(root, written)
    return load_issue(load_config(root), root / "issues/2026-02")


def mistakes(root: Path, front_matter: str, *, language: str = "", files: dict[str, str] | None = None) -> list[str]:
    with pytest.raises(MistakesError) as caught:
        load(root, front_matter, language=language, files=files)
    return [str(mistake) for mistake in caught.value.mistakes]


@pytest.mark.parametrize("language", spoken_languages())
def test_every_app_has_steps_in_every_language(tmp_path: Path, language: str) -> None:
    english = load(tmp_path / "en", "show: all").tips
    tips = load(tmp_path / language, "show: all", language=language).tips
    assert tips is not None
    assert english is not None
    for app in MailApp:
        assert len(tips.of(app).steps) == len(english.of(app).steps) >= 2


def test_a_region_takes_the_steps_of_its_language(tmp_path: Path) -> None:
    brazil, portuguese = (load(tmp_path / name, "show: own", language=name) for name in ("pt-BR", "pt"))
    assert brazil.tips == portuguese.tips


def test_nothing_is_read_where_nothing_is_shown(tmp_path: Path) -> None:
    assert load(tmp_path, "overline: Words alone", language="fi").tips is None


def test_a_file_of_the_workspace_is_laid_over_the_built_in_one(tmp_path: Path) -> None:
    ours = {"templates/tips/en.yaml": ENGLISH.replace("Apple Mail", "Mail on the Mac")}
    issue = load(tmp_path, "show: all", files=ours)
    assert issue.tips is not None
    assert issue.tips.apple_mail.title == "Mail on the Mac"


def test_a_language_without_steps_is_a_mistake_that_names_those_with(tmp_path: Path) -> None:
    (told,) = mistakes(tmp_path, "show: all", language="fi")
    assert told.startswith("issues/2026-02/tips.md:3: the theme has no steps in the issue's language, fi; ")
    assert "create the file templates/tips/fi.yaml, or write your own steps below `cards:`" in told
    assert f"the theme has steps in {', '.join(spoken_languages())}" in told


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        (ENGLISH.replace("title: Outlook", "titel: Outlook"), "unknown key 'outlook › titel'; did you mean title?"),
        (ENGLISH.partition("yahoo:")[0], "yahoo is missing; add the line `yahoo: …`"),
        (ENGLISH + "hotmail:\n  title: Hotmail\n", "unknown key 'hotmail'; "),
        (
            ENGLISH.replace("looked_at: 2026-11-23", "looked_at: 2026-02-30", 1),
            "'2026-02-30' is not a date that exists",
        ),
        (
            ENGLISH.replace("Choose “Move”.", "Choose {{ first_name }}."),
            "the merge field {{ first_name }} does not work in steps; delete it",
        ),
        (
            ENGLISH.replace("  title: Apple Mail\n", "  title: Apple Mail\n title: x\n"),
            "the line is indented by 1 space",
        ),
    ],
)
def test_a_mistake_in_a_file_of_steps_names_its_line(tmp_path: Path, changed: str, expected: str) -> None:
    told = mistakes(tmp_path, "show: all", files={"templates/tips/en.yaml": changed})
    assert any(re.match(r"templates/tips/en\.yaml(:\d+)?: ", mistake) and expected in mistake for mistake in told), told


CARDS = "cards:\n  - title: Ours\n    steps: [Do it.]"


@pytest.mark.parametrize(
    ("front_matter", "line", "expected"),
    [
        (f"show: all\n{CARDS}", 4, "`show` already adds the theme's steps; delete either `cards` or `show`"),
        (f"{CARDS}\napps: [yahoo]", 6, "`cards` are your own; delete `apps`"),
        ("apps: [yahoo]", 3, "which are not shown; add `show: all`"),
        (
            "show: own\napps: [yahoo]",
            4,
            "with `show: own` each reader sees the steps for their own mailbox; delete `apps`, or write `show: all`",
        ),
        ("show: all\napps: [yahoo, other, yahoo]", 4, "yahoo is listed twice; delete one of them"),
        (
            "show: all\napps:\n  - yahoo\n  - hotmail",
            6,
            "'hotmail' is not valid; write 'gmail-phone', 'gmail-desktop'",
        ),
        ("show: mine", 3, "show: 'mine' is not valid; write 'all' or 'own'"),
    ],
)
def test_keys_that_exclude_each_other_are_a_mistake(
    tmp_path: Path, front_matter: str, line: int, expected: str
) -> None:
    (told,) = mistakes(tmp_path, front_matter)
    assert told.startswith(f"issues/2026-02/tips.md:{line}: ")
    assert expected in told


def only_for(*segments: str) -> dict[str, str]:
    entries = "".join(f"  - section: for-{name}\n    only: {name}\n" for name in segments)
    expressions = "".join(f"{name} = 'tagged(\"{name}\")'\n" for name in segments)
    return {
        "newsletter.toml": CONFIG.replace("[reviewers]", f"{expressions}\n[reviewers]"),
        "issues/2026-02/issue.yaml": TIPS_ISSUE + entries,
        **{f"issues/2026-02/for-{name}.md": "---\ntype: text\n---\nWords.\n" for name in segments},
    }


def test_many_segments_may_differ_where_mailboxes_do_too(tmp_path: Path) -> None:
    segments = tuple("abcdefgh")
    issue = load(tmp_path, "show: own", files=only_for(*segments))
    assert (issue.only_segments, issue.differs_by_mailbox) == (segments, True)
