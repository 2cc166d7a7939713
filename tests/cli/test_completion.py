"""What the shell receives when someone presses Tab: the protocol of bash and zsh, and their scripts."""

import sqlite3
from pathlib import Path

import pytest
from typer.testing import CliRunner

from newsletter.cli import completion
from newsletter.cli.app import app
from tests.e2e.program import run, write_list
from tests.workspaces import CONFIG, write_workspace

CONTENT = CONFIG.replace("[reviewers]", '[topics]\nnews = "News"\n\n[reviewers]\nboard = ["ada@example.org"]')


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_workspace(tmp_path, {"newsletter.toml": CONTENT, "issues/2026-01/issue.yaml": "subject: one\n"})


def completed(folder: Path, line: str) -> list[str]:
    """Return what bash receives when Tab is pressed at the end of the line."""
    *words, last = line.split(" ")
    asked = {
        "_NEWSLETTER_COMPLETE": "complete_bash",
        "COMP_WORDS": " ".join([*words, last]),
        "COMP_CWORD": str(len(words)),
    }
    before = sorted(folder.rglob("*"))
    done = run(folder, env=asked)
    assert done.stderr == ""
    assert sorted(folder.rglob("*")) == before
    return done.stdout.split()


@pytest.mark.parametrize(
    ("line", "values"),
    [
        ("newsletter su", "subscribers suppressions"),
        ("newsletter subscribers im", "import"),
        ("newsletter suppressions sync --dry", "--dry-run"),
        ("newsletter send ", "2026-02 2026-01"),
        ("newsletter send 2026-01", "2026-01"),
        ("newsletter preview 2026", "2026-02 2026-01"),
        ("newsletter new 2026-03 --from 2", "2026-02 2026-01"),
        ("newsletter send 2026-02 --to ", "everyone teachers"),
        ("newsletter send 2026-02 --to=t", "teachers"),
        ("newsletter subscribers list --segment t", "teachers"),
        ("newsletter segments t", "teachers"),
        ("newsletter subscribers edit --segment t", "teachers"),
        ("newsletter subscribers edit --clear la", "last_name language"),
        ("newsletter subscribers import --replace ta", "tags"),
        ("newsletter test 2026-02 --to ", "board reviewers ada@example.org ana@example.org noor@example.net"),
        ("newsletter test 2026-02 --to reviewers --to no", "noor@example.net"),
        ("newsletter suppressions list --topic n", "news"),
        ("newsletter check --format s", "sarif"),
        ("newsletter check --without ", "browser network spamassassin"),
        ("newsletter status ", "2026-02 2026-01"),
        ("newsletter audit ", ""),
        ("newsletter backup ", ""),
    ],
)
def test_the_shell_completes(root: Path, line: str, values: str) -> None:
    assert completed(root, line) == values.split()


def test_the_shell_completes_the_tags_and_attributes_of_the_list(tmp_path: Path) -> None:
    root = write_workspace(tmp_path)
    (root / "list.csv").write_text("email,tags,shoe_size\nana@example.org,teacher,38\n")
    run(root, "subscribers", "import", "list.csv")
    assert completed(root, "newsletter subscribers edit --untag ") == ["teacher"]
    assert completed(root, "newsletter subscribers edit --clear sh") == ["shoe_size"]


def test_the_shell_completes_the_numbers_of_broadcasts(tmp_path: Path) -> None:
    root = write_workspace(tmp_path)
    write_list(root / "list.csv", 3)
    run(root, "subscribers", "import", "list.csv")
    run(root, "send", "2026-02", "--to", "teachers", "--yes")
    run(root, "send", "2026-02", "--to", "everyone", "--yes")
    assert completed(root, "newsletter status ") == ["2", "1", "2026-02"]
    assert completed(root, "newsletter audit 1") == ["1"]


@pytest.mark.parametrize("line", ["newsletter send ", "newsletter status ", "newsletter nothing --to "])
@pytest.mark.parametrize("config", ["", "[newsletter\n", CONFIG + '\n[database]\nurl = "sqlite:///none/of/it.db"\n'])
def test_the_shell_is_told_nothing_wrong(tmp_path: Path, line: str, config: str) -> None:
    completed(write_workspace(tmp_path, {"newsletter.toml": config}), line)


@pytest.mark.parametrize("line", ["newsletter send ", "newsletter status ", "newsletter test 2 --to "])
def test_outside_of_a_workspace_the_shell_completes_nothing(tmp_path: Path, line: str) -> None:
    assert completed(tmp_path, line) == []


def test_a_database_that_is_not_ours_completes_nothing_and_is_left_alone(root: Path) -> None:
    file = root / "newsletter.db"
    with sqlite3.connect(file) as connection:
        connection.execute("CREATE TABLE broadcast (id)")
    connection.close()
    before = file.read_bytes()
    assert completed(root, "newsletter status ") == []
    assert file.read_bytes() == before


def test_names_that_a_shell_reads_otherwise_are_not_completed(root: Path) -> None:
    folder = root / "issues" / "a letter; $(rm)"
    folder.mkdir()
    (folder / "issue.yaml").write_text("subject: x\n")
    assert completed(root, "newsletter send ") == ["2026-02", "2026-01"]


def test_what_goes_wrong_in_a_completion_is_not_shown(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_NEWSLETTER_COMPLETE", "complete_bash")
    monkeypatch.delenv("COMP_WORDS", raising=False)
    done = CliRunner().invoke(app, [])
    assert (done.exit_code, done.output) == (1, "")


def test_zsh_gets_a_few_words_about_each_value(root: Path) -> None:
    asked = {"_NEWSLETTER_COMPLETE": "complete_zsh", "_TYPER_COMPLETE_ARGS": "newsletter test 2026-02 --to b"}
    done = run(root, env=asked)
    assert (done.stdout.strip(), done.stderr) == ("""_arguments '*: :(("board":"1 reviewer"))'""", "")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_installed_and_shown(shell: str, tmp_path: Path) -> None:
    env = {"HOME": str(tmp_path), "_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}
    installed = run(tmp_path, "--install-completion", shell, env=env)
    assert shell in installed.stdout
    scripts = [path.read_text() for path in tmp_path.rglob("*newsletter*") if path.is_file()]
    assert any(f"_NEWSLETTER_COMPLETE=complete_{shell}" in script for script in scripts)

    shown = run(tmp_path, "--show-completion", shell, env=env)
    assert f"_NEWSLETTER_COMPLETE=complete_{shell}" in shown.stdout


def test_every_kind_of_value_can_be_read(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(root)
    assert completion.values_of("TOPIC") == [("news", "")]
    assert completion.values_of("SEGMENT")[0] == ("everyone", "all subscribers")
    assert completion.values_of("FILE") == []
