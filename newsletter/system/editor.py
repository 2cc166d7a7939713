"""Open a file in the user's own editor, at a line."""

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path, PurePath
from threading import Thread

from newsletter.errors import InputError
from newsletter.system.environment import harmless_surroundings

# How to name a line, by the name of the program. Any other program is given only the file.
_GOTO, _COLON = ("--goto", "{path}:{line}"), ("{path}:{line}",)
_PLUS, _LINE = ("+{line}", "{path}"), ("--line", "{line}", "{path}")
_LINE_FORMS: Mapping[str, Sequence[str]] = {
    **dict.fromkeys(("code", "code-insiders", "codium", "vscodium", "cursor", "windsurf"), _GOTO),
    **dict.fromkeys(("subl", "sublime_text", "zed", "zeditor", "atom"), _COLON),
    **dict.fromkeys(("gvim", "mvim", "gedit", "gnome-text-editor", "emacs", "emacsclient", "bbedit", "xed"), _PLUS),
    **dict.fromkeys(("kate", "kwrite", "mate", "geany", "mousepad", "idea", "pycharm", "webstorm"), _LINE),
    "notepad++": ("-n{line}", "{path}"),
}
_IN_TERMINAL = frozenset(
    {
        "vi",
        "vim",
        "nvim",
        "view",
        "nano",
        "pico",
        "micro",
        "hx",
        "helix",
        "kak",
        "joe",
        "ne",
        "mcedit",
        "mg",
        "ed",
        "ex",
    }
    | {"jed", "tilde"}
)
_FOR_TERMINALS = frozenset({"-nw", "--no-window-system", "-t", "-tty", "--tty"})  # options of Emacs
_MOST_SECONDS = 1.0  # in which a program that cannot start has ended


def open_in_editor(path: Path, line: int, environ: Mapping[str, str] = os.environ) -> str:
    """Open a file in the program that VISUAL or EDITOR names, or else the system's own choice. Return its name.

    The program gets no secrets from the environment. Raise InputError if there is none, if it needs a terminal, or if
    it ends at once with an error.
    """
    command = editor_command(path, line, environ, platform=sys.platform)
    try:
        process = subprocess.Popen(  # noqa: S603 - the user's own choice of program, with a list of arguments
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=harmless_surroundings(environ),
            start_new_session=True,
        )
    except OSError as err:
        raise InputError(f"{command[0]} cannot be started ({err.strerror}); correct VISUAL or EDITOR") from err
    with suppress(subprocess.TimeoutExpired):
        if process.wait(_MOST_SECONDS):
            raise InputError(f"{command[0]} ended with an error; open the file yourself")
    Thread(target=process.wait, daemon=True).start()  # so that no ended process is left behind
    return PurePath(command[0]).name


def editor_command(path: Path, line: int, environ: Mapping[str, str], *, platform: str) -> list[str]:
    """Return the program to start with its arguments. Raise InputError as `open_in_editor` does."""
    chosen = next((name for name in ("VISUAL", "EDITOR") if environ.get(name, "").strip()), None)
    if chosen is None:
        return [*_system_handler(environ, platform), str(path)]
    try:
        program, *options = shlex.split(environ[chosen])
    except ValueError as err:
        raise InputError(f"{chosen} is {environ[chosen]!r}, whose quotes are not closed; correct it") from err
    name = PurePath(program).name.lower().removesuffix(".exe")
    if name in _IN_TERMINAL or (name.startswith("emacs") and _FOR_TERMINALS & set(options)):
        raise InputError(f"{name} runs in a terminal, so a page cannot open it; open the file there")
    if shutil.which(program, path=environ.get("PATH")) is None:
        raise InputError(f"there is no program {program}, which {chosen} names; correct {chosen}")
    form = _LINE_FORMS.get(name, ("{path}",))
    return [program, *options, *(part.format(path=path, line=line) for part in form)]


def _system_handler(environ: Mapping[str, str], platform: str) -> list[str]:
    if platform == "darwin":
        return ["open", "-t"]
    if platform == "win32":
        return ["notepad"]
    if shutil.which("xdg-open", path=environ.get("PATH")) is None:
        raise InputError("no editor is known; set VISUAL to its name, for example: export VISUAL=code")
    return ["xdg-open"]
