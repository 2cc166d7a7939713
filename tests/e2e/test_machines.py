"""Odd machines and habits: each ends in a sentence, or simply works."""

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from newsletter.cli.app import COMMANDS, GROUPS
from tests.e2e.program import command, environment, run, write_list
from tests.workspaces import write_workspace

# The rights of an ordinary person, for a test that is run by root, who may read and write everything.
ORDINARY = ("setpriv", "--bounding-set=-all", "--inh-caps=-all")
needs_rights = pytest.mark.skipif(
    os.geteuid() == 0 and shutil.which("setpriv") is None, reason="root cannot give up its rights here"
)


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    root = write_workspace(tmp_path / "news")
    write_list(root / "list.csv", 3)
    run(root, "subscribers", "import", "list.csv")
    return root


@pytest.fixture(scope="module")
def shared_workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace for tests that only look at how a command ends."""
    root = write_workspace(tmp_path_factory.mktemp("shared") / "news")
    write_list(root / "list.csv", 3)
    run(root, "subscribers", "import", "list.csv")
    return root


def ended(
    folder: Path,
    *arguments: str,
    shell: str = '"$@"',
    env: Mapping[str, str] | None = None,
    wrapper: Sequence[str] = (),
    stdin: int = subprocess.DEVNULL,
) -> subprocess.CompletedProcess[str]:
    """Run a command inside a line of the shell."""
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {shell}", "bash", *wrapper, *command(*arguments)],
        cwd=folder,
        env=environment(env),
        capture_output=True,
        text=True,
        timeout=120,
        stdin=stdin,
        check=False,
    )
    told = f"{' '.join(arguments)} → {done.returncode}\n{done.stdout}\n{done.stderr}"
    assert "Traceback" not in done.stderr, told
    assert "has a bug" not in done.stderr, told
    return done


def ordinary(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command without the rights of root."""
    return ended(folder, *arguments, wrapper=ORDINARY if os.geteuid() == 0 else ())


# Pipes


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["check", "--list"], ["segments", "--json"], ["build"], ["subscribers", "list"], ["clients"]],
)
@pytest.mark.parametrize("head", ["| head -1", "2>&1 | head -c 1"])
def test_a_result_in_head_is_a_success_each_time(shared_workspace: Path, arguments: list[str], head: str) -> None:
    assert {ended(shared_workspace, *arguments, shell=f'"$@" {head}').returncode for _ in range(3)} == {0}


def test_a_long_result_in_head_ends_with_141_each_time(workspace: Path) -> None:
    write_list(workspace / "long.csv", 5000)
    run(workspace, "subscribers", "import", "long.csv")
    codes = {ended(workspace, "subscribers", "export", shell='"$@" | head -1').returncode for _ in range(3)}
    assert codes == {141}


def test_a_pipe_gets_all_of_a_result_and_before_the_advice_that_follows_it(workspace: Path) -> None:
    done = ended(workspace, "check", shell='"$@" 2>&1 | cat')
    lines = done.stdout.splitlines()
    assert [line for line in lines if line.startswith("2026-02: ")]
    assert lines[-1].startswith("next: ")


# Full disks and closed outputs


def every_command() -> list[str]:
    """Every command, with arguments that let it print something."""
    arguments = {
        "init": "there",
        "new": "2027-01",
        "test": "2026-02 --to ana@example.org --yes",
        "approve": "2026-02 --by Ana",
        "send": "2026-02 --to everyone --yes",
        "cancel": "1",
        "resume": "1",
        "resolve": "1",
        "audit": "1",
        "backup": "copy.backup",
        "restore": "copy.backup --yes",
        "preview": "--no-open",
        "worker": "",
        "import": "list.csv",
        "export": "--json",
        "show": "person1@example.org",
        "add": "z@example.org --consent-source desk",
        "edit": "person1@example.org --last-name Lima",
        "forget": "person1@example.org --yes",
        "run-due": "--dry-run",
    }
    names = [key.rpartition(".")[2].rstrip("_").replace("_", "-") for panel in COMMANDS.values() for key in panel]
    lines = [f"{name} {arguments.get(name, '')}".strip() for name in names]
    for group, table in GROUPS.items():
        for key in table:
            name = key.rpartition(".")[2].rstrip("_").replace("_", "-")
            given = "" if group == "suppressions" or name == "export" else arguments.get(name, "")
            lines.append(f"{group} {name} {given}".strip())
    return lines


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a device that is always full")
@pytest.mark.parametrize("line", every_command())
def test_an_output_that_takes_nothing_is_one_sentence(shared_workspace: Path, line: str) -> None:
    full = ended(shared_workspace, *line.split(), shell='"$@" >/dev/full')

    if full.returncode != 4:  # it had nothing to print, or the arguments did not suit
        assert full.returncode in {0, 1, 2}
    else:
        assert full.stderr.splitlines()[-1] == "error: the disk is full; free some space and try again"


