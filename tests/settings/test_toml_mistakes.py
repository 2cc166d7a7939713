"""What is wrong in a `newsletter.toml` that cannot be read: all of it, in plain words, each at its line."""

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.config import load_config
from newsletter.errors import MistakesError
from newsletter.settings.toml_mistakes import mistake_in_long_key, toml_mistakes


def told(text: str) -> list[str]:
    with pytest.raises((ValueError, RecursionError)) as caught:
        tomllib.loads(text)
    return [str(mistake) for mistake in toml_mistakes(text, caught.value, path="f")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a = Small Letter\n", 'f:1: the text of a is not in quotes; write a = "Small Letter"'),
        ("a = “Small”\n", 'f:1: the text of a is in curly quotes; write straight quotes: a = "Small"'),
        ('a = "Small”\n', 'f:1: the text of a ends with a curly quote; write a = "Small"'),
        ('a = "Small\nb = 1\n', 'f:1: the text of a has no closing quote; write a = "Small"'),
        ('a = Small"\n', 'f:1: the text of a has no opening quote; write a = "Small"'),
        ("a = 'It's'\n", 'f:1: the text of a continues after its closing quote; write a = "It\'s"'),
        ('a = "C:\\dir"\n', "f:1: the text of a has a backslash in double quotes (\\d); write a = 'C:\\dir'"),
        ("a = #9C3353\n", 'f:1: a has no value; write a = "#9C3353"'),
        ("a = Yes\n", "f:1: a is Yes; write a = true, or put it in quotes if it is text"),
        ("a = 1,000\n", "f:1: the number in a contains a comma; write a = 1000"),
        ("a: 1\n", "f:1: a is followed by a colon, not by =; write a = 1"),
        ("a b\n", 'f:1: there is no = after a; write a = "b"'),
        ("[brand\nx = 1\n", "f:1: the table brand is not closed; write [brand]"),
        ("brand]\n", "f:1: the table brand has no opening bracket; write [brand]"),
        ("[a]\nb = 1\n[a]\n", "f:3: the table [a] is written twice, first on line 1; move its keys there, and delete"),
        ("[a]\nb = 1\nb = 2\n", "f:3: the key b is written twice, first on line 2; delete one of them"),
        ("a = 1\n[a]\n", "f:2: “[a]” gives a value to a key or table that already has one; delete one of them"),
        ('a = [\n  "b",\n[c]\n', "f:1: the list a has no closing bracket; write ] after its last item"),
        ('a = [\n  "b"\n  "c"\n]\n', 'f:3: there is no comma between two items in a; write a comma before "c"'),
        ("a = [b]\n", 'f:1: an item in a is not in quotes; write "b"'),
        ('a = ["b", “c”]\n', 'f:1: an item in a is in curly quotes; write straight quotes: "c"'),
        ('a = """\nb\n', 'f:1: the text of a has no closing """; write """ after its last line'),
        ("// a\n", "f:1: “// a” is neither a key nor a table; begin a comment with #"),
        ("\u00a0a = 1\n", "f:1: the line is indented with non-breaking or other special spaces; write it without them"),
        ("# " + "a" * 9000 + "\nx = " + "9" * 5000, "f:2: the number has too many digits; write a shorter one"),
        ("y = 1\nx = " + "[" * 900 + "]" * 900, "f:2: the brackets are nested too deeply; delete some of them"),
        ("x = " + "[" * 5000, "f:1: the list x has no closing bracket"),
    ],
)
def test_a_mistake_is_told_at_its_line_with_the_text_to_write(text: str, expected: str) -> None:
    (mistake,) = told(text)
    assert mistake.startswith(expected)


@pytest.mark.parametrize(
    "key", ["a." * 50_000 + "a = 1", "[" + "a . " * 25_000 + "a]", "x = {" + '"a".' * 25_000 + "a = 1}", "'a'." * 101]
)
def test_a_key_that_would_keep_the_parser_busy_is_refused_before_it_is_parsed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    (tmp_path / "newsletter.toml").write_text(f"[newsletter]\n{key}\n")
    monkeypatch.setattr(tomllib, "loads", lambda _: pytest.fail("the text was parsed"))

    with pytest.raises(
        MistakesError, match=r"^newsletter\.toml:2: the key that begins with .* has more than 100 parts; "
    ):
        load_config(tmp_path)


@pytest.mark.parametrize(
    "text", ["a." * 99 + "a = 1", "a = '" + "Amen. So be it. " * 200 + "'", "a = '" + "b" * 99_000 + "'"]
)
def test_other_long_texts_are_no_long_keys(text: str) -> None:
    assert mistake_in_long_key(text, path="f") is None


def test_several_mistakes_of_a_file_are_told_at_once(tmp_path: Path) -> None:
    text = '[newsletter]\nname = Small Letter\nfrom = “A <a@example.org>”\n\n[brand\nlogo = "a.png\n'
    (tmp_path / "newsletter.toml").write_text(text, encoding="utf-8")
    with pytest.raises(MistakesError) as caught:
        load_config(tmp_path)
    assert [mistake.place for mistake in caught.value.mistakes] == [f"newsletter.toml:{line}" for line in (2, 3, 5, 6)]


def test_what_is_right_is_not_told_beside_a_mistake() -> None:
    text = (
        'a = "b" # c\nd = [1, 2, # e\n  3]\n"f g" = 2026-02-19\nh.i = true\nj = """\nk = l\n"""\nm = {n = 1}\n'
        "[o]\na = 1.5\n[[p]]\na = 1\n[[p]]\na = 2\nq = [[1, 2], [3]]\nr = [{s = 't'}, {s = 'u'}]\nv = '\"'\nw = x\n"
    )
    assert told(text) == [f'f:{text.count(chr(10))}: the text of w is not in quotes; write w = "x"']


PIECES = st.sampled_from(
    [
        *(
            "a = ",
            "b",
            '"',
            "'",
            '"""',
            "[",
            "]",
            "[[",
            "{",
            "}",
            ",",
            "#",
            "\n",
            " ",
            "“",
            "”",
            "1",
            "true",
            "\\",
            ":",
            ".",
        ),
        *("\u00a0", "[a]\n", "a = 1\n", "=", "2026-02-19"),
    ]
)


@given(text=st.one_of(st.text(max_size=200), st.lists(PIECES, max_size=40).map("".join)))
def test_any_text_is_told_at_a_line_of_the_file(text: str) -> None:
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError as err:
        mistakes = toml_mistakes(text, err, path="f")
        assert mistakes
        assert all(1 <= (mistake.line or 0) <= 1 + text.rstrip().count("\n") for mistake in mistakes)
        assert all("\n" not in str(mistake) for mistake in mistakes)
