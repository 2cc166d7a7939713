"""Settings as writers type them: what is kept as it was written, and how each mistake is reported."""

from typing import get_type_hints

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from newsletter.content.yaml_mistakes import PROSE_KEYS
from newsletter.content.yaml_reader import MOST_LEVELS, read_yaml_text
from newsletter.model.issue_fields import (
    SECTION_TYPES,
    Card,
    Deadline,
    EventFields,
    Hint,
    IssueFields,
    LinkFields,
    Note,
    Phrase,
    PlainText,
    ProseText,
    Signature,
    Video,
)
from newsletter.model.values import OneLine


def told(text: str, *, first_line: int = 1) -> list[str]:
    tree = read_yaml_text(text, first_line=first_line)
    return [f"{mistake.line}: {mistake.what}; {mistake.remedy}" for mistake in tree.mistakes]


@pytest.mark.parametrize(
    "written", ["12:30", "No", "on", "1.10", "0x1F", "1_000", "20260225", "2026-02-30", "012", ".inf", "Null", "="]
)
def test_a_value_without_quotes_stays_as_it_was_written(written: str) -> None:
    assert read_yaml_text(f"a: {written}\nb: [{written}]\n").data == {"a": written, "b": [written]}


@pytest.mark.parametrize("written", ["", "~", "null", "  # to be written"])
def test_a_key_without_a_value_has_none(written: str) -> None:
    assert read_yaml_text(f"a: {written}\nb: c\n").data == {"a": None, "b": "c"}


def test_every_key_with_text_for_readers_is_known_as_one() -> None:
    models = [IssueFields, EventFields, Signature, Video, Card, Note, Deadline, LinkFields, Phrase, Hint]
    models += [each.fields for each in SECTION_TYPES.values()]
    texts = [each for kind in (OneLine, PlainText, ProseText) for each in (kind, kind | None)]
    hints = [get_type_hints(model, include_extras=True) for model in models]
    named = {name for each in hints for name, hint in each.items() if hint in texts}

    assert named == PROSE_KEYS


def test_each_key_and_item_has_its_line() -> None:
    tree = read_yaml_text("# a comment\nbutton:\n  label: Go\nitems: [a, b]\nsteps:\n  - one\n  - two\n", first_line=2)

    assert tree.lines[("button",)] == 3
    assert tree.lines[("button", "label")] == 4
    assert tree.lines[("items", 1)] == 5
    assert tree.lines[("steps", 1)] == 8


def test_a_line_is_one_of_the_editors_whatever_else_breaks_lines() -> None:
    assert read_yaml_text('a: "b\u2028c\x85d"\ne: f\n').lines[("e",)] == 2


