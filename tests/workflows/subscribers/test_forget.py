"""Forgetting a person: what is planned is what is erased, in the database, in its file and in the outbox."""

import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from newsletter.config import Config, load_config
from newsletter.errors import InputError
from newsletter.lists.exports import batch_of
from newsletter.model.columns import SubscriberRecord
from newsletter.model.imports import ImportTerms
from newsletter.store.database import Database
from newsletter.store.merge import merge_subscribers
from newsletter.store.subscribers import find_subscriber
from newsletter.workflows.subscribers.forget import erase, plan_erasure
from tests.store.builders import KEY, NOW, add, add_people, forget, id_of, row
from tests.store.empty_file import open_test_database
from tests.workspaces import write_workspace

ANA = "Ana@example.org"


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return load_config(write_workspace(tmp_path))


@pytest.fixture
def database(config: Config) -> Iterator[Database]:
    with open_test_database(config.database, wait_seconds=1) as opened:
        add_people(opened, 2)
        add(opened, row(ANA, attributes={"city": "Lisbon"}))
        yield opened


def put_mail(config: Config, name: str) -> Path:
    path = config.root / "outbox" / "b1-00" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("a mail")
    return path


def test_a_plan_changes_nothing(config: Config, database: Database) -> None:
    mail = put_mail(config, f"{ANA}-{id_of(database, ANA)}.eml")

    planned = plan_erasure(config, database, "ana@example.org", key=KEY)

    assert planned.person.email == ANA
    assert planned.mails == (mail,)
    assert not planned.is_on_server
    assert find_subscriber(database, ANA) is not None
    assert mail.exists()


def test_what_was_planned_is_erased(config: Config, database: Database) -> None:
    mail, other = (
        put_mail(config, f"{ANA}-{id_of(database, ANA)}.eml"),
        put_mail(config, "person00000@example.org-1.eml"),
    )

    is_scrubbed = erase(database, plan_erasure(config, database, ANA, key=KEY), key=KEY, now=NOW)

    assert is_scrubbed
    assert find_subscriber(database, ANA) is None
    assert (mail.exists(), other.exists()) == (False, True)
    left = [path for path in config.root.rglob("*") if path.is_file() and b"ana@example" in path.read_bytes().lower()]
    assert [path.name for path in left] == ["newsletter.toml"]  # of a reviewer


def test_without_a_key_nothing_is_erased(config: Config, database: Database) -> None:
    with pytest.raises(InputError, match="NEWSLETTER_KEY is not set"):
        plan_erasure(config, database, ANA, key=None)
    forget(database, "person00000@example.org")
    with pytest.raises(InputError, match="not the key"):
        plan_erasure(config, database, ANA, key=KEY[::-1])
    assert find_subscriber(database, ANA) is not None


def test_nobody_is_forgotten_of_whom_nothing_is_known(config: Config, database: Database) -> None:
    with pytest.raises(InputError, match="nothing is known about"):
        plan_erasure(config, database, "ana@example.net", key=KEY)
    erase(database, plan_erasure(config, database, ANA, key=KEY), key=KEY, now=NOW)
    with pytest.raises(InputError, match="was erased on 2026-02-19"):
        plan_erasure(config, database, ANA, key=KEY)


def test_a_mail_that_cannot_be_deleted_leaves_them_on_the_list(config: Config, database: Database) -> None:
    folder = put_mail(config, f"{ANA}-{id_of(database, ANA)}.eml/a").parent
    assert folder.is_dir()

    with pytest.raises(InputError, match=r"is a folder, not a file; "):
        erase(database, plan_erasure(config, database, ANA, key=KEY), key=KEY, now=NOW + timedelta(days=1))
    assert find_subscriber(database, ANA) is not None


def test_the_address_leaves_no_trace_in_the_file_although_others_name_it(config: Config, database: Database) -> None:
    terms = ImportTerms(file=f"{ANA}.csv", basis=f"told by {ANA}", tags=(ANA.lower(),))
    people = [SubscriberRecord(email=f"friend{number}@example.org") for number in range(50)]
    merge_subscribers(database, [batch_of(people)], terms=terms, now=NOW)

    planned = plan_erasure(config, database, ANA, key=KEY)
    assert planned.mentions > 0
    assert erase(database, planned, key=KEY, now=NOW)

    assert isinstance(config.database, Path)
    content = b"".join(path.read_bytes() for path in config.root.glob(f"{config.database.name}*") if path.is_file())
    assert b"ana@example.org" not in content.lower()


def test_somebody_who_is_only_named_in_texts_is_forgotten_too(config: Config, database: Database) -> None:
    add(database, row("bo@example.org", attributes={"friend": "cy@example.org"}))

    planned = plan_erasure(config, database, "cy@example.org", key=KEY)

    assert (planned.mentions, planned.person.subscriber) == (1, None)
    erase(database, planned, key=KEY, now=NOW)
    with pytest.raises(InputError, match="was erased on 2026-02-19"):
        plan_erasure(config, database, "cy@example.org", key=KEY)


def test_files_of_the_workspace_that_may_name_them_are_told(config: Config, database: Database) -> None:
    put_mail(config, "test.eml")
    assert isinstance(config.database, Path)
    with open_test_database(config.database, wait_seconds=1):
        copy = config.database.with_name(f"{config.database.stem}-before-0001-20260101{config.database.suffix}")
        shutil.copyfile(config.database, copy)

    assert plan_erasure(config, database, ANA, key=KEY).elsewhere == ("build", "outbox", config.shown(copy.resolve()))
