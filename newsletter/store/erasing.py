"""Erase an address from the database: the rows about the person, and the address in every text.

The texts are found by the schema: every column of text of every table is searched, unless NOT_SEARCHED gives the reason
why it is not. A new table is therefore searched without any change here.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import count
from typing import NamedTuple
from urllib.parse import quote

import orjson

from newsletter.model.address import person_of
from newsletter.model.audience import tags_in, tags_text
from newsletter.store.database import Connection
from newsletter.store.proofs import close_lines
from newsletter.store.queries import change, query_all, query_one, query_value


class TextColumn(NamedTuple):
    """A column of text of one of our tables."""

    table: str
    name: str


_A_PERSON = "the address of one person, whose rows are deleted when that person is erased"
_A_WORD = "one of the program's own words"
_MADE_UP = "an identifier that the program, or a provider, made up"
_AS_SENT = "part of the content of an email as it was sent to everyone"
_CHECKED = "a value in which no address is accepted"
_A_FOLDER = "the name of a folder in the workspace, by which an issue's broadcasts are found"
_REASONS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    _A_PERSON: {
        "subscriber": ("person", "email"),
        "suppression": ("person", "email"),
        "past_suppression": ("person",),
        "soft_bounce": ("person",),
        "import_suppression": ("person", "email"),
        "import_return": ("person",),
        "left_since_import": ("person",),
        "signup": ("person", "email", "first_name"),
        "link_request": ("person", "email"),
    },
    _A_WORD: {
        "suppression": ("reason",),
        "past_suppression": ("reason",),
        "import_suppression": ("reason",),
        "import_return": ("reason",),
        "forgotten": ("reason",),
        "broadcast": ("state", "provider", "kind", "tracking"),
        "chunk": ("state",),
        "held_batch": ("state",),
        "proposal": ("state",),
        "last_run": ("command",),
        "settlement": ("status",),
        "journal": ("entry",),
        "notice": ("state",),
        "event": ("type", "cause", "verdict"),
        "event_total": ("type", "verdict"),
        "tracked_link": ("version",),
        "version_total": ("version", "type", "verdict"),
        "post": ("provider",),
        "reaction": ("type",),
        "leaving_remark": ("reason",),
        "kept_outcome": ("state", "content"),
        "watch": ("state",),
        "drawn": ("value",),
        "signup": ("state", "welcome"),
        "link_request": ("kind",),
        "signup_refusal": ("reason",),
    },
    _MADE_UP: {
        "subscriber": ("token",),
        "signup": ("token", "wording"),
        "tracking_choice": ("wording",),
        "link_request": ("token",),
        "former_token": ("token",),
        "signup_wording": ("version",),
        "broadcast": ("content_hash", "nonce"),
        "chunk": ("runner", "message_id", "batch_id"),
        "held_batch": ("id",),
        "approval": ("content_hash",),
        "tested": ("content_hash",),
        "proposal": ("content_hash",),
        "review": ("content_hash",),
        "reviewer": ("token",),
    },
    _AS_SENT: {
        "broadcast": ("envelope",),
        "told_event": ("event", "facts"),
        **dict.fromkeys(("picture", "review_picture"), ("name", "content_type")),
    },
    _CHECKED: {
        "subscriber": ("language", "timezone"),
        "signup": ("language", "topics", "source"),
        "signup_wording": ("language",),
        "attribute": ("name",),
        "suppression": ("topic",),
        "past_suppression": ("topic",),
        "import_suppression": ("topic",),
        "left_since_import": ("topic",),
        "broadcast_topic": ("topic",),
        "chunk": ("zone",),
        "told_zone": ("zones",),
        "told_clock": ("zones_version", "looked_with"),
    },
    _A_FOLDER: dict.fromkeys(("broadcast", "approval", "tested", "proposal", "review", "kept_outcome"), ("issue",)),
}
NOT_SEARCHED: Mapping[TextColumn, str] = {
    TextColumn(table, name): reason
    for reason, tables in _REASONS.items()
    for table, names in tables.items()
    for name in names
}
_TIMES = re.compile(r"(?:.+_)?at|(?:hold|paused|watch)_until")  # the columns that hold times
_OF_A_PERSON = {  # tables of which the rows of one person are deleted or emptied, with the condition for all others
    **dict.fromkeys(
        ("subscriber", "suppression", "past_suppression", "soft_bounce", "import_suppression", "signup"),
        "person <> :person",
    ),
    **dict.fromkeys(("past_consent", "event", "import_change", "leaving_remark"), "subscriber <> :subscriber"),
}

FIND_SUBSCRIBER = query_one("forgotten", "find_id", int)
_EMAILS = query_all("forgotten", "emails", str)
_IS_KNOWN = query_value("forgotten", "is_known", bool)
_ERASURES = tuple(
    change("forgotten", name)
    for name in (
        "erase_past_consents",
        "erase_leaving_remarks",
        "erase_signups",
        "erase_link_requests",
        "erase_former_tokens",
        "erase_tracking_choices",
        "empty_events",
        "erase_import_changes",
        "erase_import_suppressions",
        "erase_import_return",
        "erase_left_since_import",
        "erase_subscriber",
        "erase_suppressions",
        "erase_past_suppressions",
        "erase_soft_bounces",
    )
)
_CREATE_REWRITTEN = change("forgotten", "create_rewritten")
_DROP_REWRITTEN = change("forgotten", "drop_rewritten")
_AROUND = r"[\w.+'-]"  # characters that can belong to a longer address than the one that is erased
_BEFORE = re.compile(rf"{_AROUND}*\Z")
_AFTER = re.compile(r"[\w.-]*")
_LONGEST_ADDRESS = 254  # characters (RFC 3696, erratum 1690)


def is_known(connection: Connection, person: str) -> bool:
    """Return whether anything is stored about a person, apart from other people's texts."""
    return _IS_KNOWN(connection, person=person)