# Folders, names and links


@needs_rights
@pytest.mark.parametrize(
    "arguments",
    [
        ["new", "2027-01"],
        ["init", "there"],
        ["subscribers", "add", "a@example.org", "--consent-source", "desk"],
    ],
)
def test_a_folder_that_cannot_be_written_is_named(workspace: Path, arguments: list[str]) -> None:
    for path in (workspace / "newsletter.db", workspace / "issues", workspace):
        path.chmod(0o555)
    try:
        done = ordinary(workspace, *arguments)
    finally:
        workspace.chmod(0o755)
    assert done.returncode == 2
    assert "you do not have permission to " in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["new", "a" * 300],
        ["init", "a" * 300],
        ["subscribers", "export", "--to", f"{'a' * 300}.csv"],
        ["build", "a" * 300],
        ["backup", "a" * 300],
    ],
)
def test_a_name_of_300_letters_is_a_sentence(workspace: Path, arguments: list[str]) -> None:
    done = ended(workspace, *arguments)
    assert done.returncode == 2
    assert len(done.stderr) < 700


@pytest.mark.parametrize("name", ["CON", "con.txt", "Aux", "COM1", "lpt9.md", "nul", "spring."])
def test_a_name_that_windows_cannot_hold_is_refused(tmp_path: Path, workspace: Path, name: str) -> None:
    for done in (ended(workspace, "new", name), ended(tmp_path, "init", name)):
        assert done.returncode == 2
        assert f"'{name}' cannot be the name of a folder on Windows" in done.stderr
    assert not (workspace / "issues" / name).exists()
    assert not (tmp_path / name).exists()


@pytest.mark.parametrize("name", ["console", "com", "lpt10", "2026-03.b", "auxiliary", "null"])
def test_a_name_that_only_resembles_one_is_taken(workspace: Path, name: str) -> None:
    assert ended(workspace, "new", name).returncode == 0


@pytest.mark.parametrize(("there", "wanted"), [("Spring", "spring"), ("mai-a", "MAI-A")])
def test_a_name_that_differs_only_in_capitals_is_refused(workspace: Path, there: str, wanted: str) -> None:
    run(workspace, "new", there)
    done = ended(workspace, "new", wanted)
    assert done.returncode == 2
    assert (
        f"issues/{there} already exists, and macOS and Windows do not tell capitals from small letters" in done.stderr
    )


@pytest.mark.parametrize("entry", [".git", ".jj", ".DS_Store"])
def test_an_empty_repository_is_taken_for_a_newsletter(tmp_path: Path, entry: str) -> None:
    (tmp_path / entry).mkdir()
    (tmp_path / entry / "HEAD").write_text("ref: refs/heads/main\n")
    done = ended(tmp_path, "init")
    assert done.returncode == 0
    assert "newsletter.toml" in done.stdout
    assert f"{entry}/" not in done.stdout


@pytest.mark.parametrize("entry", ["letter.md", ".gitignore"])
def test_a_folder_with_anything_else_is_refused(tmp_path: Path, entry: str) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / entry).write_text("mine")
    assert "is not empty" in ended(tmp_path, "init").stderr


@pytest.mark.parametrize("line", ["check", "init", "init there", "doctor", "subscribers list", "restore copy.backup"])
def test_a_folder_that_was_deleted_is_a_sentence(tmp_path: Path, line: str) -> None:
    (tmp_path / "gone").mkdir()
    done = ended(tmp_path / "gone", *line.split(), shell='rmdir ../gone; "$@"', env={"PYTHONPATH": str(Path.cwd())})
    assert done.returncode == 2
    assert (
        done.stderr == "error: the folder that you are in no longer exists; go to another folder, for example: cd ~\n"
    )


# The list


@needs_rights
def test_whoever_may_not_read_the_list_can_check_and_build(workspace: Path) -> None:
    (workspace / "newsletter.db").chmod(0o000)
    for arguments in (["check"], ["build"]):
        done = ordinary(workspace, *arguments)
        assert done.returncode == 0, done.stderr
        assert "(M1). The list cannot be read: " in done.stdout + done.stderr
    assert (workspace / "build/2026-02/email.html").is_file()
    assert ordinary(workspace, "build", "--as", "person1@example.org").returncode == 2


@pytest.mark.parametrize("arguments", [["check"], ["check", "--format", "json"], ["build"]])
def test_a_list_of_a_newer_version_keeps_no_one_from_writing(workspace: Path, arguments: list[str]) -> None:
    with sqlite3.connect(workspace / "newsletter.db") as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    done = ended(workspace, *arguments)
    assert done.returncode == 0, done.stderr
    assert "it was written by a newer version of newsletter; update newsletter" in done.stdout + done.stderr
    assert ended(workspace, "send", "2026-02", "--to", "everyone", "--yes").returncode == 2


