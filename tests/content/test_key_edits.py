"""Changing single keys of YAML: the value is changed, and every other character stays."""

import difflib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.content.key_edits import values_of, with_keys
from newsletter.errors import InputError, Location

KEYS = """\
# what the letter says
title: A letter   # keep me
greeting: "Dear {{ first_name }},"
signature:
  name: Ana
  # how she signs
  role: 'Director'

notes:
  - label: Ideal for
    text: All
  - label: Two
    text: More
button: { label: Read, url: https://example.org }
topics:
  - first   # the main one
  - second
empty:
prose: |
  Several
  lines
last: "x"
"""


def changed_lines(before: str, after: str) -> list[str]:
    """The lines that were taken away and added, as a diff shows them."""
    lines = difflib.unified_diff(before.split("\n"), after.split("\n"), lineterm="", n=0)
    return [line for line in lines if line[0] in "+-" and line[:3] not in {"+++", "---"}]


@pytest.mark.parametrize(
    ("location", "value", "expected"),
    [
        (("title",), "News", ["-title: A letter   # keep me", "+title: News   # keep me"]),
        (("title",), "News: # 1", ["-title: A letter   # keep me", '+title: "News: # 1"   # keep me']),
        (("title",), "null", ["-title: A letter   # keep me", '+title: "null"   # keep me']),
        (("title",), "- dash", ["-title: A letter   # keep me", '+title: "- dash"   # keep me']),
        (("title",), "{{ a }}", ["-title: A letter   # keep me", '+title: "{{ a }}"   # keep me']),
        (("title",), 'say "hi": now', ["-title: A letter   # keep me", "+title: 'say \"hi\": now'   # keep me"]),
        (("greeting",), "Hi", ['-greeting: "Dear {{ first_name }},"', '+greeting: "Hi"']),
        (("greeting",), '"\\', ['-greeting: "Dear {{ first_name }},"', '+greeting: "\\"\\\\"']),
        (("signature", "role"), "Boss's", ["-  role: 'Director'", "+  role: 'Boss''s'"]),
        (("signature", "alt"), "Ana", ["+  alt: Ana"]),
        (("notes", 1, "text"), "Less", ["-    text: More", "+    text: Less"]),
        (("notes", 2, "label"), "Three", ["+  - label: Three"]),
        (
            ("button", "label"),
            "Read, now",
            [
                "-button: { label: Read, url: https://example.org }",
                '+button: { label: "Read, now", url: https://example.org }',
            ],
        ),
        (
            ("button", "badge"),
            "New",
            [
                "-button: { label: Read, url: https://example.org }",
                "+button: { label: Read, url: https://example.org, badge: New }",
            ],
        ),
        (("empty",), "full", ["-empty:", "+empty: full"]),
        (("empty", "inner"), "full", ["+  inner: full"]),
        (("link", "label"), "Go", ["+link:", "+  label: Go"]),
        (("cards", 0, "steps", 0), "One", ["+cards:", "+  - steps:", "+      - One"]),
        (("prose",), "One line", ["-prose: |", "-  Several", "-  lines", "+prose: One line"]),
        (("topics",), ("second", "third"), ["-  - first   # the main one", "+  - third"]),
        (("apps",), ("gmail", "yahoo"), ["+apps: [gmail, yahoo]"]),
        (("title",), None, ["-title: A letter   # keep me"]),
        (
            ("button", "label"),
            None,
            ["-button: { label: Read, url: https://example.org }", "+button: { url: https://example.org }"],
        ),
        (("button", "url"), None, ["-button: { label: Read, url: https://example.org }", "+button: { label: Read }"]),
        (("notes", 0, "label"), None, ["-  - label: Ideal for", "-    text: All", "+  - text: All"]),
        (("notes", 1), None, ["-  - label: Two", "-    text: More"]),
        (("topics",), (), ["-topics:", "-  - first   # the main one", "-  - second"]),
    ],
)  # fmt: skip
def test_only_the_lines_of_the_changed_value_differ(
    location: Location, value: str | tuple[str, ...] | None, expected: list[str]
) -> None:
    assert changed_lines(KEYS, with_keys(KEYS, [(location, value)])) == expected


def test_a_record_goes_with_the_last_of_its_keys() -> None:
    text = with_keys(KEYS, [(("notes", 1, "text"), None), (("notes", 1, "label"), None)])
    assert changed_lines(KEYS, text) == ["-  - label: Two", "-    text: More"]
    text = with_keys(text, [(("notes", 0, "text"), None), (("notes", 0, "label"), None)])
    assert "notes" not in text


def test_a_file_without_an_end_of_line_gets_one_before_a_new_key() -> None:
    assert with_keys("title: A", [(("overline",), "B")]) == "title: A\noverline: B\n"
    assert with_keys("", [(("title",), "B"), (("signature", "name"), "C")]) == "title: B\nsignature:\n  name: C\n"


def test_a_file_with_mistakes_is_not_touched() -> None:
    for text in ("title: A: B\n", "title: *x\n", "- a\n", "title: A\ntitle: B\n"):
        with pytest.raises(InputError):
            with_keys(text, [(("title",), "C")])
        assert values_of(text) is None


def test_what_cannot_be_changed_alone_is_refused() -> None:
    with pytest.raises(InputError, match="edit the whole file as text"):
        with_keys("title: A\n", [(("title",), "a\nb: c")])


@given(st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"], exclude_characters="\ufeff\ufffe\uffff")))
def test_any_text_is_read_back_as_it_was_given(value: str) -> None:
    value = " ".join(value.split())
    for location in (
        ("title",),
        ("greeting",),
        ("signature", "role"),
        ("button", "label"),
        ("new",),
        ("link", "label"),
    ):
        if not value:
            continue
        try:
            after = values_of(with_keys(KEYS, [(location, value)]))
        except InputError:
            continue
        expected = dict(values_of(KEYS) or {})
        inner = {**expected.get(location[0], {}), location[1]: value} if len(location) > 1 else value  # type: ignore[dict-item]
        assert after == {**expected, location[0]: inner}


def test_hardly_any_text_is_refused() -> None:
    for value in (
        "a",
        "é: # 日本",
        "''",
        '"',
        "\\",
        "'\"\\",
        "[",
        "}",
        "|",
        "> x",
        "@",
        "%",
        "`",
        "!x",
        "&x",
        "*x",
        "? x",
        "-",
    ):
        assert values_of(with_keys(KEYS, [(("title",), value)])) is not None
