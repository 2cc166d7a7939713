"""The corpus: emails as mail servers, carriers and people send them, each with what it means."""

import tomllib
from datetime import UTC, datetime
from pathlib import Path

from msgspec import Struct, convert

from newsletter.model.return_paths import ReturnPurpose, return_path

_FOLDER = Path(__file__).parent
RECEIVED_AT = datetime(2026, 11, 30, 12, tzinfo=UTC)
SUBSCRIBER, BROADCAST, NONCE = 42, 7, "5f2c9e01a7d34b68"
TOKEN = "Zk3vQ9pXw2Lr8TnYb5Hs1A"
ADDRESS = "ana@example.net"


class Expected(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an email means."""

    kind: str
    cause: str = ""
    by: str  # the first hint at the person
    at: str = ""


EXPECTED = convert(tomllib.loads((_FOLDER / "corpus.toml").read_text(encoding="utf-8")), dict[str, Expected])


def mail(name: str) -> bytes:
    """The email as it was received."""
    return (_FOLDER / "corpus" / f"{name}.eml").read_bytes()


def mail_about(name: str, *, broadcast: int, nonce: str, subscriber: int, token: str, email: str) -> bytes:
    """The same email about another delivery."""
    content = mail(name)
    for purpose in ReturnPurpose:
        old, new = (
            return_path("*", purpose, *whose).encode()
            for whose in ((SUBSCRIBER, BROADCAST, TOKEN), (subscriber, broadcast, token))
        )
        content = content.replace(old, new).replace(old.upper(), new.upper())
    changes = {
        f"b{BROADCAST}-{NONCE}.{SUBSCRIBER}@": f"b{broadcast}-{nonce}.{subscriber}@",
        f"b{BROADCAST}-{NONCE}": f"b{broadcast}-{nonce}",
        f"/u/{SUBSCRIBER}-{TOKEN}": f"/u/{subscriber}-{token}",
        ADDRESS: email,
    }
    for was, becomes in changes.items():
        content = content.replace(was.encode(), becomes.encode())
    return content
