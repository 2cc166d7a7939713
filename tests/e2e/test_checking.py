"""`newsletter check`, `build` and `send` as they are typed: forms, waivers, what is left out, exit codes."""

import json
import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.e2e.program import command, environment, run, write_list
from tests.workspaces import CONFIG, ISSUE, LETTER, write_workspace

LEFT = {"issues/2026-02/letter.md": LETTER + "\nTODO: one more word.\n"}
WAIVED = LEFT | {"issues/2026-02/issue.yaml": ISSUE + "waive:\n  S6: it is the name of a band\n"}


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    return write_workspace(tmp_path, LEFT)


def test_an_error_ends_with_one_and_a_waiver_with_nothing(workspace: Path) -> None:
    refused = run(workspace, "check", "2026-02", expect=1).stdout
    assert "issues/2026-02/letter.md:6: error" in refused
    assert "checks skipped)" in refused.splitlines()[-1]

    write_workspace(workspace, WAIVED)
    told = run(workspace, "check", "2026-02").stdout
    assert "issues/2026-02/letter.md:6: overridden: " in told
    assert "reason: it is the name of a band [S6]" in told
    assert "1 overridden (" in told.splitlines()[-1]


@pytest.mark.parametrize("form", ["json", "sarif"])
def test_a_program_reads_the_findings_and_what_was_not_judged(workspace: Path, form: str) -> None:
    read = json.loads(run(workspace, "check", "2026-02", "--format", form, expect=1).stdout)
    if form == "json":
        assert "S6" in {finding["rule"] for finding in read["findings"]}
        assert "A6" in {each["rule"] for each in read["not_run"]}
    else:
        assert "S6" in {result["ruleId"] for result in read["runs"][0]["results"]}


def test_what_is_left_out_is_said_on_the_command_line_or_in_the_environment(workspace: Path) -> None:
    everything = ("--without", "browser", "--without", "network", "--without", "spamassassin")
    told = run(workspace, "check", "2026-02", *everything, env={"NEWSLETTER_WITHOUT": ""}, expect=1).stdout
    assert re.search(
        r"^Skipped: .+ \(A6\), .+ \(S13\)\. The browser checks are turned off by `without`\.$", told, re.MULTILINE
    )
    assert re.search(
        r"^Skipped: .+ \(J1\)\. The spamassassin checks are turned off by `without`\.$", told, re.MULTILINE
    )
    refused = run(workspace, "check", "2026-02", "--without", "patience", expect=2).stderr
    assert "--without: 'patience' is not valid" in refused


def test_a_machine_without_browser_and_filter_says_what_to_install(workspace: Path, tmp_path: Path) -> None:
    nothing = {"PATH": str(tmp_path / "empty"), "NEWSLETTER_WITHOUT": "network"}
    told = run(workspace, "check", "2026-02", env=nothing, expect=1).stdout
    assert re.search(r"^Skipped: .+ \(A6\), .+ \(S13\)\. .*[Ii]nstall Chromium or Chrome", told, re.MULTILINE)
    assert re.search(r"^Skipped: .+ \(J1\)\. .*SpamAssassin is not installed", told, re.MULTILINE)


def test_where_both_are_they_are_asked(workspace: Path) -> None:
    if not (shutil.which("chromium") and shutil.which("spamassassin")):
        reason = "Chromium or SpamAssassin is not installed: apt-get install chromium spamassassin"
        pytest.fail(reason) if os.environ.get("CI") == "true" else pytest.skip(reason)
    told = run(workspace, "check", "2026-02", env={"NEWSLETTER_WITHOUT": "network"}, expect=1).stdout
    assert not {"A6", "S13", "J1"} & {word.strip("(),.:") for line in told.splitlines() for word in line.split()}


def test_a_mistake_in_a_waiver_is_told_with_its_line(workspace: Path) -> None:
    write_workspace(
        workspace, {"newsletter.toml": CONFIG + '\n[checks.waive]\nS61 = "we want to"\nL2 = "we want to"\n'}
    )
    told = run(workspace, "check", "2026-02", expect=1).stdout
    assert "newsletter.toml:21: error `waive` names the check 'S61', which does not exist" in told
    assert "newsletter.toml:22: error check L2 cannot be overridden" in told


def test_a_broadcast_says_what_was_not_judged_and_what_stands_waived(workspace: Path) -> None:
    write_list(workspace / "list.csv", 2)
    run(workspace, "subscribers", "import", "list.csv")
    refused = run(workspace, "send", "2026-02", "--to", "everyone", "--dry-run", expect=1).stdout
    assert "letter.md:6: error" in refused

    write_workspace(workspace, WAIVED)
    told = run(workspace, "send", "2026-02", "--to", "everyone", "--dry-run").stdout

    assert "overridden  S6: it is the name of a band" in told
    assert re.search(r"\(A6\), .+ \(S13\)\. The browser checks are turned off", " ".join(told.split()))


def test_every_rule_is_explained_with_what_it_needs_and_its_source(workspace: Path) -> None:
    told = run(workspace, "check", "--list").stdout
    assert " (A6): error, needs a browser\n" in told
    assert " (J1): error, needs SpamAssassin\n" in told
    assert re.search(r" \(L2\): error, cannot be \w+$", told, re.MULTILINE)


def test_ctrl_c_ends_the_browser_at_once_and_leaves_nothing(workspace: Path) -> None:
    if not shutil.which("chromium"):
        reason = "Chromium is not installed: apt-get install chromium"
        pytest.fail(reason) if os.environ.get("CI") == "true" else pytest.skip(reason)
    with TemporaryDirectory(prefix="t-") as scratch:  # its path is short, as a socket of the browser's needs it
        Path(scratch).chmod(0o755)  # so that another user may run the browser in it
        surroundings = environment({"NEWSLETTER_WITHOUT": "network spamassassin", "TMPDIR": scratch})
        with subprocess.Popen(
            command("check", "2026-02"),
            cwd=workspace,
            env=surroundings,
            stderr=subprocess.PIPE,
            start_new_session=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - a job in the background ignores it
        ) as checking:
            while checking.poll() is None and not list(
                Path(scratch).glob("newsletter-browser-*/playwright_chromium*/*")
            ):
                time.sleep(0.02)
            os.killpg(checking.pid, signal.SIGINT)
            _, told = checking.communicate(timeout=60)
        left = [path for path in Path(scratch).iterdir() if not path.name.startswith("_jinja2-cache")]

    assert checking.returncode == 130, told
    assert b"Future" not in told
    assert b"Traceback" not in told
    assert left == []
