"""Keys: some read a line of Markdown, all others say so when they find some."""

from pathlib import Path

import pytest

from newsletter.content.keys import read_line, read_plain
from newsletter.errors import FaultError
from newsletter.model.prose import ProseLine
from tests.content.test_loader import issue_with, load, mistakes
from tests.workspaces import ISSUE, write_workspace


@pytest.mark.parametrize(
    ("text", "write"),
    [
        ("A **bold** title &amp; more", '"A bold title & more"'),
        ("Evening of `poems`", '"Evening of poems"'),
        ("with _Noor_", '"with Noor"'),
        ("[Zoom](https://www.example.org/zoom) or the hall", '"Zoom or the hall"'),
        ("Ana &mdash; Lima", '"Ana — Lima"'),
        ("<b>Director</b>", '"Director"'),
        ("one<br>two", '"one two"'),
        ("~~old~~ new", '"old new"'),
        ("![x](images/x.png)", '"x"'),
        ("[Hola]{lang=es}", '"Hola"'),
        ("**open", "delete the signs"),
        ("it`s", "delete the signs"),
        ("# News", "delete the signs"),
    ],
)
def test_a_key_that_takes_only_words_says_what_to_write(text: str, write: str) -> None:
    with pytest.raises(FaultError) as caught:
        read_plain(text)
    assert "this key takes only words" in caught.value.what
    assert write in caught.value.remedy


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("5 * 3 [sic] #MeToo 1. First - R&D & AT&T; 10_000", "5 * 3 [sic] #MeToo 1. First - R&D & AT&T; 10_000"),
        (r"\*\*starred\*\* \<b> \`x\`", "**starred** <b> `x`"),
        ("see https://www.example.org/?a=1&copy=2", "see https://www.example.org/?a=1&copy=2"),
        (r"C:\temp", r"C:\temp"),
        ("自分への**思いやり"[:5], "自分への*"),
    ],
)
def test_words_stay_and_a_backslash_means_the_sign(text: str, words: str) -> None:
    assert read_plain(text) == words


def test_a_prose_key_reads_emphasis_and_links() -> None:
    line = read_line("Dear *friends*, see [our page](https://www.example.org/p) &mdash; now")
    assert isinstance(line, ProseLine)
    assert line == "Dear friends, see our page — now"
    assert [link.url for link in line.prose.links] == ["https://www.example.org/p"]
    assert type(read_line("Dear friends,")) is str


@pytest.mark.parametrize("text", ["**open", "[a](b c)", "<i>x</i>", "![x](images/x.png)"])
def test_a_prose_key_refuses_what_readers_would_see(text: str) -> None:
    with pytest.raises(FaultError):
        read_line(text)


EVENT = """\
---
title: A workshop
notes:
  - label: Ideal for
    text: "all, see [the list](https://www.example.org/list)<br>and more"
location: "[Zoom](https://www.example.org/zoom)"
---
"""


def test_each_mistake_is_at_its_key(tmp_path: Path) -> None:
    files = {
        "issues/2026-02/issue.yaml": issue_with("letter", "events").replace("A small letter\n", '"A &mdash; letter"\n'),
        "issues/2026-02/letter.md": '---\ngreeting: "Dear *friends*,"\nclosing: "Yours **ever"\n---\nWords.\n',
        "issues/2026-02/events/index.md": "---\ntitle: Events\n---\n",
        "issues/2026-02/events/a.md": EVENT,
    }
    told = mistakes(write_workspace(tmp_path, files))
    assert [each.partition(": ")[0] for each in told] == [
        "issues/2026-02/events/a.md:6",
        f"issues/2026-02/issue.yaml:{1 + ISSUE.splitlines().index('title: A small letter')}",
        "issues/2026-02/letter.md:3",
    ]
    assert 'write "Zoom"' in told[0]


def test_comments_in_keys_and_text_go_with_their_fields(tmp_path: Path) -> None:
    letter = (
        '---\ngreeting: "Dear <!-- whom? --> friends,"\n---\nWords. <!-- {{ old_field }} {% if %} -->\n\n'
        "<!-- internal:\n\nremove this -->\nMore **words**.\n"
    )
    issue = load(write_workspace(tmp_path, {"issues/2026-02/letter.md": letter}))
    section = issue.sections[0]
    assert getattr(section.fields, "greeting") == "Dear  friends,"  # noqa: B009 - only letters have it
    assert issue.merge_fields == ()
    assert not any("<!--" in token.content for token in section.prose.tokens)


def test_a_comment_that_never_ends_is_an_error(tmp_path: Path) -> None:
    (told,) = mistakes(write_workspace(tmp_path, {"issues/2026-02/letter.md": "Words.\n\n<!-- internal\nMore.\n"}))
    assert told.startswith("issues/2026-02/letter.md:3: a comment begins with <!-- but never ends")


def test_a_message_shows_a_merge_field_as_it_is_written(tmp_path: Path) -> None:
    letter = "![Portrait](images/{{ first_name }}.png) and **{{ first_name | default('you') }}\n"
    told = mistakes(write_workspace(tmp_path, {"issues/2026-02/letter.md": letter}))
    assert not any("mfq" in each for each in told)
    assert any("images/{{ first_name }}.png" in each for each in told)
    assert any('**{{ first_name | default("you") }}' in each for each in told)


def test_an_entity_in_an_address_is_an_error(tmp_path: Path) -> None:
    letter = "---\nbutton: {label: Go, url: 'https://www.example.org/?a=1&amp;b=2'}\n---\nWords.\n"
    (told,) = mistakes(write_workspace(tmp_path, {"issues/2026-02/letter.md": letter}))
    assert told.endswith("write https://www.example.org/?a=1&b=2")
