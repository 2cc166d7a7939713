"""How the browser is started, as the system tells it and not our own flags: its user, its sandbox, its secrets."""

import os
import pwd
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from newsletter.checks.browser.confinement import find_browser, started_browser
from newsletter.errors import CannotRunError

SECRETS = {"SENDGRID_API_KEY": "SG.hush-hush", "NEWSLETTER_SMTP_PASSWORD": "hush-hush", "NEWSLETTER_KEY": "hush" * 8}
REAL = shutil.which("chromium") or ""
linux_only = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux tells about its processes")
root_only = pytest.mark.skipif(os.geteuid() != 0, reason="only root can start a program as somebody else")


class Process(NamedTuple):
    """What Linux says of a process."""

    arguments: list[str]
    user: int
    has_filter: bool  # Seccomp mode 2: only some system calls are allowed
    environment: str


def descendants() -> Iterator[Process]:
    """All processes that this one has started, directly or not."""
    parents = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(folder.name)] = dict(
                line.split(":\t", 1) for line in (folder / "status").read_text().splitlines() if ":\t" in line
            )
        except (FileNotFoundError, ProcessLookupError):
            continue
    family = {os.getpid()}
    while more := {number for number, facts in parents.items() if int(facts["PPid"]) in family} - family:
        family |= more
    for number in family - {os.getpid()}:
        folder = Path("/proc") / str(number)
        try:
            arguments, environment = (folder / "cmdline").read_text(), (folder / "environ").read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue
        facts = parents[number]
        # A renderer replaces its command line by one with spaces.
        yield Process(re.split("[\0 ]", arguments), int(facts["Uid"].split()[1]), facts["Seccomp"] == "2", environment)


def renderers(family: list[Process]) -> list[Process]:
    found = [each for each in family if "--type=renderer" in each.arguments]
    assert found
    return found


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that every user can enter."""
    with tempfile.TemporaryDirectory(prefix="t-", dir="/tmp") as made:
        Path(made).chmod(0o755)
        yield Path(made)


def put_program(folder: Path, name: str, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a program of this name before all others."""
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")


@linux_only
def test_content_is_shown_in_the_sandbox_not_as_root_and_without_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    with started_browser(()) as started:
        started.browser.new_page().goto("data:text/html,<p>An email")
        family = list(descendants())

    assert started.exposure == ""
    assert all(each.has_filter for each in renderers(family))
    assert [each.arguments for each in family if "chrom" in each.arguments[0] and each.user == 0] == []
    assert any("cli.js" in "".join(each.arguments) for each in family)  # Playwright's driver
    assert [each.arguments for each in family if "hush" in each.environment] == []


@linux_only
@root_only
def test_as_root_the_browser_is_another_user_and_its_files_are_gone_afterwards(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    with started_browser(()) as started:
        page = started.browser.new_page()
        page.goto("data:text/html,<p>An email")
        users = {each.user for each in descendants() if "chrom" in each.arguments[0]}
        (home,) = folder.iterdir()
        assert home.stat().st_uid in users
    assert users == {pwd.getpwnam("nobody").pw_uid}
    assert list(folder.iterdir()) == []


@linux_only
def test_where_the_kernel_allows_no_sandbox_the_browser_runs_without_and_says_so(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_program(folder, "chromium", f'case "$*" in *--no-sandbox*) exec {REAL} "$@" ;; esac; exit 1', monkeypatch)
    with started_browser(()) as started:
        started.browser.new_page().goto("data:text/html,<p>An email")
        family = list(descendants())

    assert not any(each.has_filter for each in renderers(family))
    assert started.exposure.startswith("Chromium ran without its sandbox, because ")
    assert all(each.user for each in renderers(family))


@linux_only
@root_only
@pytest.mark.parametrize("script", ["exit 1", "echo setpriv: setresuid failed >&2; exit 127"])
def test_where_no_other_user_can_be_had_either_the_browser_runs_as_root_and_says_so(
    script: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_program(folder, "setpriv", script, monkeypatch)
    with started_browser(()) as started:
        assert started.browser.new_page().evaluate("1 + 1") == 2
        assert {each.user for each in renderers(list(descendants()))} == {0}

    assert started.exposure.startswith("Chromium ran as root and without its sandbox, because ")


@linux_only
@root_only
def test_a_temporary_folder_that_is_closed_to_others_keeps_no_browser_out_of_its_sandbox(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tmp_path.chmod(0o700)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with started_browser(()) as started:
        assert started.exposure == ""


def test_the_environment_of_later_programs_is_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLAYWRIGHT_NODEJS_PATH", shutil.which("node") or "")
    before = os.environ["PLAYWRIGHT_NODEJS_PATH"]
    if not before:
        monkeypatch.delenv("PLAYWRIGHT_NODEJS_PATH")
    with started_browser(()):
        named = os.environ["PLAYWRIGHT_NODEJS_PATH"]
    assert named == before or re.search(r"playwright/driver/node$", named)


def test_without_a_browser_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CannotRunError, match="install Chromium or Chrome, or run `playwright install chromium`"):
        find_browser(tmp_path / "none")


def test_the_machines_own_browser_comes_before_playwrights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundled, own = tmp_path / "bundled", tmp_path / "chromium"
    bundled.touch()
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_browser(bundled) == bundled
    own.touch(mode=0o755)
    assert find_browser(bundled) == own


def test_a_browser_that_does_not_start_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "chromium").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "chromium").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(CannotRunError, match="chromium does not start"), started_browser(()):
        pass


def test_a_temporary_folder_with_a_long_path_keeps_no_browser_from_starting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = tmp_path / "a-folder-whose-path-has-more-letters-than-a-socket-may-have"
    long.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(long))
    with started_browser(()) as started:
        assert started.browser.new_page().evaluate("1 + 1") == 2
