"""Put the links that people asked for in the ledger, as emails of a broadcast of their own kind."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime

from newsletter.language.catalogue import spoken
from newsletter.model.address import person_of
from newsletter.model.permission import may_be_asked
from newsletter.model.preferences import LinkRequest, LinkRequestKind
from newsletter.model.readership import LANGUAGE, Readership
from newsletter.model.signup import MOST_PER_ADDRESS
from newsletter.store.confirmations import mailed_since
from newsletter.store.database import Connection, Database
from newsletter.store.ledger.rolling import Answers, add_answers, name_for_answer
from newsletter.store.queries import change, query_all, query_one, query_value
from newsletter.store.signups import new_subscriber_id
from newsletter.store.subscribers import subscriber_with_id
from newsletter.store.suppressions import suppression_in
from newsletter.system.moments import text_of

_WAITING = query_all("preferences", "waiting", LinkRequest)
_IS_WAITING = query_value("preferences", "is_waiting", bool)
_NEW_ADDRESS_MAILED_SINCE = query_value("preferences", "new_address_mailed_since", int)
_RESERVED_ID = query_one("preferences", "reserved_id", int)
_KEEP_MAILED = change("preferences", "keep_mailed")
_KEEP_BROADCAST = change("preferences", "keep_broadcast")
_PUT_BACK = change("preferences", "put_back")
_DROP = change("preferences", "drop")
_DROP_OLD = change("preferences", "drop_old")
_AT_ONCE = 500  # requests that are decided in one transaction
_LETTER = "letter"  # the axis that says what a letter is about


def readership_of_link(language: str, kind: LinkRequestKind) -> Readership:
    """Return the readers of one variant of the emails with links: those who get a link of this kind in a language."""
    return Readership.of({LANGUAGE: language, _LETTER: kind.value})


def is_link_waiting(database: Database) -> bool:
    """Return whether any link is to be sent. This is a quick look."""
    return _IS_WAITING.ask(database)


def queue_requests(database: Database, answers: Answers, *, day: str, otherwise: str, now: datetime) -> int:
    """Put the links that people asked for in the ledger. Return how many wait, because a person has to look first.

    All links of one day, whose name is `day`, are in one broadcast, and further ones to the same person in others. A
    link that may not be sent is dropped silently. `otherwise` is the language for people whose language is
    not known.
    """
    with database.transaction() as connection:
        _DROP_OLD(connection, before=text_of(now - max(MOST_PER_ADDRESS)))
        groups: defaultdict[str, defaultdict[Readership, dict[int, int]]]
        groups = defaultdict(lambda: defaultdict(dict))  # broadcast's name → readership → request → recipient
        for request in _WAITING(connection, size=_AT_ONCE):
            subscriber = subscriber_with_id(connection, request.subscriber)
            if subscriber is None or not _may_be_sent(connection, request, now=now):
                _DROP(connection, request=request.id)
                continue
            recipient = _recipient_of(connection, request)
            more = sum(recipient in found.values() for group in groups.values() for found in group.values())
            name = name_for_answer(connection, answers.kind, day, recipient, more=more)
            _KEEP_MAILED(connection, request=request.id, recipient=recipient, now=text_of(now))
            language = spoken([*filter(None, [subscriber.record.language]), otherwise])
            groups[name][readership_of_link(language, request.kind)][request.id] = recipient
        return sum(_add(connection, answers, name, group, now=now) for name, group in groups.items())


def _add(
    connection: Connection,
    answers: Answers,
    name: str,
    group: Mapping[Readership, Mapping[int, int]],
    *,
    now: datetime,
) -> int:
    """Add the recipients of one broadcast. Return how many have to wait."""
    people = {readership: sorted(found.values()) for readership, found in group.items()}
    broadcast = add_answers(connection, answers, name, people, now=now)
    requests = [{"request": request} for found in group.values() for request in found]
    if broadcast is None:
        return _PUT_BACK.for_each(connection, requests)
    _KEEP_BROADCAST.for_each(connection, [{**each, "broadcast": broadcast} for each in requests])
    return 0


def _may_be_sent(connection: Connection, request: LinkRequest, *, now: datetime) -> bool:
    """Return whether a link may be sent: one that still works, to an address that may be asked."""
    if not request.is_valid(now):
        return False
    suppression = suppression_in(connection, request.email)
    if not may_be_asked(suppression.reason if suppression else None):
        return False
    if request.kind is not LinkRequestKind.NEW_ADDRESS:
        return True
    # The owner of a new address has not asked for anything, as far as we know, so the limits of the form apply.
    person = person_of(request.email)
    return all(
        _NEW_ADDRESS_MAILED_SINCE(connection, person=person, since=text_of(now - span))
        + mailed_since(connection, person, now - span)
        < most
        for span, most in MOST_PER_ADDRESS.items()
    )


def _recipient_of(connection: Connection, request: LinkRequest) -> int:
    """Return the id of the recipient in the ledger. The owner of a new address has one of their own.

    What is reported about an email to that address, such as a bounce, must not be held against the address on the list.
    """
    if request.kind is not LinkRequestKind.NEW_ADDRESS:
        return request.subscriber
    return _RESERVED_ID(connection, person=person_of(request.email)) or new_subscriber_id(connection)
