"""The commands as a group lists them, and what is loaded for that."""

import inspect
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from pkgutil import resolve_name

import pytest
from typer.testing import CliRunner

from newsletter.cli.app import COMMANDS, SUBSCRIBERS, SUPPRESSIONS, app, name_of
from tests.e2e.program import environment

LISTED = [*(line for panel in COMMANDS.values() for line in panel.items()), *SUBSCRIBERS.items(), *SUPPRESSIONS.items()]


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


@pytest.mark.parametrize(
    "words",
    [
        (),
        *((name_of(module),) for panel in COMMANDS.values() for module in panel),
        *(("subscribers", *names) for names in ((), *((name_of(module),) for module in SUBSCRIBERS))),
        *(("suppressions", *names) for names in ((), *((name_of(module),) for module in SUPPRESSIONS))),
    ],
)
def test_help_shows_no_type_of_python(words: Sequence[str]) -> None:
    shown = CliRunner().invoke(app, [*words, "--help"], env={"COLUMNS": "200"}).output
    assert "--help" in shown
    assert not re.search(r"<[a-z]", shown)


@pytest.mark.parametrize("arguments", [("--help",), ("subscribers", "--help")])
def test_a_list_of_commands_loads_none_of_them(arguments: Sequence[str], tmp_path: Path) -> None:
    ours = {name for name in modules_after(*arguments, folder=tmp_path) if name.startswith("newsletter")}
    assert ours == {
        *("newsletter", "newsletter.__main__", "newsletter.errors"),
        *("newsletter.cli", "newsletter.cli.app", "newsletter.cli.output"),
    }


def test_the_help_of_the_program_loads_nothing_heavy(tmp_path: Path) -> None:
    heavy = "pydantic|premailer|jinja2|mjml|sendgrid|sqlite3|lxml|babel|PIL|starlette"
    assert not set(heavy.split("|")).intersection(modules_after("--help", folder=tmp_path))


def test_the_help_of_one_command_loads_no_other(tmp_path: Path) -> None:
    loaded = modules_after("subscribers", "add", "--help", folder=tmp_path)
    assert "newsletter.cli.subscribers.add" in loaded
    assert "newsletter.cli.subscribers.import_" not in loaded
