"""`newsletter --help`, compared with the `--help` of a Typer program that does nothing."""

import sys
import tempfile
from pathlib import Path

from benchmarks.timing import program, show, show_ratio, time_in_turn

BARE = """\
import typer

app = typer.Typer()


@app.command()
def one() -> None:
    "One."


@app.command()
def two() -> None:
    "Two."


app()
"""


def main() -> None:
    """Print the ratio of the medians."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "bare.py").write_text(BARE)
        commands = {"ours": [program(), "--help"], "bare": [sys.executable, "bare.py", "--help"]}
        found = time_in_turn(commands, folder=folder)
    ratio = found["ours"].middle / found["bare"].middle
    show("newsletter --help", f"{found['ours'].middle * 1000:.0f} ms")
    show("a bare Typer program's --help", f"{found['bare'].middle * 1000:.0f} ms")
    show_ratio("newsletter --help ÷ bare Typer", ratio, "≤ 1.15", is_met=ratio <= 1.15)
