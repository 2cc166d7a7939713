"""The outbox writes whole files under safe names, and says when it cannot."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.model.broadcast import NextStep, Outcome, OutgoingChunk, Verdict
from newsletter.providers.base import Provider
from newsletter.providers.outbox import mails_to
from tests.providers.mailings import chunk, received, recipient
from tests.providers.workspace import opened

SETTINGS = '[provider]\nuse = "outbox"\n'


def test_a_file_is_named_by_broadcast_address_and_delivery(tmp_path: Path) -> None:
    _submit(opened(tmp_path, SETTINGS), chunk(recipient(7, "Ana.Lima+news@example.org")))

    assert _files(tmp_path) == ["outbox/b7/Ana.Lima+news@example.org-7.eml"]


def test_mail_can_be_read_by_its_owner_alone(tmp_path: Path) -> None:
    _submit(opened(tmp_path, SETTINGS), chunk(recipient(1, "ana@example.org")))

    found = [tmp_path / "outbox", *(tmp_path / "outbox").rglob("*")]
    assert len(found) == 3
    assert [path for path in found if path.stat().st_mode & 0o077] == []


def test_the_mails_to_one_person_are_found_by_address_and_delivery(tmp_path: Path) -> None:
    provider = opened(tmp_path, SETTINGS)
    _submit(provider, chunk(recipient(1, "ana@example.org"), recipient(11, "ana@example.org")))
    _submit(provider, chunk(recipient(21, "na@example.org"), recipient(3, "*@example.org")))

    found = [path.name for path in mails_to(tmp_path / "outbox", "ana@example.org", 1)]

    assert found == ["ana@example.org-1.eml"]
    assert mails_to(tmp_path / "outbox", "Ana@example.org", 1) == mails_to(tmp_path / "outbox", "ana@example.org", 1)
    assert [path.name for path in mails_to(tmp_path / "outbox", "*@example.org", 3)] == ["_@example.org-3.eml"]
    assert mails_to(tmp_path / "nowhere", "ana@example.org", 1) == ()


@pytest.mark.parametrize(
    "address",
    [
        "../../etc/passwd@example.org",
        "/etc/passwd@example.org",
        "..@example.org",
        ".hidden@example.org",
        "*?|@example.org",
        "josé@example.org",
        f"{'x' * 300}@example.org",
    ],
)
def test_no_address_leads_out_of_the_folder(tmp_path: Path, address: str) -> None:
    outcome = _submit(opened(tmp_path, SETTINGS), chunk(recipient(1, address)))

    assert outcome.verdict is Verdict.ACCEPTED
    (written,) = (tmp_path / "outbox" / "b7").iterdir()
    assert written.name.endswith("-1.eml")
    assert not written.name.startswith(".")
    assert _files(tmp_path) == [f"outbox/b7/{written.name}"]


@settings(max_examples=50)
@given(local=st.text(min_size=1, max_size=80))
def test_any_address_is_a_file_or_invalid(local: str) -> None:
    with TemporaryDirectory() as name:
        outcome = _submit(opened(Path(name), SETTINGS), chunk(recipient(1, f"{local}@example.org")))

        assert len(_files(Path(name))) == 1 - len(outcome.invalid)


def test_two_addresses_that_look_alike_get_two_files(tmp_path: Path) -> None:
    _submit(opened(tmp_path, SETTINGS), chunk(recipient(1, "a!b@example.org"), recipient(2, "a?b@example.org")))

    assert len(_files(tmp_path)) == 2


def test_writing_again_replaces_the_file(tmp_path: Path) -> None:
    provider = opened(tmp_path, SETTINGS)

    _submit(provider, chunk(recipient(1, "ana@example.org", "Ana")))
    _submit(provider, chunk(recipient(1, "ana@example.org", "Anna"), attempt=2))

    (path,) = (tmp_path / "outbox").rglob("*.eml")
    assert received(path.read_bytes()).subject == "News for Anna: February"


def test_a_full_disk_pauses_and_leaves_nothing_half_written(tmp_path: Path) -> None:
    people = (
        recipient(1, "ana@example.org"),
        recipient(2, "ben@example.org", "x" * 9000),
        recipient(3, "cem@example.org"),
    )

    with _largest_file(5000):
        outcome = _submit(opened(tmp_path, SETTINGS), chunk(*people))

    assert (outcome.verdict, outcome.next_step) == (Verdict.ACCEPTED, NextStep.PAUSE)
    assert outcome.unsent == {2, 3}
    assert "outbox/" in outcome.reason
    assert "resume" in outcome.reason
    assert _files(tmp_path) == ["outbox/b7/ana@example.org-1.eml"]


def test_a_folder_that_cannot_be_made_pauses(tmp_path: Path) -> None:
    (tmp_path / "outbox").write_text("in the way")

    outcome = _submit(opened(tmp_path, SETTINGS), chunk(recipient(1, "ana@example.org")))

    assert (outcome.verdict, outcome.next_step) == (Verdict.READY, NextStep.PAUSE)
    assert outcome.reason.startswith("outbox is a file, not a folder")


def test_the_folder_can_be_elsewhere(tmp_path: Path) -> None:
    provider = opened(tmp_path, f'{SETTINGS}[provider.outbox]\nfolder = "build/mails"\n')

    _submit(provider, chunk(recipient(1, "ana@example.org")))

    assert provider.describe() == "outbox folder build/mails/: emails are saved as files, and nothing is sent"
    assert _files(tmp_path) == ["build/mails/b7/ana@example.org-1.eml"]


@contextmanager
def _largest_file(size_bytes: int) -> Iterator[None]:
    """Has the system refuse to write files that are larger, as it does when a disk is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def _submit(provider: Provider, handed: OutgoingChunk) -> Outcome:
    with provider.session() as session:
        return session.submit(handed)


def _files(folder: Path) -> list[str]:
    found = (path for path in folder.rglob("*") if path.is_file() and path.name != "newsletter.toml")
    return sorted(str(path.relative_to(folder)) for path in found)
