"""The commands as a group lists them, and what is loaded for that."""

import inspect
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from pkgutil import resolve_name
from types import SimpleNamespace
from typing import Any

import pytest
import typer
from typer.core import TyperArgument, TyperOption
from typer.main import get_command
from typer.testing import CliRunner

from newsletter.cli.app import COMMANDS, GROUPS, app, name_of
from newsletter.cli.parameters import range_of
from newsletter.errors import InputError
from tests.e2e.program import environment

LISTED = [line for panel in (*COMMANDS.values(), *GROUPS.values()) for line in panel.items()]


def modules_after(*arguments: str, folder: Path) -> list[str]:
    """Return the modules that the program has loaded when a command ends."""
    script = (
        f"import sys\nsys.argv = {['newsletter', *arguments]!r}\nfrom newsletter.__main__ import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\nprint('\\n'.join(sys.modules), file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=folder, env=environment(), capture_output=True, text=True, check=True
    )
    return done.stderr.split()


@pytest.mark.parametrize(("module", "line"), LISTED)
def test_a_command_is_listed_with_the_first_paragraph_of_its_docstring(module: str, line: str) -> None:
    docstring = inspect.cleandoc(resolve_name(f"newsletter.cli.{module}:{module.rpartition('.')[2]}").__doc__)
    assert line == " ".join(docstring.partition("\n\n")[0].split())


SCREENS = [
    (),
    *((name_of(module),) for panel in COMMANDS.values() for module in panel),
    *((group, *names) for group, table in GROUPS.items() for names in ((), *((name_of(module),) for module in table))),
]


@pytest.mark.parametrize("detection", ["", "1"])
@pytest.mark.parametrize("words", SCREENS)
def test_help_shows_no_type_of_python_and_no_doubled_brackets(words: Sequence[str], detection: str) -> None:
    env = {"COLUMNS": "200", "_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": detection}
    shown = CliRunner().invoke(app, [*words, "--help"], env=env).output
    assert "--help" in shown
    assert ("--install-completion" in shown) is (not words)
    assert not re.search(r"<[a-z=]|[{}]|\[\[|\]\]|\b(bool|str|int|float)\b|list\[", shown.lower())


def _command(words: Sequence[str]) -> tuple[Any, typer.Context]:
    command = get_command(app)
    context = typer.Context(command)
    for word in words:
        _, command, _ = command.resolve_command(context, [word])
        context = typer.Context(command, info_name=word, parent=context)
    return command, context


@pytest.mark.parametrize("words", SCREENS)
def test_every_value_on_the_command_line_has_a_name_in_capitals(words: Sequence[str]) -> None:
    command, context = _command(words)
    for parameter in command.get_params(context):
        if not (isinstance(parameter, TyperOption) and parameter.is_flag):
            assert re.fullmatch(r'"?[A-Z][A-Z|=-]*(\.svg)?"?', parameter.metavar), parameter.name


def limited_parameters() -> Iterator[tuple[tuple[str, ...], TyperArgument | TyperOption]]:
    """Every argument and option that does not take any text, with the words that lead to its command."""
    for words in SCREENS:
        command, context = _command(words)
        for parameter in command.get_params(context):
            of = parameter.type_descriptor
            if of.choices or of.is_ranged or of.annotation in {int, list[int]}:
                yield words, parameter


@pytest.mark.parametrize("typed", ["rubbish", "99999", "-1", "1.5", ""])
def test_a_wrong_value_is_told_in_one_sentence_that_quotes_it(typed: str) -> None:
    known = list(limited_parameters())
    assert len(known) >= 15
    for words, parameter in known:
        if typed == "99999" and parameter.type_descriptor.choices is None and parameter.max is None:
            continue  # a number like any other
        if typed == "-1" and not (parameter.type_descriptor.choices or parameter.type_descriptor.is_ranged):
            continue
        is_option = isinstance(parameter, TyperOption)
        value = [f"{max(parameter.opts, key=len)}={typed}"] if is_option else ["--", typed]

        error = CliRunner().invoke(app, [*words, *value]).exception

        assert isinstance(error, InputError), (words, parameter.name)
        name = max(parameter.opts, key=len) if is_option else parameter.metavar
        assert str(error).startswith(f"{name}: {typed!r} is not valid; "), (words, str(error))
        assert re.search(
            r"; (write a whole number(, \d+ (or more|to \d+))?|choose from [\w, -]+|did you mean .+)$", str(error)
        )


def test_the_panels_follow_the_month_of_a_director() -> None:
    shown = CliRunner().invoke(app, ["--help"], env={"COLUMNS": "200"}).output
    panels = re.findall(r"╭─ (.+?) ─", shown)
    assert panels == [
        *("Options", "Write", "Preview and check", "Test and approve", "Send", "After sending"),
        *("Your list", "For your subscribers", "Maintenance"),
    ]


@pytest.mark.parametrize(
    ("limits", "words"),
    [((None, None), None), ((1, None), "1 or more"), ((None, 9), "up to 9"), ((1, 16), "1 to 16")],
)
def test_the_limits_of_a_number_are_said_in_words(limits: tuple[int | None, int | None], words: str | None) -> None:
    assert range_of(SimpleNamespace(min=limits[0], max=limits[1])) == words


def test_the_usage_line_names_arguments_without_braces() -> None:
    shown = CliRunner().invoke(app, ["suppressions", "add", "--help"], env={"COLUMNS": "200"}).output
    assert "add [OPTIONS] [EMAIL...]" in shown
    assert "send [OPTIONS] ISSUE " in CliRunner().invoke(app, ["send", "--help"], env={"COLUMNS": "200"}).output


@pytest.mark.parametrize("arguments", [("--help",), ("subscribers", "--help")])
def test_a_list_of_commands_loads_none_of_them(arguments: Sequence[str], tmp_path: Path) -> None:
    ours = {name for name in modules_after(*arguments, folder=tmp_path) if name.startswith("newsletter")}
    assert ours == {
        *("newsletter", "newsletter.__main__", "newsletter.errors", "newsletter.system.zone_database"),
        *("newsletter.cli", "newsletter.cli.app", "newsletter.cli.output", "newsletter.cli.parameters"),
        *("newsletter.language", "newsletter.language.counts", "newsletter.system", "newsletter.system.pipes"),
    }


def test_the_help_of_the_program_loads_nothing_heavy(tmp_path: Path) -> None:
    heavy = "pydantic|premailer|jinja2|mjml|sendgrid|sqlite3|lxml|babel|PIL|starlette"
    assert not set(heavy.split("|")).intersection(modules_after("--help", folder=tmp_path))


def test_the_studio_loads_what_asks_others_only_for_the_pages_that_do(tmp_path: Path) -> None:
    loaded = modules_after("preview", "--help", folder=tmp_path)
    assert "newsletter.web.studio.sending" in loaded
    assert not {"newsletter.web.studio.setup", "newsletter.web.studio.feeds"}.intersection(loaded)
    assert not {"dns", "requests", "httpx", "sendgrid", "cryptography"}.intersection(loaded)


def test_the_help_of_one_command_loads_no_other(tmp_path: Path) -> None:
    loaded = modules_after("subscribers", "add", "--help", folder=tmp_path)
    assert "newsletter.cli.subscribers.add" in loaded
    assert "newsletter.cli.subscribers.import_" not in loaded
