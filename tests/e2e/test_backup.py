"""`backup` and `restore`, as a person types them."""

from pathlib import Path

from tests.e2e.program import run, write_list


def test_a_backup_is_made_and_brought_back(tmp_path: Path) -> None:
    run(tmp_path, "init")
    write_list(tmp_path / "list.csv", 3)
    run(tmp_path, "subscribers", "import", "list.csv", "--basis", "they are members")
    saved = run(tmp_path, "backup", "saved.db")
    assert saved.stdout.startswith("Saved to saved.db (")
    assert "newsletter restore saved.db" in saved.stderr
    assert "already exists" in run(tmp_path, "backup", "saved.db", expect=2).stderr
    write_list(tmp_path / "list.csv", 5)
    run(tmp_path, "subscribers", "import", "list.csv", "--basis", "they are members")

    assert "add --yes" in run(tmp_path, "restore", "saved.db", expect=2).stderr
    brought = run(tmp_path, "restore", "saved.db", "--yes")

    assert "restored to its state as of" in brought.stdout
    assert "newsletter-before-restore-" in brought.stdout
    assert len(run(tmp_path, "subscribers", "export").stdout.splitlines()) == 4

    (tmp_path / "newsletter.db").unlink()
    lost = run(tmp_path, "restore", "saved.db", "--yes")
    assert "suppressions sync" in lost.stderr
    assert len(run(tmp_path, "subscribers", "export").stdout.splitlines()) == 4
