"""Runs the program as a person types it."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

ANSI_FREE = {"NO_COLOR": "1", "TERM": "dumb", "COLUMNS": "120"}


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of a command: without secrets or settings of whoever runs the tests."""
    kept = {
        name: os.environ[name] for name in ("PATH", "HOME", "LANG", "SSL_CERT_FILE", "TMPDIR") if name in os.environ
    }
    return {**kept, **ANSI_FREE, "PYTHONWARNINGS": "error", **(extra or {})}


def command(*arguments: str) -> list[str]:
    """The command line of the program with these arguments."""
    return [sys.executable, "-m", "newsletter", *arguments]


def run(
    folder: Path, *arguments: str, env: Mapping[str, str] | None = None, expect: int = 0
) -> subprocess.CompletedProcess[str]:
    """Runs one command in a folder, and holds it to its exit code; a traceback is never right."""
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
    told = f"{' '.join(arguments)} → {done.returncode}\n{done.stdout}\n{done.stderr}"
    assert "Traceback" not in done.stderr, told
    assert done.returncode == expect, told
    return done


def write_list(path: Path, count: int) -> None:
    """A list of so many people, every other one a teacher."""
    rows = ["email,first_name,tags,consented_at,consent_source"]
    rows += [
        f"person{number}@example.org,Person{number},{'teacher' if number % 2 else ''},2025-01-01,test"
        for number in range(count)
    ]
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
