"""The text part, set in seventy-two columns."""

import textwrap
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.content.keys import read_line
from newsletter.content.markdown import parse_markdown
from newsletter.language.direction import Direction
from newsletter.model.slots import MergeField
from newsletter.render.plaintext import (
    COLUMNS,
    line_text,
    link_text,
    prose_text,
    tidy,
    underline,
    wrap,
    wrap_phrases,
)

RTL = Direction.RIGHT_TO_LEFT


def text_of(markdown: str, *, language: str = "en") -> str:
    return prose_text(parse_markdown(textwrap.dedent(markdown), path="letter.md").prose, language=language)


def columns(line: str) -> int:
    return sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in line)


WORDS = st.lists(st.text(st.characters(categories=["L", "N", "P"]), min_size=1, max_size=20), min_size=1, max_size=60)


@given(words=WORDS)
def test_no_line_is_wider_than_seventy_two_columns(words: list[str]) -> None:
    for line in wrap(" ".join(words)).split("\n"):
        assert columns(line) <= COLUMNS or " " not in line


@given(words=WORDS)
def test_wrapping_keeps_every_sign(words: list[str]) -> None:
    text = " ".join(words)
    assert "".join(wrap(text).split()) == "".join(text.split())


def test_japanese_may_be_parted_anywhere_and_counts_two_columns() -> None:
    lines = wrap("ありがとうございました。" * 12).split("\n")
    assert len(lines) > 1
    assert all(columns(line) <= COLUMNS for line in lines)
    assert all(not line.startswith("。") for line in lines)


def test_a_line_never_starts_with_a_wide_colon() -> None:
    label = "写真" * 17 + "一二" + "\N{FULLWIDTH COLON}"
    assert wrap(label).split("\n") == ["写真" * 17 + "一", "二\N{FULLWIDTH COLON}"]


@pytest.mark.parametrize(
    "markdown",
    [
        "[un](https://example.org/1) [deux](https://example.org/2)",
        "> # [un](https://example.org/1) [deux](/2)",
        "- [un](https://example.org/1) [deux](/2)",
        "| a |\n|---|\n| [un](https://example.org/1) [deux](/2) |",
    ],
)
def test_links_are_labeled_as_the_language_does(markdown: str) -> None:
    assert "un\N{NO-BREAK SPACE}:\n" in text_of(markdown, language="fr")
    assert "un\N{FULLWIDTH COLON}\n" in text_of(markdown, language="ja")


def test_an_address_is_never_broken() -> None:
    address = "https://www.example.org/" + "a" * 90
    assert address in wrap(f"See {address} for more").split("\n")


def test_after_a_mark_the_lines_stand_in_line() -> None:
    lines = wrap("word " * 30, mark="1. ").split("\n")
    assert lines[0].startswith("1. word")
    assert all(line.startswith("   word") for line in lines[1:])


def test_a_no_break_space_holds_words_together_and_ends_as_a_space() -> None:
    text = tidy(wrap("x " * 33 + "Merci\N{NO-BREAK SPACE}beaucoup"))
    assert text.split("\n")[1] == "Merci beaucoup"


def test_a_title_is_underlined_as_wide_as_it_is() -> None:
    assert underline("Events") == "Events\n------"
    assert underline("日本", "=") == "日本\n===="


def test_links_stand_on_their_own_line_after_what_they_are_about() -> None:
    text = text_of("Read [the study](https://example.org/study) or [write](https://example.org/write).")
    assert text.split("\n") == [
        "Read the study or write.",
        "the study:",
        "https://example.org/study",
        "write:",
        "https://example.org/write",
    ]


def test_an_address_that_is_already_said_is_not_repeated() -> None:
    assert text_of("Write to [a@example.org](mailto:a@example.org).") == "Write to a@example.org."


@pytest.mark.parametrize(
    ("markdown", "expected"),
    [
        ("- one\n- two", "- one\n- two"),
        ("3. three\n4. four", "3. three\n4. four"),
        ("- one\n  - inner", "- one\n  - inner"),
        ("> kind words", "> kind words"),
        ("## Title\n\nText", "Title\n-----\n\nText"),
        ("a  \nb", "a\nb"),
        ("---", "* * *"),
        ("![A hill](images/hill.png)", "[A hill]"),
        ("| a | b |\n|---|---|\n| 1 | 2 |", "  a    b\n---  ---\n  1    2"),
        ("| a |\n|---|\n| [b](https://example.org/b) |", "a\n---\nb\nhttps://example.org/b"),
        ("now ~~then~~", "now ~~then~~"),
        ("see https://example.org/a, please", "see https://example.org/a, please"),
        ("    code", "    code"),
    ],
)
def test_markdown_as_somebody_would_type_it(markdown: str, expected: str) -> None:
    assert prose_text(parse_markdown(markdown, path="letter.md").prose, language="en") == expected


def test_the_finished_part_has_no_loose_ends() -> None:
    assert tidy("\n\na  \n\n\n\nb\n\n") == "a\n\nb\n"