@pytest.mark.parametrize(
    "text",
    [
        "date: 2026-02-19 # the third Thursday\n",
        "only: teachers  # as agreed with Noor\n",
        "title: A letter  # to be shortened\n",
        'title: "A letter" # to be shortened\n',
        "sections: # in this order\n  - letter\n",
        "text: >-\n  one #1\n  two: three\n  @four\n",
        'title: "C#1 #2"\n',
        "title: C#1\n",
        "title: the “Primary” tab, and the “Junk” tab\n",
        "title: “Rest” and “Sleep”\n",
        "steps:\n- one\n- two\ntitle: It's here\n",
        "title: one\n  and two\n",
    ],
)
def test_what_is_right_has_no_mistake(text: str) -> None:
    tree = read_yaml_text(text)
    assert tree.mistakes == ()
    assert tree.data == yaml.load(text, Loader=yaml.BaseLoader)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # a tab as indentation
        (
            "button:\n\tlabel: Go\n  url: x\n",
            ["2: the line is indented with a tab; use ordinary spaces: `  label: Go`"],
        ),
        ("sections:\n  - a\n\t- b\n", ["3: the line is indented with a tab; use ordinary spaces: `  - b`"]),
        # spaces that do not count
        (
            "button:\n\u00a0\u00a0label: Go\n",
            ["2: the line is indented with non-breaking spaces; use ordinary spaces: `  label: Go`"],
        ),
        (
            "sections:\n\u3000- a\n",
            ["2: the line is indented with special spaces (U+3000); use ordinary spaces: `  - a`"],
        ),
        # signs
        ("title: @home\n", ['1: the text of title begins with @; put it in quotes: title: "@home"']),
        ("title: *Free*\n", ['1: the text of title begins with *; put it in quotes: title: "*Free*"']),
        ("title: *Free* entry\n", ['1: the text of title begins with *; put it in quotes: title: "*Free* entry"']),
        ("title: 50 %\nbadge: % off\n", ['2: the text of badge begins with %; put it in quotes: badge: "% off"']),
        ("title: & more\n", ['1: the text of title begins with &; put it in quotes: title: "& more"']),
        ("title: !Hola!\n", ['1: the text of title begins with !; put it in quotes: title: "!Hola!"']),
        ("title: `code`\n", ['1: the text of title begins with `; put it in quotes: title: "`code`"']),
        ("title: > 20 people\n", ['1: the text of title begins with >; put it in quotes: title: "> 20 people"']),
        ("title: [News] May\n", ['1: the text of title begins with [; put it in quotes: title: "[News] May"']),
        ("title: {{ first_name }}, hi\n", ["1: the text of title begins with {{; put it in quotes: title: "]),
        (
            "steps:\n  - @home\n  - *b\n",
            ['2: the text begins with @; put it in quotes: - "@home"', "3: the text begins"],
        ),
        # curly quotes
        (
            "title: “Rest: now”\n",
            ['1: the text of title is in curly quotes; write straight quotes: title: "Rest: now"'],
        ),
        ("title: “Rest”\n", ['1: the text of title is in curly quotes; write straight quotes: title: "Rest", or']),
        ('title: "Rest”\nb: c\n', ['1: the text of title is in curly quotes; write straight quotes: title: "Rest"']),
        # an apostrophe, and other quotes in quotes
        ("title: 'It's here'\n", ["1: an apostrophe ends the text of title", 'write title: "It\'s here"']),
        ("title: 'Tis time\nb: c\n", ["1: the quotes that begin here are never closed", 'title: "\'Tis time"']),
        ('title: "She said "hi""\n', ["1: the text of title continues", "title: 'She said \"hi\"'"]),
        ('title: "Rest" and sleep\n', ["1: the text of title continues", "title: '\"Rest\" and sleep'"]),
        ('title: "Rest\nb: c\n', ["1: the quotes that begin here are never closed; close them", 'title: "Rest"']),
        ('title: "C:\\dir"\n', ["1: the text of title has a backslash", "title: 'C:\\dir'"]),
        # colons
        ("title: Rest: a gift\n", ['1: the text of title contains a colon; put it in quotes: title: "Rest: a gift"']),
        ("title:Rest\nb: c\n", ["1: there is no space after the colon of title; write title: Rest"]),
        ("title：Rest\nb: c\n", ["1: title is followed by ： instead of a colon; write title: Rest"]),
        ('a: b\ntitle = "Rest"\n', ['2: title is followed by = instead of a colon; write title: "Rest"']),
        ("a: b\ntitle Rest\nc: d\n", ["2: the line has no colon after title; write title: Rest"]),
        # indentation
        (
            "button:\n   label: a\n  url: b\n",
            ["3: the line is indented by 2 spaces, but line 2 by 3 spaces", "`   url: b`"],
        ),
        ("sections:\n  - a\n - b\n", ["3: the line is indented by 1 space, but line 2 by 2 spaces", "`  - b`"]),
        ("a: b\n  c: d\n  e: f\n", ["2: the line is indented by 2 spaces, but line 1 by no spaces", "`c: d`"]),
        ("  a: b\nc: d\n", ["1: the line is indented by 2 spaces, but line 2 by no spaces; remove the spaces"]),
        ("- a: b\n   c: d\n- e: f\n", ["2: the line is indented by 3 spaces, but line 1 by 2 spaces", "`  c: d`"]),
        # text cut off
        (
            "title: Our #1 wish\n",
            ['1: the text of title is cut off at “#1 wish”; put it in quotes: title: "Our #1 wish"'],
        ),
        ("title: #1 wish\n", ['1: the text of title is cut off at “#1 wish”; put it in quotes: title: "#1 wish"']),
        ("title: We are # 1\n", ['title: "We are # 1", or move the comment to its own line: # 1']),
        ("steps: [Be #1, rest]\nb: c\n", ['1: the text is cut off at “#1”; put it in quotes: "Be #1"']),
        ("title: one\n  two #3\n  four\n", ["2: the text of title is cut off at “#3”"]),
        # what else ends a text or a list
        (
            "a: {text: One, two}\n",
            ['1: “two” in the braces has no colon; put text that contains a comma in quotes: text: "One, two"'],
        ),
        ("a: [b, c\nd: e\n", ["1: the bracket [ that begins here is never closed; write ] after the last item"]),
        ("a: b\na: c\n", ["2: the key 'a' appears twice, first on line 1; delete one of them"]),
        ("a: b\n---\nc: d\n", ["2: the settings end at this line of dashes; delete this line"]),
        ("- a\n- b\n", ["1: the file is a list; write lines with a colon"]),
        ("sections:\n  - a\n  • b\nc: d\n", []),
        ("a: b\n• c\n", ["2: the item begins with •; begin it with a dash: - c"]),
        ("a: b\ufeffc\n", ["1: the line contains the invisible character U+FEFF; delete it"]),
        # a single word, and what follows it
        (
            "title: spring # and summer\n",
            ['1: the text of title is cut off at “# and summer”; put it in quotes: title: "spring'],
        ),
        ("subject: On # 1\n", ['1: the text of subject is cut off at “# 1”; put it in quotes: subject: "On # 1"']),
        # signs alone, and escapes without their digits
        ("title: -\nb: c\n", ['1: the text of title begins with -; put it in quotes: title: "-"']),
        ("title: ?\nb: c\n", ['1: the text of title begins with ?; put it in quotes: title: "?"']),
        (
            'title: "C:\\x"\n',
            ["1: the text of title has a backslash in double quotes", "title: 'C:\\x'"],
        ),
        ('title: "C:\\users"\n', ["1: the text of title has a backslash", "title: 'C:\\users'"]),
        # curly quotes around only a part
        ("title: “Rest”: now\n", ['1: the text of title contains a colon; put it in quotes: title: "“Rest”: now"']),
        # line breaks that no editor shows
        ("title: a\u2028b\nc: d\n", ["1: the line contains an invisible line break (U+2028); delete it before “b”"]),
        ("a: b\ntitle: c\x85d\n", ["2: the line contains an invisible line break (U+0085); delete it before “d”"]),
        # several at once
        ("a: @b\nc: d: e\nf: 'g's'\n", ['a: "@b"', 'c: "d: e"', 'f: "g\'s"']),
        ("a: b #1 c\nd: @e\n", ['a: "b #1 c"', 'd: "@e"']),
    ],
)
def test_a_mistake_is_told_at_its_line_with_the_text_to_write(text: str, expected: list[str]) -> None:
    mistakes = told(text)
    assert all(any(words in mistake for mistake in mistakes) for words in expected), mistakes
    assert not any("scan" in mistake or "token" in mistake or "mapping" in mistake for mistake in mistakes)


