"""A list whose people got one broadcast, one person for each email of the corpus."""

from datetime import UTC, datetime
from pathlib import Path

from newsletter.model.broadcast import Broadcast
from newsletter.store.database import Database
from newsletter.store.subscribers import export_subscribers
from tests.mailbox.corpus import EXPECTED, mail_about
from tests.store.builders import add_people, freeze, send_all

SENT_AT = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
NOW = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)
NAMES = tuple(EXPECTED)


def list_of_readers(database: Database) -> None:
    """Adds the people, and sends them the broadcast."""
    add_people(database, len(NAMES))
    send(database, freeze(database, chunk_size=100, now=SENT_AT))


def send(database: Database, broadcast: Broadcast) -> None:
    send_all(database, broadcast)
    with database.transaction() as connection:
        connection.execute(
            "UPDATE chunk SET changed_at = '2026-11-23T08:00:00Z' WHERE broadcast = :broadcast",
            {"broadcast": broadcast.id},
        )


def broadcast_of(database: Database) -> tuple[int, str]:
    with database.read() as connection:
        ((number, nonce),) = connection.execute("SELECT id, nonce FROM broadcast", {}).fetchall()
    return int(str(number)), str(nonce)


def write_corpus(database: Database, folder: Path) -> dict[str, str]:
    """Writes each email of the corpus, about another person, and returns the person's address by its name."""
    folder.mkdir()
    number, nonce = broadcast_of(database)
    people = dict(zip(NAMES, export_subscribers(database), strict=True))
    for name, person in people.items():
        about = {"broadcast": number, "nonce": nonce, "subscriber": person.id, "token": person.token}
        (folder / f"{name}.eml").write_bytes(mail_about(name, **about, email=person.record.email))  # type: ignore[arg-type]
    return {name: person.record.email for name, person in people.items()}
