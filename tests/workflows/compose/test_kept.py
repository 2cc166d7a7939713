"""What was approved is kept, so that it can be compared with what the issue has become."""

import os
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from newsletter.config import Config, load_config
from newsletter.store.database import Database
from newsletter.workflows.compose.compose import compose_issue
from newsletter.workflows.compose.kept import KeptContent, content_now, find_kept, keep_approved
from newsletter.workflows.review.invite import open_review
from newsletter.workflows.send.approve import approve_content, draft_approval
from tests.store.empty_file import open_test_database
from tests.workspaces import write_workspace

NOW = datetime(2026, 2, 19, 8, tzinfo=UTC)


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return load_config(write_workspace(tmp_path))


@pytest.fixture
def database(config: Config) -> Iterator[Database]:
    with open_test_database(config.database, workspace=config.root) as opened:
        yield opened


def kept(config: Config, database: Database, content_hash: str) -> KeptContent | None:
    with database.read() as connection:
        return find_kept(config, connection, "2026-02", content_hash)


def approve(config: Config, database: Database) -> str:
    draft = draft_approval(config, database, config.root / "issues/2026-02", now=NOW)
    return approve_content(database, draft, by="Ana Lima", now=NOW).content_hash


def test_an_approval_keeps_exactly_what_was_approved(config: Config, database: Database) -> None:
    before = content_now(compose_issue(config, config.root / "issues/2026-02"))
    content_hash = approve(config, database)
    letter = config.root / "issues/2026-02/letter.md"
    letter.write_text(letter.read_text().replace("small letter", "quiet letter"))
    assert kept(config, database, content_hash) == before


def test_only_its_owner_can_read_it(config: Config, database: Database) -> None:
    content_hash = approve(config, database)
    path = config.root / "build/.approved" / content_hash
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize("content", [b"", b"no archive", b"x\x9c\x03\x00\x00\x00\x00\x01"])
def test_a_file_that_is_damaged_counts_as_not_kept(config: Config, database: Database, content: bytes) -> None:
    content_hash = approve(config, database)
    (config.root / "build/.approved" / content_hash).write_bytes(content)
    assert kept(config, database, content_hash) is None


@pytest.mark.parametrize("content_hash", ["", "../../newsletter.toml", "a" * 63, "A" * 64])
def test_no_other_name_is_read(config: Config, database: Database, content_hash: str) -> None:
    assert kept(config, database, content_hash) is None


def test_a_link_to_another_file_is_not_followed(config: Config, database: Database) -> None:
    content_hash = approve(config, database)
    path = config.root / "build/.approved" / content_hash
    path.rename(config.root / "elsewhere")
    path.symlink_to(config.root / "elsewhere")
    assert kept(config, database, content_hash) is None


def test_an_approval_counts_even_if_nothing_can_be_kept(config: Config, database: Database) -> None:
    (config.root / "build/.approved").write_text("a file in the way")
    assert kept(config, database, approve(config, database)) is None


def test_the_oldest_are_deleted(config: Config) -> None:
    composed = compose_issue(config, config.root / "issues/2026-02")
    keep_approved(composed)
    folder = config.root / "build/.approved"
    for number in range(80):
        path = folder / f"{number:064x}"
        path.write_bytes(b"")
        os.utime(path, ns=(number, number))
    keep_approved(composed)
    left = {path.name for path in folder.iterdir()}
    assert len(left) == 60
    assert composed.rendered.content_hash in left
    assert f"{0:064x}" not in left


def test_what_reviewers_were_shown_serves_too(config: Config, database: Database) -> None:
    draft = draft_approval(config, database, config.root / "issues/2026-02", now=NOW)
    open_review(config, database, draft, ["Ana Lima <ana@example.org>"], now=NOW)
    assert not (config.root / "build/.approved").exists()
    assert kept(config, database, draft.content_hash) == content_now(draft.composed)
