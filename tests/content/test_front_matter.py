"""The lines around the settings of a Markdown file: what is right, and each wrong line told where it stands."""

from pathlib import Path

import pytest

from newsletter.config import load_config
from newsletter.content.front_matter import FenceFault, FrontMatter, find_front_matter
from newsletter.content.loader import load_issue
from newsletter.errors import MistakesError
from tests.workspaces import write_workspace

LETTER = "issues/2026-02/letter.md"


def told(text: str) -> str:
    found = find_front_matter(text.split("\n"))
    assert isinstance(found, FenceFault), found
    return f"{found.index + 1}: {found.fault}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # not on line 1
        (
            "\n---\ntitle: Spring\n---\nWords\n",
            "2: there is a blank line above the dashes that begin the settings; delete",
        ),
        (" \n\t\n---\nauthor: Ana\n---\nWords\n", "3: there are 2 blank lines above the dashes that begin"),
        ("\u200b\n---\ntitle: Spring\n---\n", "2: there is a blank line above"),
        (
            "# Spring\n\n---\ntitle: Spring\n---\nWords\n",
            "3: the settings that begin at these dashes are not at the top",
        ),
        (
            "<!-- a note -->\n---\ntitle: Spring\nbutton:\n  label: Go\n---\n",
            "2: the settings that begin at these dashes",
        ),
        ("---\ntitle: A\n---\nWords\n\n---\ntitle: B\n---\n", "6: the settings that begin at these dashes"),
        # not three dashes
        (
            "--\ntitle: Spring\n---\nWords\n",
            "1: the line that should begin the settings has 2 dashes instead of three; write",
        ),
        ("----\ntitle: Spring\n----\n", "1: the line that should begin the settings has 4 dashes instead of three"),
        ("-\ntitle: Spring\n-\n", "1: the line that should begin the settings has 1 dash instead of three"),
        ("—\ntitle: Spring\n—\n", "1: the settings begin with “—” instead of three dashes; write three dashes"),
        ("—-\ntitle: Spring\n---\n", "1: the settings begin with “—-” instead of three dashes"),
        ("- - -\nauthor: Ana\n- - -\n", "1: the settings begin with “- - -” instead of three dashes"),
        ("–––\ntitle: Spring\n---\n", "1: the settings begin with “–––” instead of three dashes"),
        ("***\ntitle: Spring\n***\n", "1: the settings begin with “***” instead of three dashes"),
        ("===\ntitle: Spring\n===\n", "1: the settings begin with “===” instead of three dashes"),
        ("\\---\ntitle: Spring\n\\---\n", "1: the settings begin with “\\---” instead of three dashes"),
        ('"---"\ntitle: Spring\n---\n', '1: the settings begin with “"---"” instead of three dashes'),
        ("--- yaml\ntitle: Spring\n---\n", "1: the settings begin with “--- yaml” instead of three dashes"),
        (" ---\ntitle: Spring\n---\n", "1: there is a space before the dashes that begin the settings"),
        ("\u00a0---\ntitle: Spring\n---\n", "1: there is a space before the dashes that begin the settings"),
        ("\ufeff---\ntitle: Spring\n---\n", "1: there is an invisible character beside the dashes that begin"),
        (
            '+++\ntitle = "Spring"\n+++\n',
            "1: the settings begin with “+++”",
        ),
        ("+++\ntitle = Spring\n+++\n", "1: the settings begin with “+++”"),
        (
            "--- # about spring\ntitle: Spring\n---\n",
            "1: the settings begin with “--- # about spring” instead of three dashes",
        ),
        (
            "---title: Spring\n---\nWords\n",
            "1: the settings begin on the same line as the dashes: “---title: Spring”",
        ),
        ("—- title: Spring\n—\nWords\n", "1: the settings begin on the same line as the dashes"),
        (
            "```yaml\ntitle: Spring\n```\nWords\n",
            "1: the settings are in a code block that begins with ```yaml",
        ),
        ("```\n---\ntitle: Spring\n---\n```\nWords\n", "1: the settings are in a code block"),
        (
            '{ "title": "Spring" }\nWords\n',
            "1: the settings are in braces; delete the braces and commas, and",
        ),
        ('{\n  "title": "Spring",\n}\nWords\n', "1: the settings are in braces"),
        # no opening line
        (
            "title: Spring\nbutton: none\n---\nWords\n",
            "1: the settings that begin with “title: Spring” have no line of dashes above",
        ),
        (
            "\n\ntype: text\ntitle: Spring\n\nWords\n",
            "3: the settings that begin with “type: text” have no line of dashes",
        ),
        (
            "Title: Spring\nButton: none\n---\n",
            "1: the settings that begin with “Title: Spring” have no line of dashes",
        ),
        # the closing line
        ("---\ntitle: Spring\n----\nWords\n\n---\nMore\n", "3: the line that should end the settings has 4 dashes"),
        ("---\ntitle: Spring\n--\nWords\n", "3: the line that should end the settings has 2 dashes"),
        ("---\ntitle: Spring\n—\nWords\n", "3: the settings end with “—” instead of three dashes"),
        ("---\ntitle: Spring\n ---\nWords\n", "3: there is a space before the dashes that end the settings"),
        ("---\ntitle: Spring\n...\nWords\n", "3: the settings end with “...” instead of three dashes"),
        ("---\nbutton:\n  label: Go\n+++\nWords\n", "4: the settings end with “+++” instead of three dashes"),
        (
            "---\ntitle: Spring\n\nWords of text.\n\n---\nMore\n",
            "4: the settings have no closing line above “Words of text.”",
        ),
        ("---\ntitle: Spring\nWords\n", "1: the settings at the top have no closing line"),
    ],
)
def test_a_wrong_line_around_the_settings_is_told_at_its_place(text: str, expected: str) -> None:
    assert told(text).startswith(expected)


