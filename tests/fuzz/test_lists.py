"""List files of any tool, cut, overwritten and mixed: read row by row, or told as mistakes."""

import tempfile
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path

from hypothesis import given, settings

from newsletter.errors import MistakesError, NewsletterError
from newsletter.lists.csv_import import read_list
from newsletter.lists.suppression_list import read_suppressions
from newsletter.lists.suppression_rows import SuppressionTerms
from tests.fuzz.amount import EXAMPLES
from tests.fuzz.limits import limited
from tests.fuzz.mutations import texts

_FOLDER = tempfile.TemporaryDirectory(prefix="newsletter-fuzz-")
_NOW = datetime(2026, 2, 19, 16, 0, tzinfo=UTC)
_TOPICS = {"news": "News", "events": "Events and retreats"}
_BASES = (
    'email,first_name,language,timezone,tags,consented_at,status\nana@example.org,Ana,en,Europe/Paris,"a,b",'
    "2026-01-31T08:00:00Z,active\nbo@example.org,Bo,de,,c;d,31.1.2026,unsubscribed\n",
    "Email Address;First Name;MEMBER_RATING;OPTIN_TIME;UNSUB_TIME\nana@example.org;Ana;2;2025-01-01 10:00:00;\n",
    "ana@example.org\nbo@example.org\n# a note\nzoë@müller.example.org\n",
    "email,reason,topic,detail,created_at\nana@example.org,bounced,,550 no,2026-01-01T00:00:00Z\n",
    "BEGIN:VCARD\nVERSION:3.0\nN:Lima;Ana;;;\nEMAIL;type=HOME:ana@example.net\nCATEGORIES:VIP,Bristol\\,\nEND:VCARD\n",
)
_PIECES = (
    *(",", ";", "\t", "|", '"', '""', "'", "\n", "\r\n", "\r", "\0", "\ufeff", " ", "\u00a0", "\u200b", "=1+1", "@"),
    *("ana@example.org", "@example.org,", "a@b\n", "é", "ß"),
    *("陽子", "\U0001f469\u200d\U0001f3eb", "unsubscribed", "yes", "0"),
    *("2026-01-31", "31/01/2026", "1e400", "9" * 400, "2026-01-01 1", "0000-00-00 00:00:00", "null", "[]", '{"a":1}'),
    *("email,status\n", "Unsubscribed?", "END:VCARD\n", "BEGIN:VCARD\n"),
    *("=C3=", "charset=utf-7:", '["news"]', "a;" * 50),
)


@given(content=texts(_BASES, _PIECES))
@settings(max_examples=EXAMPLES)
def test_any_list_is_read_or_told(content: bytes) -> None:
    path = Path(_FOLDER.name, "list.csv")
    path.write_bytes(content)

    with limited():
        _read(lambda: read_list(path, topics=_TOPICS, now=_NOW))


@given(content=texts(_BASES, _PIECES))
@settings(max_examples=EXAMPLES)
def test_any_list_of_people_who_left_is_read_or_told(content: bytes) -> None:
    path = Path(_FOLDER.name, "left.csv")
    path.write_bytes(content)

    with limited():
        _read(lambda: read_suppressions(path, terms=SuppressionTerms(), topics=_TOPICS, now=_NOW))


def _read(rows: Callable[[], Iterable[object]]) -> None:
    """Read all rows. If that ends in one of the program's own errors, it must be short."""
    try:
        for _ in rows():
            pass
    except NewsletterError as err:
        told = [str(mistake) for mistake in err.mistakes] if isinstance(err, MistakesError) else [str(err)]
        _require_short(told)


def _require_short(told: list[str]) -> None:
    assert len(told) <= 200
    assert all(len(each) < 3_000 for each in told)
