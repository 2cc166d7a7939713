"""How a command ends for reasons that no one foresaw: one sentence and an exit code, never a traceback."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.program import command, environment, run
from tests.workspaces import write_workspace

SECRET = {"SENDGRID_API_KEY": "SG.hush-hush", "NEWSLETTER_KEY": "0123456789abcdef0123456789abcdef"}
# The program with a fault in it, as a mistake of ours would be.
FAULTY = """
import errno, sys
from newsletter.workflows.compose import compose
def fail(*_arguments, **_options):
    raise {error}
compose.require_issue = fail
from newsletter.__main__ import main
sys.argv[0] = "newsletter"
main()
"""


def ends(
    folder: Path, arguments: list[str], *, error: str = "", stdout: int | None = subprocess.PIPE, shell: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run a command, or one with a fault, or one inside a line of the shell."""
    line = [sys.executable, "-c", FAULTY.format(error=error), *arguments] if error else command(*arguments)
    if shell:
        line = ["bash", "-c", shell, "bash", *line]
    done = subprocess.run(
        line,
        cwd=folder,
        env=environment({**SECRET, "PYTHONDONTWRITEBYTECODE": "1"}),
        stdout=stdout,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
        timeout=120,
        check=False,
    )
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr
    return done


def test_no_kind_of_error_is_swallowed(tmp_path: Path) -> None:
    done = ends(write_workspace(tmp_path), ["build"], error="EOFError('the file ends too early')")
    assert done.returncode == 70
    assert "EOFError" in done.stderr


def test_an_unexpected_error_is_one_sentence_and_a_report(tmp_path: Path) -> None:
    root = write_workspace(tmp_path)
    done = ends(root, ["build", "ana@example.org"], error="KeyError('SG.hush-hush of bo@example.org')")

    (report,) = (root / "logs").glob("report-*.txt")
    text = report.read_text(encoding="utf-8")
    assert done.returncode == 70
    assert len(done.stderr.splitlines()) == 1
    assert str(report) in done.stderr
    assert "newsletter build a***@example.org" in text
    assert "KeyError: '••• of b***@example.org'" in text
    assert "hush" not in text + done.stderr
    assert report.stat().st_mode & 0o777 == 0o600


def test_outside_a_workspace_the_report_goes_to_the_temporary_folder(tmp_path: Path) -> None:
    script = "import newsletter.__main__ as m, newsletter.workflows.compose.new as n\n"
    script += "def fail(*_): raise LookupError('odd')\nn.init_workspace = fail\nm.main()"
    done = subprocess.run(
        [sys.executable, "-c", script, "init", "there"],
        cwd=tmp_path,
        env=environment({"TMPDIR": str(tmp_path)}),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 70
    (report,) = tmp_path.glob("newsletter-*/report-*.txt")
    assert str(report) in done.stderr


@pytest.mark.parametrize(
    ("error", "words"),
    [
        ("OSError(errno.ENOSPC, 'No space left on device')", "the disk is full"),
        ("OSError(errno.ENOLCK, 'No locks available')", "locks"),
        ("MemoryError()", "memory"),
    ],
)
def test_what_the_machine_lacks_ends_with_4(tmp_path: Path, error: str, words: str) -> None:
    root = write_workspace(tmp_path)
    done = ends(root, ["build"], error=error)
    assert done.returncode == 4
    assert words in done.stderr
    assert not (root / "logs").exists()


def test_a_mistake_whose_cause_is_a_full_disk_ends_with_4(tmp_path: Path) -> None:
    root = write_workspace(tmp_path)
    (root / "list.csv").write_text("email,consented_at,consent_source\nana@example.org,2025-01-01,test\n")
    # The shell's limit on files makes the system refuse, as it does when a disk or a quota is full.
    done = ends(root, ["subscribers", "import", "list.csv"], shell='ulimit -f 8; trap "" XFSZ; "$@"')
    assert done.returncode == 4
    assert "disk" in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a device that is always full")
def test_an_output_that_takes_nothing_ends_with_4(tmp_path: Path) -> None:
    root = write_workspace(tmp_path)
    with Path("/dev/full").open("w") as full:
        done = ends(root, ["build"], stdout=full.fileno())
    assert done.returncode == 4
    assert "the disk is full" in done.stderr


@pytest.mark.parametrize("redirection", [">&-", "</dev/null >&0"])
def test_an_output_that_is_closed_ends_with_4(tmp_path: Path, redirection: str) -> None:
    root = write_workspace(tmp_path)
    done = ends(root, ["build"], shell=f'"$@" {redirection}')
    assert done.returncode == 4
    assert "the output is closed" in done.stderr


def test_a_closed_error_output_ends_with_4(tmp_path: Path) -> None:
    assert ends(write_workspace(tmp_path), ["build"], shell='"$@" 2>&-').returncode == 4


@pytest.mark.parametrize("arguments", [["build"], ["--help"], ["segments", "--json"]])
def test_a_reader_that_is_gone_ends_with_141(tmp_path: Path, arguments: list[str]) -> None:
    root = write_workspace(tmp_path)
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = ends(root, arguments, stdout=writing)
    finally:
        os.close(writing)
    assert (done.returncode, done.stderr) == (141, "")


def test_the_users_mistakes_end_with_2(tmp_path: Path) -> None:
    run(write_workspace(tmp_path), "build", "2027-13", expect=2)
