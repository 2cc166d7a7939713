"""Which program opens a file, with which arguments and which environment."""

from pathlib import Path

import pytest

from newsletter.errors import InputError
from newsletter.system.editor import editor_command, open_in_editor

FILE = Path("/w/issues/a letter.md")


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """A folder with programs of these names, which do nothing."""
    for name in ("code", "subl", "gvim", "kate", "notepad++", "unknown", "xdg-open", "emacs", "my editor"):
        program = tmp_path / name
        program.write_text("#!/bin/sh\n")
        program.chmod(0o755)
    return tmp_path


@pytest.mark.parametrize(
    ("visual", "arguments"),
    [
        ("code --wait", ["code", "--wait", "--goto", f"{FILE}:12"]),
        ("subl", ["subl", f"{FILE}:12"]),
        ("gvim -f", ["gvim", "-f", "+12", str(FILE)]),
        ("kate", ["kate", "--line", "12", str(FILE)]),
        ("notepad++", ["notepad++", "-n12", str(FILE)]),
        ("unknown --flag 'two words'", ["unknown", "--flag", "two words", str(FILE)]),
        ("'my editor'", ["my editor", str(FILE)]),
        ("emacs", ["emacs", "+12", str(FILE)]),
    ],
)
def test_known_editors_open_at_the_line(programs: Path, visual: str, arguments: list[str]) -> None:
    environ = {"VISUAL": visual, "EDITOR": "vi", "PATH": str(programs)}
    assert editor_command(FILE, 12, environ, platform="linux") == arguments


def test_the_second_choice_is_editor_and_the_third_is_the_system(programs: Path) -> None:
    path = {"PATH": str(programs)}
    assert editor_command(FILE, 1, {"VISUAL": " ", "EDITOR": "subl", **path}, platform="linux")[0] == "subl"
    assert editor_command(FILE, 1, path, platform="linux") == ["xdg-open", str(FILE)]
    assert editor_command(FILE, 1, path, platform="darwin") == ["open", "-t", str(FILE)]


@pytest.mark.parametrize(
    ("environ", "told"),
    [
        ({"EDITOR": "/usr/bin/vim"}, "vim runs in a terminal"),
        ({"VISUAL": "emacs -nw"}, "emacs runs in a terminal"),
        ({"VISUAL": "nano"}, "nano runs in a terminal"),
        ({"VISUAL": "nothing-here"}, "there is no program nothing-here, which VISUAL names"),
        ({"VISUAL": "'open"}, "whose quotes are not closed"),
        ({}, "no editor is known; set VISUAL"),
    ],
)
def test_what_a_page_cannot_open_is_said(environ: dict[str, str], told: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=told):
        editor_command(FILE, 1, {"PATH": str(tmp_path), **environ}, platform="linux")


def test_the_program_gets_the_line_and_no_secrets(tmp_path: Path) -> None:
    program = tmp_path / "code"
    program.write_text(f'#!/bin/sh\nprintf "%s|" "$@" "$SENDGRID_API_KEY" > "{tmp_path}/said"\n')
    program.chmod(0o755)
    environ = {"VISUAL": "code", "PATH": f"{tmp_path}:/usr/bin:/bin", "SENDGRID_API_KEY": "SG.secret"}
    assert open_in_editor(tmp_path / "$(touch x) `y`.md", 3, environ) == "code"
    assert (tmp_path / "said").read_text() == f"--goto|{tmp_path}/$(touch x) `y`.md:3||"


def test_a_program_that_ends_with_an_error_is_told(tmp_path: Path) -> None:
    program = tmp_path / "broken"
    program.write_text("#!/bin/sh\nexit 3\n")
    program.chmod(0o755)
    with pytest.raises(InputError, match="broken ended with an error"):
        open_in_editor(FILE, 1, {"VISUAL": "broken", "PATH": f"{tmp_path}:/bin"})


def test_a_program_that_is_no_program_is_told(tmp_path: Path) -> None:
    program = tmp_path / "text"
    program.write_bytes(b"\x00\x01")
    program.chmod(0o755)
    with pytest.raises(InputError, match="text cannot be started"):
        open_in_editor(FILE, 1, {"VISUAL": "text", "PATH": str(tmp_path)})