def test_the_remedy_for_settings_of_another_kind_repeats_their_text() -> None:
    remedy = "write --- above and below the settings, and a colon in place of =: "
    assert told('+++\ntitle = "Spring"\n+++\n').endswith(f'{remedy}title: "Spring"')
    assert told("+++\ntitle = Spring #1\n+++\n").endswith(f'{remedy}title: "Spring #1"')


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("---\ntitle: Spring\n---\nWords\n", 2),
        ("--- \n---\t\nWords\n", 1),
        ("---\ntext: >-\n  one\n  ----\n  two\n---\nWords\n", 5),
        ("---\ntitle: a\n\n# a note\n\nsteps:\n\n- one\n---\nWords\n", 8),
        ("---\nsteps:\n-\n  one\n- two\n---\nWords\n", 5),
        ("---\ntitle: Spring\n---\n\n---\n\nWords: are here\n\n---\n", 2),
        ("---\ntitle: Spring\n---\n```\n---\ntitle: code\n---\n```\n", 2),
        ("---\ntitle: Spring\n---\ntitle: what this word means\n", 2),
    ],
)
def test_the_settings_end_at_the_next_line_of_dashes(text: str, end: int) -> None:
    assert find_front_matter(text.split("\n")) == FrontMatter(end)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Words\n",
        "Spring\n---\n\nWords\n",
        "Notes: a summary\n---\n\nWords\n",
        "Notes: we met, and it was good.\n",
        "***\n\nWords: are here\n\n***\n",
        "- title: x\n\nWords\n",
        "```\nprint(1)\n```\n",
        "{{ first_name }}, hello\n",
        "— a dash: and words\n",
        "----\n\nWords\n\n----\n",
        "Words\n\n---\n\nMore words\n\n---\nNote: this is a line\n---\n",
        "- title: x\n- y\n",
        "—\nAna Lima\n",
        "\\title: this word stands for itself\n",
    ],
)
def test_text_without_settings_is_text(text: str) -> None:
    assert find_front_matter(text.split("\n")) is None


@pytest.mark.parametrize("name", ["letter.md", "events/one.md"])
def test_settings_with_a_wrong_line_are_never_printed(tmp_path: Path, name: str) -> None:
    issue = "subject: S\npreheader: P\ntitle: T\ndate: 2026-02-19\nsections: [letter, events]\n"
    event = "---\ntitle: A walk\n---\n"
    files = {"issue.yaml": issue, "events/index.md": "Words\n", "events/one.md": event, "letter.md": "Words\n"}
    files[name] = "\n---\ntitle: Spring\n---\n"
    root = write_workspace(tmp_path, {f"issues/2026-02/{name}": text for name, text in files.items()})

    with pytest.raises(MistakesError) as caught:
        load_issue(load_config(root), root / "issues/2026-02")

    (mistake,) = caught.value.mistakes
    assert mistake.place == f"issues/2026-02/{name}:2"
    assert mistake.what == "there is a blank line above the dashes that begin the settings"
