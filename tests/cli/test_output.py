"""What a terminal shows: nothing is broken within a word, and nothing at all where no terminal is."""

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from datetime import UTC, datetime

import pytest
import typer

from newsletter.cli import bars, output
from newsletter.errors import InputError

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
        output.print_facts([("when", SENTENCE.strip()), ("to", "everyone")])
    assert shown == [
        "  when  Monday, November 23, 2026, 12:00",
        "        pm CET (Europe/Paris) · 11:00",
        "        UTC · in 2 hours 41 minutes",
        "  to    everyone",
    ]


def test_an_error_and_a_next_step_go_on_under_their_words() -> None:
    with lines_of_terminal() as shown:
        output.print_error("there is no day 2027-02-30; write it as tomorrow 08:00")
        output.print_next("newsletter run-due", "sends what is due")
    assert shown == [
        "error: there is no day 2027-02-30; write",
        "       it as tomorrow 08:00",
        "next: newsletter run-due   sends what is",
        "      due",
    ]


def test_the_last_column_of_a_table_goes_on_under_its_head() -> None:
    with lines_of_terminal() as shown:
        output.print_table(("what", "why"), [("frozen", "222 people of segment german; 80 were left out")])
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


@pytest.mark.parametrize("command", ["\x1b]0;title\x07", "\x1b[2J", "\x9b2J", "\r", "\u202e", "\x08"])
def test_no_text_of_others_commands_the_terminal(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    output.say(f"name {command}")
    output.note(f"name {command}")
    output.print_error(f"name {command}")
    output.print_next(f"name {command}", "")
    output.print_lines([f"name {command}"])
    output.print_table(["name"], [[f"name {command}"]])
    output.print_facts([("name", f"name {command}")])
    shown = capsys.readouterr()

    assert command not in shown.out + shown.err
    assert "name \N{REPLACEMENT CHARACTER}" in shown.out


@pytest.mark.parametrize("command", ["\x1b[2J", "\x9b2J", "\u202e", "\x7f"])
def test_no_json_commands_the_terminal_and_a_script_reads_it_whole(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    output.print_json({"name": f"é {command}"})
    output.print_json_items([f"é {command}"])
    shown = capsys.readouterr().out

    assert command not in shown
    assert "é" in shown
    whole, _, items = shown.partition("}")
    assert json.loads(f"{whole}}}") == {"name": f"é {command}"}
    assert json.loads(items) == [f"é {command}"]


@pytest.mark.parametrize("hostile", ["\x1b[31mred", "\x1b[0m", "\x1b[1;31mred", "\x9b31mred", "\x1b[31:00mred"])
def test_only_our_own_styles_color_a_terminal(hostile: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    terminal = Terminal()

    text = output.styled(f"no\n  such\tname {hostile}é", "red", stream=terminal)
    shown = output.fitted(f"{text} {hostile}", terminal, indent=0)

    assert shown.startswith("\x1b[31mno\n  such\tname \N{REPLACEMENT CHARACTER}")
    assert shown.count("\x1b") == 2
    assert "é\x1b[0m" in shown


def test_result_that_a_terminal_shows_does_not_command_it(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stdout", terminal)

    output.result_stream().write("ana@example.org,\x1b[31mAna\r\n")

    assert terminal.getvalue() == "ana@example.org,\N{REPLACEMENT CHARACTER}[31mAna\n"


def test_bar_shows_markup_and_braces_of_a_name_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)

    with bars.progress("import of [red]{list}\x1b[31m.csv", 2, unit="{rows}") as advance:
        advance(2)

    assert "import of [red]{list}\N{REPLACEMENT CHARACTER}[31m.csv" in terminal.getvalue()
    assert "{rows}" in terminal.getvalue()


def test_columns_are_aligned_by_what_a_terminal_shows() -> None:
    assert output.aligned([("日本", "1"), ("a", "10")], right=frozenset({1})) == ["日本   1", "a     10"]


def test_long_and_unprintable_text_is_shortened() -> None:
    assert output.shortened("a source of consent", 9) == "a source…"
    assert output.shortened("a\x1b[31m\nb", 20) == "a…[31m…b"
    assert output.display_width(output.shortened("日本" * 9, 9)) <= 9


def test_a_fact_without_a_value_is_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    output.print_facts([("a longer name", ""), ("to", "everyone")])
    assert capsys.readouterr().out == "  to  everyone\n"


def test_moments_become_iso_in_json_and_other_objects_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    output.print_json({"at": datetime(2026, 2, 19, 8, 0, tzinfo=UTC)})
    assert json.loads(capsys.readouterr().out) == {"at": "2026-02-19T08:00:00+00:00"}
    with pytest.raises(TypeError, match="object cannot be written as JSON"):
        output.print_json(object())


@pytest.mark.parametrize("said", ["n\n", "\n", ""])
def test_any_answer_but_yes_ends_the_command_and_says_what_did_not_happen(
    said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", Terminal(said))
    with pytest.raises(typer.Exit) as ended:
        output.require_yes("Send?", yes=False, otherwise="Nothing was sent.")
    assert ended.value.exit_code == 1
    assert capsys.readouterr().err == "Send? [y/N] Nothing was sent.\n"


def test_yes_goes_on_and_needs_nobody_where_it_was_an_option(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", Terminal("Y\n"))
    output.require_yes("Send?", yes=False, otherwise="Nothing was sent.")
    monkeypatch.setattr("sys.stdin", io.StringIO())
    capsys.readouterr()
    output.require_yes("Send?", yes=True, otherwise="Nothing was sent.")
    assert capsys.readouterr().err == ""
    with pytest.raises(InputError, match="add --yes"):
        output.require_yes("Send?", yes=False, otherwise="Nothing was sent.")