@pytest.mark.parametrize(
    "text",
    [
        "x: " + "[" * 200_000,
        "x: " + "{" * 200_000,
        "x: " + "[" * 900 + "]" * 900,
        "".join(f"{' ' * depth}a:\n" for depth in range(500)),
        "- " * 100_000,
        "a: &a [*a]\n",
        "".join(f"a{number}: &a{number} [*a{number}, *a{number}]\n" for number in range(30)),
        "title: !!bool foo\nb: !!int ''\nc: !!timestamp foo\n",
        "? a\n? [b]\n",
        "x: [" + "a," * 50_000 + "]",
        "x: [" + "*a," * 50_000 + "]",
        "@a\n" * 50_000,
        "a: b: c\n" * 50_000,
        "x: '" + "a\n" * 50_000,
    ],
)
def test_no_file_can_crash_or_hold_up_the_reader(text: str) -> None:
    assert 1 <= len(told(text)) <= 60


def test_a_list_may_be_as_deep_as_anybody_needs() -> None:
    depth = MOST_LEVELS - 1
    assert read_yaml_text(f"a: {'[' * depth}b{']' * depth}").mistakes == ()


PIECES = st.sampled_from(
    [
        *(
            "a: ",
            "b",
            "- ",
            "  ",
            "\n",
            "\t",
            "\u00a0",
            "“",
            "”",
            "'",
            '"',
            " #",
            "#1",
            ": ",
            "@",
            "*",
            "&",
            "!",
            "{",
            "}",
        ),
        *("[", "]", ",", "|", ">", "%", "`", "\\", "---\n", "{{ x }}", "：", "\u2028", "\x85", "?", "..."),
    ]
)


@given(text=st.one_of(st.text(max_size=200), st.lists(PIECES, max_size=40).map("".join)), first_line=st.integers(1, 9))
def test_any_text_is_read_or_told_at_a_line_of_the_file(text: str, first_line: int) -> None:
    tree = read_yaml_text(text, first_line=first_line)
    last_line = first_line + text.rstrip().count("\n")
    assert all(first_line <= mistake.line <= last_line for mistake in tree.mistakes)
    assert all("\n" not in mistake.what + mistake.remedy for mistake in tree.mistakes)
    assert all(first_line <= line <= last_line for line in tree.lines.values())
    assert tree.data is not None or tree.mistakes


@given(text=st.lists(PIECES, max_size=40).map("".join))
def test_what_is_read_without_a_mistake_is_what_yaml_says(text: str) -> None:
    tree = read_yaml_text(text)
    if not tree.mistakes and tree.data is not None:
        assert without_nothing(tree.data) == without_nothing(yaml.load(text, Loader=yaml.CBaseLoader) or {})


def without_nothing(value: object) -> object:
    if isinstance(value, dict):
        return {key: without_nothing(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [without_nothing(inner) for inner in value]
    return "" if value in {None, "~", "null"} else value
