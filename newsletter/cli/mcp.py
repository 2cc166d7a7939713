"""`newsletter mcp`."""

import json
import os
import shutil
import sys
from pathlib import Path
from typing import Annotated

import typer

from newsletter import install_hint
from newsletter.cli import output
from newsletter.config import find_workspace, load_config
from newsletter.errors import InputError
from newsletter.system.environment import harmless_surroundings
from newsletter.system.log import command_log

_OF_POSTGRESQL = "PG"  # the password of the database, in which a proposal is saved
_FOLDER = "The newsletter's folder. Default: the folder in which the command runs."


def mcp(
    folder: Annotated[Path | None, typer.Option(metavar="FOLDER", help=_FOLDER)] = None,
) -> None:
    """Let an AI agent write, check and preview issues, and propose a broadcast. Only you can send.

    An agent's program starts this command and talks to it (Model Context Protocol). Run it yourself to see what to
    add to that program's settings.
    """
    root = find_workspace((folder or Path.cwd()).resolve())
    load_config(root)
    if sys.stdin.isatty():
        _print_settings(root)
        return
    try:
        from newsletter.agents.server import serve  # needs the extra
    except ImportError as err:
        raise InputError(f"agents need more packages ({err}); install them with {install_hint('mcp')}") from err
    forget_secrets()
    with command_log(root, "mcp") as log:
        serve(root, log)


def _print_settings(root: Path) -> None:
    command = shutil.which("newsletter") or sys.argv[0]
    server = {"command": command, "args": ["mcp", "--folder", str(root)]}
    output.note("Add this to the settings of your agent's program (docs/agents.md):")
    output.print_lines(json.dumps({"mcpServers": {"newsletter": server}}, indent=2, ensure_ascii=False).splitlines())


def forget_secrets() -> None:
    """Remove every secret from the environment except those that open the database, so that no call can send."""
    harmless = harmless_surroundings(os.environ)
    for name in [name for name in os.environ if name not in harmless and not name.startswith(_OF_POSTGRESQL)]:
        del os.environ[name]
