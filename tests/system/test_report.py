"""What is printed and kept about an unexpected error."""

import tempfile
from pathlib import Path

import pytest

from newsletter import __version__
from newsletter.system.report import report_fault

ENVIRON = {"SENDGRID_API_KEY": "SG.hush", "HOME_TOWN": "Graz"}
COMMAND = ["newsletter", "subscribers", "add", "ana@example.org", "SG.hush"]


def fault() -> Exception:
    try:
        try:
            raise KeyError("bo@example.org")
        except KeyError as err:
            raise TypeError("SG.hush is no number") from err
    except TypeError as err:
        return err


def told(folder: Path | None) -> str:
    return report_fault(fault(), folder, command=COMMAND, environ=ENVIRON)


def test_a_report_has_what_is_needed_and_nobody_in_it(tmp_path: Path) -> None:
    message = told(tmp_path / "logs")

    (path,) = (tmp_path / "logs").iterdir()
    report = path.read_text(encoding="utf-8")
    assert str(path) in message
    assert "TypeError" in message
    assert "Please send that file" in message
    assert "\n" not in message
    assert f"newsletter {__version__}" in report
    assert "newsletter subscribers add a***@example.org •••" in report
    assert "jinja2" in report.lower()
    assert "KeyError: 'b***@example.org'" in report
    assert "TypeError: ••• is no number" in report
    assert "in fault" in report
    assert not any(word in report for word in ("SG.hush", "Graz", "ana@", "bo@"))
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)


@pytest.mark.parametrize("has_workspace", [True, False])
def test_a_report_goes_elsewhere_where_the_workspace_takes_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, has_workspace: bool
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    (tmp_path / "file").touch()

    message = told(tmp_path / "file" if has_workspace else None)

    (path,) = tmp_path.glob("*/report-*.txt")
    assert str(path) in message
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_report_that_nowhere_takes_is_told_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))

    message = told(None)

    assert "Traceback" in message
    assert "SG.hush" not in message


def test_only_the_latest_reports_are_kept(tmp_path: Path) -> None:
    for number in range(30):
        (tmp_path / f"report-20200101-0000{number:02}-1.txt").touch()
    (tmp_path / "worker.log").touch()

    told(tmp_path)

    kept = sorted(path.name for path in tmp_path.iterdir())
    assert len(kept) == 21
    assert kept[0] == "report-20200101-000011-1.txt"
    assert kept[-1] == "worker.log"