# The environment


@pytest.mark.parametrize("zone", ["/etc/passwd", "America", "Nowhere/Town", "\n"])
@pytest.mark.parametrize("arguments", [["check"], ["run-due"]])
def test_an_odd_time_zone_of_the_machine_changes_nothing(
    shared_workspace: Path, zone: str, arguments: list[str]
) -> None:
    assert ended(shared_workspace, *arguments, env={"TZ": zone}).returncode == 0


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "SSL_CERT_DIR"])
def test_certificates_that_are_gone_are_told(workspace: Path, variable: str) -> None:
    for arguments in (["check"], ["doctor"], ["status"]):
        done = ended(workspace, *arguments, env={variable: "/nowhere/at-all.pem"})
        assert done.returncode == 0, done.stderr
        assert f"{variable} is /nowhere/at-all.pem, which cannot be read" in done.stdout + done.stderr


def test_a_python_without_docstrings_is_refused(workspace: Path) -> None:
    done = ended(workspace, "check", "--list", env={"PYTHONOPTIMIZE": "2"})
    assert done.returncode == 2
    assert done.stderr.endswith("run: unset PYTHONOPTIMIZE\n")


@pytest.mark.parametrize("variable", ["PLAYWRIGHT_NODEJS_PATH", "PLAYWRIGHT_BROWSERS_PATH", "TMPDIR", "HOME"])
def test_settings_of_the_browser_that_lead_nowhere_end_no_check(workspace: Path, variable: str) -> None:
    env = {variable: "/nowhere/at-all", "NEWSLETTER_WITHOUT": "network spamassassin"}
    assert ended(workspace, "check", env=env).returncode == 0


# Hints


def test_the_hint_of_init_can_be_pasted(tmp_path: Path) -> None:
    for name in ("my news", "it's $HOME", "–"):
        done = ended(tmp_path, "init", name)
        hint = done.stderr.partition("next: ")[2].partition("   ")[0].replace("newsletter setup", "pwd")
        shown = subprocess.run(["bash", "-c", hint], cwd=tmp_path, capture_output=True, text=True, check=True).stdout
        assert shown == f"{tmp_path / name}\n"


@pytest.mark.parametrize("column", ["Email $(touch here)", "E`touch here`mail", 'an "Email"', "Email; touch here"])
def test_a_hint_with_a_title_from_a_list_cannot_run_anything(tmp_path: Path, column: str) -> None:
    root = write_workspace(tmp_path / "news")
    quoted = column.replace('"', '""')
    (root / "list.csv").write_text(f'"{quoted}",name\nana@example.org,Ana\n')
    told = ended(root, "subscribers", "import", "list.csv").stderr
    option = told[told.index("--map ") :].splitlines()[0]
    subprocess.run(["bash", "-c", f"echo {option}"], cwd=root, capture_output=True, check=False)
    assert not (root / "here").exists()


# A database that does not know what was sent


@pytest.mark.parametrize("how", ["empty", "copied"])
def test_a_database_that_lacks_a_broadcast_is_told_before_anyone_gets_an_issue_twice(workspace: Path, how: str) -> None:
    with sqlite3.connect(workspace / "newsletter.db") as connection, sqlite3.connect(workspace / "earlier") as earlier:
        connection.backup(earlier)
    connection.close()
    earlier.close()
    run(workspace, "send", "2026-02", "--to", "everyone", "--yes")
    sound = [
        *run(workspace, "doctor").stdout.splitlines(),
        *run(workspace, "send", "2026-02", "--to", "everyone", expect=2).stderr.splitlines(),
    ]
    assert [line for line in sound if "missing from the database" in line] == []
    (sent,) = (workspace / "outbox").glob("b1-*")
    for path in workspace.glob("newsletter.db*"):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    if how == "copied":
        (workspace / "earlier").chmod(0o600)
        (workspace / "earlier").rename(workspace / "newsletter.db")
    assert f"outbox/{sent.name}/ shows that 1 broadcast may be missing" in run(workspace, "doctor").stdout
    run(workspace, "subscribers", "import", "list.csv")

    plan = run(workspace, "send", "2026-02", "--to", "everyone", "--dry-run")

    assert f"note: outbox/{sent.name}/ shows that 1 broadcast may be missing from the database" in plan.stderr


def test_a_log_also_tells_of_a_broadcast_that_the_database_lacks(workspace: Path) -> None:
    (workspace / "logs").mkdir(exist_ok=True)
    (workspace / "logs/run-due.log").write_text('{"what": "sent", "broadcast": 3}\nnot JSON\n[1]\n')
    assert "logs/run-due.log (broadcast 3) shows that 1 broadcast may be missing" in run(workspace, "doctor").stdout
