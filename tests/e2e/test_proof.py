"""Proofs as a director makes them, and as someone else verifies them on another computer."""

import json
from pathlib import Path

import pytest

from newsletter.workflows.doctor.examination import signing_items
from tests.e2e.program import run, write_list
from tests.workspaces import write_workspace

KEY = {"NEWSLETTER_KEY": "0123456789abcdef0123456789abcdef"}
BUNDLE, LINE = Path("build/proof-1.json"), Path("build/proof-1-line-3.json")


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace whose broadcast went to four people, and not to one who had left."""
    root = write_workspace(tmp_path_factory.mktemp("proved"))
    write_list(root / "list.csv", 5)
    run(root, "subscribers", "import", "list.csv")
    run(root, "suppressions", "add", "person0@example.org")
    run(root, "send", "2026-02", "--to", "everyone", "--yes")
    return root


def test_a_proof_is_made_opened_and_verified_elsewhere(workspace: Path, tmp_path: Path) -> None:
    refused = run(workspace, "proof", "1", expect=2)
    assert "NEWSLETTER_KEY is not set" in refused.stderr
    made = run(workspace, "proof", "1", env=KEY)
    assert "5: 4 accepted, 1 excluded" in made.stdout
    assert "passed" in made.stdout
    assert "same proof as before" in run(workspace, "proof", "bundle", "1").stderr
    opened = run(workspace, "proof", "line", "1", "PERSON2@example.org")
    assert "accepted on" in opened.stdout
    assert (workspace / LINE).stat().st_mode & 0o077 == 0
    assert "person" not in (workspace / BUNDLE).read_text()

    for file in (BUNDLE, LINE):
        (tmp_path / file.name).write_bytes((workspace / file).read_bytes())
    verified = run(tmp_path, "proof", "verify", BUNDLE.name, LINE.name)
    assert "The line belongs to this proof" in verified.stdout
    assert "person2@example.org" in verified.stdout
    fingerprint = json.loads((workspace / BUNDLE).read_text())["fingerprint"]
    assert f"signed with  {fingerprint}" in verified.stdout
    (signing,) = signing_items(KEY)
    assert fingerprint in signing.what
    other = run(tmp_path, "proof", "verify", BUNDLE.name, "--fingerprint", "0000", expect=1)
    assert "signed with another key" in other.stderr

    (tmp_path / LINE.name).write_bytes((workspace / LINE).read_bytes().replace(b"person2", b"person4"))
    altered = run(tmp_path, "proof", "verify", BUNDLE.name, LINE.name, expect=1)
    assert altered.stdout == ""
    assert f"{LINE.name} does not belong to this bundle as it is" in altered.stderr


def test_an_erased_person_is_said(workspace: Path) -> None:
    run(workspace, "proof", "1", env=KEY)
    run(workspace, "subscribers", "forget", "person4@example.org", "--yes", env=KEY)
    refused = run(workspace, "proof", "line", "1", "person4@example.org", env=KEY, expect=2)
    assert "was erased, so their line in the proof of broadcast 1 can no longer be opened" in refused.stderr