def erase_person(connection: Connection, email: str, *, instead: str) -> int:
    """Erase everything about a person. Return the number of different texts in which their address was written.

    The text `instead` replaces the address there. It must differ from person to person and end with a bracket, because
    some texts have to stay different, such as the reasons of settlements.
    """
    person = person_of(email)
    address = _Address(connection, email)
    if subscriber := FIND_SUBSCRIBER(connection, person=person):
        close_lines(connection, subscriber)
    for erase in _ERASURES:
        erase(connection, person=person)
    return sum(_rewrite(connection, column, address, instead) for column in searched_columns(connection))


def count_mentions(connection: Connection, email: str) -> int:
    """Return how many texts that are not about a person alone contain their address, each place counted once."""
    person, address = person_of(email), _Address(connection, email)
    parameters = {"person": person, "subscriber": FIND_SUBSCRIBER(connection, person=person) or 0}
    mentions = 0
    for column in searched_columns(connection):
        others = _OF_A_PERSON.get(column.table, "TRUE")
        found = address.texts_in(
            connection, column, others, {name: parameters[name] for name in parameters if f":{name}" in others}
        )
        mentions += sum(address.replaced(connection, text, "") != text for text in found)
    return mentions


def searched_columns(connection: Connection) -> Iterator[TextColumn]:
    """Yield the columns in which an address is searched."""
    for table, names in connection.text_columns().items():
        for name in names:
            column = TextColumn(table, name)
            if column not in NOT_SEARCHED and not _TIMES.fullmatch(name):
                yield column


class _Address:
    """All forms in which one person's address can be written: as given, in capitals, in a link, in JSON."""

    def __init__(self, connection: Connection, email: str) -> None:
        person = person_of(email)
        forms = {form for each in {person, email, *_EMAILS(connection, person=person)} for form in _forms_of(each)}
        longest_first = sorted(forms, key=len, reverse=True)
        self._person = person
        self._pattern = re.compile("|".join(map(re.escape, longest_first)), re.IGNORECASE)
        # SQL's lower() changes only ASCII letters. For an address with other letters, every text with an @ is read.
        self._needles = sorted({form.lower() for form in forms} if all(map(str.isascii, forms)) else {"@", "%40"})

    def texts_in(
        self, connection: Connection, column: TextColumn, condition: str, parameters: Mapping[str, object]
    ) -> list[str]:
        """Return the different texts of a column that may contain the address."""
        needles = {f"needle{number}": needle for number, needle in enumerate(self._needles)}
        tests = " OR ".join(f"instr(lower({column.name}), :{name}) > 0" for name in needles)
        query = f"SELECT DISTINCT {column.name} FROM {column.table} WHERE ({tests}) AND {condition}"  # noqa: S608 - our own names
        return [str(text) for (text,) in connection.execute(query, {**needles, **parameters}).fetchall()]

    def replaced(self, connection: Connection, text: str, instead: str) -> str:
        """Return a text with `instead` in place of the address.

        A longer address that contains this one is kept if it is the address of another person who is known here.
        """

        def replacement(match: re.Match[str]) -> str:
            before = _BEFORE.search(text[max(0, match.start() - _LONGEST_ADDRESS) : match.start()])
            after = _AFTER.match(text, match.end())
            around = (before[0] if before else ""), (after[0] if after else "").rstrip(".")
            whole = person_of(f"{around[0]}{match[0]}{around[1]}")
            return match[0] if any(around) and whole != self._person and is_known(connection, whole) else instead

        return self._pattern.sub(replacement, text)


def _forms_of(address: str) -> Iterable[str]:
    in_link = quote(address, safe="@")  # as in a mailto link (RFC 6068)
    in_json = orjson.dumps(address).decode()[1:-1]
    return address, address.replace("@", "%40"), in_link, quote(address, safe=""), in_json


def _rewrite(connection: Connection, column: TextColumn, address: _Address, instead: str) -> int:
    """Replace the address in one column. Return the number of different texts that contained it.

    Texts that were different stay different, because they may be part of a key.
    """
    found = address.texts_in(connection, column, "TRUE", {})
    if not found:
        return 0
    taken = _texts_with(connection, column, instead.rstrip(")"))
    rewritten = []
    for text in sorted(found):
        for number in count(1):
            numbered = instead if number == 1 else f"{instead.rstrip(')')}, {number})"
            changed = address.replaced(connection, text, numbered)
            if column.name == "tags":
                changed = tags_text(tags_in(changed))
            if changed == text or changed not in taken:
                break
        if changed != text:
            taken.add(changed)
            rewritten.append((text, changed))
    if rewritten:
        _CREATE_REWRITTEN(connection)
        connection.load("rewritten", rewritten)
        connection.execute(
            f"UPDATE {column.table} SET {column.name} = r.text FROM rewritten AS r "  # noqa: S608 - our own names
            f"WHERE {column.table}.{column.name} = r.was",
            {},
        )
        _DROP_REWRITTEN(connection)
    return len(rewritten)


def _texts_with(connection: Connection, column: TextColumn, part: str) -> set[str]:
    query = f"SELECT DISTINCT {column.name} FROM {column.table} WHERE instr({column.name}, :part) > 0"  # noqa: S608 - our own names
    return {str(text) for (text,) in connection.execute(query, {"part": part}).fetchall()}
