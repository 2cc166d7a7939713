"""What a terminal shows: nothing is broken within a word, and nothing at all where no terminal is."""

import io
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout

import pytest

from newsletter.cli import output

SENTENCE = "  Monday, November 23, 2026, 12:00 pm CET (Europe/Paris) · 11:00 UTC · in 2 hours 41 minutes"


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@contextmanager
def lines_of_terminal() -> Iterator[list[str]]:
    """The lines that a terminal showed, once the block has ended."""
    stream, lines = Terminal(), list[str]()
    with redirect_stdout(stream), redirect_stderr(stream):
        yield lines
    lines += stream.getvalue().splitlines()


@pytest.fixture(autouse=True)
def forty_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("NO_COLOR", "1")


def test_a_long_line_is_broken_between_words_and_stays_under_its_indent() -> None:
    with lines_of_terminal() as shown:
        output.say(SENTENCE)
    assert shown == [
        "  Monday, November 23, 2026, 12:00 pm",
        "  CET (Europe/Paris) · 11:00 UTC · in 2",
        "  hours 41 minutes",
    ]


def test_a_long_fact_goes_on_under_its_value() -> None:
    with lines_of_terminal() as shown:
        output.show_facts([("when", SENTENCE.strip()), ("to", "everyone")])
    assert shown == [
        "  when  Monday, November 23, 2026, 12:00",
        "        pm CET (Europe/Paris) · 11:00",
        "        UTC · in 2 hours 41 minutes",
        "  to    everyone",
    ]


def test_an_error_and_a_next_step_go_on_under_their_words() -> None:
    with lines_of_terminal() as shown:
        output.show_error("there is no day 2027-02-30; write it as tomorrow 08:00")
        output.show_next("newsletter run-due", "sends what is due")
    assert shown == [
        "error: there is no day 2027-02-30; write",
        "       it as tomorrow 08:00",
        "next: newsletter run-due   sends what is",
        "      due",
    ]


def test_the_last_column_of_a_table_goes_on_under_its_head() -> None:
    with lines_of_terminal() as shown:
        output.show_table(("what", "why"), [("frozen", "222 people of segment german; 80 were left out")])
    assert shown == [
        "what    why",
        "frozen  222 people of segment german; 80",
        "        were left out",
    ]


def test_a_word_longer_than_a_line_stays_whole() -> None:
    with lines_of_terminal() as shown:
        output.say("see " + "https://www.example.org/" + "x" * 40)
    assert shown == ["see", "https://www.example.org/" + "x" * 40]


def test_styles_take_no_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("TERM", "xterm")
    with lines_of_terminal() as shown:
        output.say(f"{output.styled('done', 'green')} " + "x" * 35)
    assert shown == ["\x1b[32mdone\x1b[0m " + "x" * 35]


def test_what_no_terminal_shows_stays_on_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    output.say(SENTENCE)
    assert capsys.readouterr().out == f"{SENTENCE}\n"