def test_the_columns_of_a_table_line_up() -> None:
    assert text_of("| Course | Price |\n|---|---|\n| Morning | €120.00 |\n| 静かな一週間 | €9.50 |").split("\n") == [
        "Course          Price",
        "------------  -------",
        "Morning       €120.00",
        "静かな一週間    €9.50",
    ]


def test_a_table_wider_than_the_text_becomes_a_block_for_each_row() -> None:
    text = text_of(f"| Course | About it |\n|---|---|\n| Morning | {'calm ' * 20}|\n| Evening | short |", language="fr")
    assert all(columns(line) <= COLUMNS for line in text.split("\n"))
    assert "Course\N{NO-BREAK SPACE}: Evening\nAbout it\N{NO-BREAK SPACE}: short" in text


@pytest.mark.parametrize(
    "phrases", [["Merci beaucoup", "ありがとうございました", "Muito obrigado"] * 4, ["x" * 90], ["a", "b" * 71]]
)
def test_a_phrase_is_never_broken_and_no_line_ends_in_a_dot(phrases: list[str]) -> None:
    lines = wrap_phrases(phrases).split("\n")
    assert [phrase for line in lines for phrase in line.split(" · ")] == phrases
    assert all(columns(line) <= COLUMNS or line in phrases for line in lines)


@pytest.mark.parametrize(
    ("label", "address", "expected"),
    [
        ("Read on", "https://example.org", "Read on:\nhttps://example.org"),
        ("www.example.org", "https://www.example.org/", "https://www.example.org/"),
        ("Write to us", "mailto:hi@example.org?subject=Hello", "Write to us:\nhi@example.org"),
        ("hi@example.org", "mailto:hi@example.org", "hi@example.org"),
        ("Call us", "tel:+491234567", "Call us:\n+491234567"),
    ],
)
def test_a_link_is_its_label_and_its_address_as_people_write_it(label: str, address: str, expected: str) -> None:
    assert link_text(label, address, language="en") == expected


def test_an_address_to_write_to_has_no_scheme() -> None:
    assert text_of("[Write](mailto:a@example.org?subject=Hi) to us.") == "Write to us.\na@example.org"


def test_a_line_of_arabic_that_begins_with_a_latin_word_is_laid_out_from_the_right() -> None:
    text = tidy("MSC برنامج\n- MSC برنامج\nبرنامج MSC\nInstagram:\nhttps://example.org/a\n----\nب", direction=RTL)
    assert text.split("\n") == [
        "\u200fMSC برنامج",
        "\u200f- MSC برنامج",
        "برنامج MSC",
        "\u200fInstagram:",
        "https://example.org/a",
        "----",
        "ب",
        "",
    ]


def test_other_mail_has_no_such_marks() -> None:
    assert "\u200f" not in tidy("MSC برنامج\nشكرًا MSC")


@pytest.mark.parametrize(
    ("markdown", "text"),
    [
        ("See https://bücher.example/ now", "See https://bücher.example/ now"),
        ("[www.example.org](https://www.example.org/)", "https://www.example.org/"),
        ("[our page](https://www.example.org/a) is https://www.example.org/a", "our page is https://www.example.org/a"),
        ("[a](https://www.example.org/x) or [b](https://www.example.org/x)", "a or b\nhttps://www.example.org/x"),
        ("<hello@example.org>", "hello@example.org"),
        (
            "[a](https://www.example.org/x), [b](https://www.example.org/y), [c](https://www.example.org/x)",
            "a, b, c\na, c:\nhttps://www.example.org/x\nb:\nhttps://www.example.org/y",
        ),
    ],
)
def test_no_address_is_told_twice(markdown: str, text: str) -> None:
    assert text_of(markdown) == text


def test_notes_tasks_and_breaks_are_as_someone_would_type_them() -> None:
    markdown = "One<br>two[^1].\n\n- [ ] a cushion\n- [x] tea\n\n| a |\n|---|\n| b<br>c |\n\n[^1]: The [note](https://www.example.org/n)."
    assert text_of(markdown).split("\n\n") == [
        "One\ntwo[1].",
        "- [ ] a cushion\n- [x] tea",
        "a\n---\nb c",
        "[1] The note.\nhttps://www.example.org/n",
    ]


@pytest.mark.parametrize(("default", "rule"), [("you", 9), ("dear friend", 17), ("みなさま", 14), (None, 14)])
def test_a_merge_field_counts_as_wide_as_its_usual_value(default: str | None, rule: int) -> None:
    title = f"Hello {MergeField('first_name', default).token}"
    assert underline(title) == f"{title}\n{'-' * rule}"


def test_a_line_of_a_key_has_its_links_below_it() -> None:
    line = read_line("Ask *Ana* or [write](mailto:ana@example.org) to [us](https://www.example.org/us)")
    assert line_text(line, before="Note: ", language="en") == (
        "Note: Ask Ana or write to us\nwrite:\nana@example.org\nus:\nhttps://www.example.org/us"
    )
    assert line_text("Plain words", mark="1. ", language="en") == "1. Plain words"
