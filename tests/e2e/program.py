"""Runs the program as a person types it."""

import atexit
import os
import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from tests.e2e.launcher import Launcher

ANSI_FREE = {"NO_COLOR": "1", "TERM": "dumb", "COLUMNS": "120"}


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of a command: without the secrets and settings of the person who runs the tests.

    Checks that take seconds are left out; a test that is about them sets NEWSLETTER_WITHOUT to nothing.
    """
    kept = {
        name: os.environ[name] for name in ("PATH", "HOME", "LANG", "SSL_CERT_FILE", "TMPDIR") if name in os.environ
    }
    return {
        **kept,
        **ANSI_FREE,
        "PYTHONWARNINGS": "error",
        "NEWSLETTER_WITHOUT": "browser network spamassassin",
        **(extra or {}),
    }


def command(*arguments: str) -> list[str]:
    """The command line of the program with these arguments."""
    return [sys.executable, "-m", "newsletter", *arguments]


def run(
    folder: Path, *arguments: str, env: Mapping[str, str] | None = None, expect: int = 0
) -> subprocess.CompletedProcess[str]:
    """Runs one command in a folder, and holds it to its exit code; a traceback is never right."""
    if any(name.startswith("PYTHON") for name in env or {}):  # read by the interpreter alone, when it starts
        done = subprocess.run(
            command(*arguments),
            cwd=folder,
            env=environment(env),
            capture_output=True,
            text=True,
            timeout=120,
            stdin=subprocess.DEVNULL,
            check=False,
        )
    else:
        done = _launcher().run(arguments, folder=folder, environment=environment(env), timeout=120)
    told = f"{' '.join(arguments)} → {done.returncode}\n{done.stdout}\n{done.stderr}"
    assert "Traceback" not in done.stderr, told
    assert done.returncode == expect, told
    return done


@cache
def _launcher() -> Launcher:
    """What starts commands, for as long as tests run in this process."""
    launcher = Launcher(environment())
    launcher.__enter__()
    atexit.register(launcher.__exit__, None, None, None)
    return launcher


def write_list(path: Path, count: int) -> None:
    """A list of so many people, every other one a teacher."""
    rows = ["email,first_name,tags,consented_at,consent_source"]
    rows += [
        f"person{number}@example.org,Person{number},{'teacher' if number % 2 else ''},2025-01-01,test"
        for number in range(count)
    ]
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
