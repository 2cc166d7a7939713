"""What every query of the store is called with, and the world that it is asked about."""

from collections.abc import Mapping

from newsletter.model.audience import SuppressionReason
from newsletter.model.broadcast import BroadcastState, ChunkState, DeliveryStatus
from newsletter.model.event import EventType
from newsletter.model.ledger import Entry
from newsletter.store.database import Connection

T = "2026-02-19T08:00:00Z"
LATER = "2026-02-20T08:00:00Z"
EVER = "2000-01-01T00:00:00Z"
NEVER = "2100-01-01T00:00:00Z"

Call = Mapping[str, object]
ONE: Call = {"broadcast": 1}
NONE: Call = {"broadcast": 999}
CHUNK: Call = {"broadcast": 1, "chunk": 1}
PERSON: Call = {"person": "p1@example.org"}
STRANGER: Call = {"person": "nobody@example.org"}
ALL_OF_THEM: Call = {"every_topic": 1, "topic": "", "every_reason": 1, "reason": ""}
PERSONS = '["p1@example.org", "p2@example.org", "p3@example.org", "nobody@example.org"]'
PAGE_OF_CHUNK: Call = {**CHUNK, "first_subscriber": 1, "size": 10}

# Each query with the calls that are made of it, in the order of the list: all of a file in one transaction.
CALLS: tuple[tuple[str, tuple[Call, ...]], ...] = (
    ("approvals.approve", ({"issue": "2026-03", "content_hash": "h", "approved_by": "Bo", "now": T},)),
    ("approvals.of_content", ({"issue": "2026-02", "content_hash": "abc"},)),
    ("approvals.last_of", ({"issue": "2026-02"}, {"issue": "none"})),
    ("approvals.remember_test", ({"issue": "2026-03", "content_hash": "h", "copies": 2, "now": T},)),
    ("approvals.tested_at", ({"issue": "2026-02", "content_hash": "abc"}, {"issue": "none", "content_hash": ""})),
    ("audit.deliveries", ({"broadcast": 1, "after": 0, "status": "", "size": 99},)),
    ("audit.find_forgotten", ({"digest": b"1"}, {"digest": b"2"}, {"digest": b"3"})),
    ("backup.is_anything_there", ({},)),
    ("backup.nonces", ({},)),
    ("backup.tokens", ({"size": 9},)),
    ("backup.runners", ({},)),
    ("backup.open_broadcasts", ({},)),
    ("backup.suppressions", ({},)),
    ("backup.forgotten", ({},)),
    ("backup.emails", ({},)),
    ("backup.email_of", ({"subscriber": 1}, {"subscriber": 999}, {"subscriber": None})),
    ("backup.make_unknown", ({**ONE, "reason": "why", "now": T},)),
    (
        "backup.suppress",
        (
            {**PERSON, "topic": "", "email": "p1@example.org", "reason": "manual", "detail": "", "created_at": T}
            | {"repeated_at": "", "handed_over_at": ""},
        ),
    ),
    ("backup.remember", ({"digest": b"8", "subscriber": None, "reason": "forgotten", "created_at": T},) * 2),
    ("broadcasts.find", (*({"broadcast": number + 1} for number in range(len(BroadcastState))), NONE)),
    ("broadcasts.list_all", ({},)),
    ("broadcasts.set_state", ({**ONE, "state": "paused", "reason": "why"},)),
    ("broadcasts.end", ({**ONE, "state": "done", "reason": "", "now": T},)),
    ("broadcasts.let_overdue_go", ({**ONE, "now": NEVER},)),
    ("broadcasts.cancel_ready", ({**ONE, "reason": "why", "now": T},)),
    ("cancel.held_ahead", ({**ONE, "now": EVER}, {**NONE, "now": EVER})),
    ("cancel.waiting", (ONE, NONE)),
    ("cancel.left_to_end", ({**ONE, "since": EVER}, {**NONE, "since": EVER})),
    ("cancel.take_back", ({**ONE, "beyond": EVER, "reason": "why", "now": T},)),
    ("cancel.leave_open", ({**ONE, "since": EVER, "beyond": NEVER, "reason": "why", "now": T},)),
    ("chunks.set_state", ({**CHUNK, "state": "unknown", "reason": "", "message_id": "", "now": T},)),
    ("chunks.make_ready", ({**CHUNK, "reason": "", "now": T},)),
    ("chunks.add_to_settlement", ({**ONE, "status": "invalid", "reason": "new", "size": 1, "now": T},) * 2),
    ("chunks.settle_deliveries", ({**ONE, "subscriber": 1, "settlement": 1},)),
    ("chunks.move_deliveries", ({**ONE, "subscriber": 2, "into": 2},)),
    ("chunks.next_number", (ONE,)),
    ("chunks.add_chunk_like", ({**CHUNK, "number": 99, "size": 1, "first_subscriber": 1},)),
    ("chunks.shrink_chunk", ({**CHUNK, "by": 1},)),
    (
        "events.add",
        (
            {**ONE, "at": LATER, "id": "x", "type": "opened", "nonce": "n1", "chunk": 1, "attempt": 1, "subscriber": 1}
            | {"detail": ""},
        ),
    ),
    ("events.react", ({**ONE, "at": LATER, "type": "opened", "nonce": "n1", "subscriber": 2},)),
    ("events.evidence", (ONE, NONE)),
    ("forgotten.find_id", (PERSON, STRANGER)),
    ("forgotten.find_email", (PERSON, STRANGER)),
    ("forgotten.find_reason", (PERSON, STRANGER)),
    ("forgotten.is_known", (PERSON, STRANGER)),
    ("forgotten.find_key", ({},)),
    ("forgotten.find_forgotten", ({"digest": b"1"}, {"digest": b"3"})),
    ("forgotten.count_forgotten", ({},)),
    ("forgotten.broadcast_words", ({"address": "why"},)),
    ("forgotten.journal_words", ({"address": "detail"},)),
    ("forgotten.chunk_words", ({"address": "why"},)),
    ("forgotten.settlement_words", ({"address": "why"},)),
    ("forgotten.set_broadcast_words", ({"id": 1, "segment": "", "expression": "", "reason": "", "waivers": "[]"},)),
    ("forgotten.set_journal_words", ({**ONE, "number": 1, "words": ""},)),
    ("forgotten.set_chunk_words", ({**ONE, "number": 1, "words": ""},)),
    ("forgotten.set_settlement_words", ({**ONE, "number": 1, "words": "other"},)),
    ("forgotten.erase_past_consents", (PERSON,)),
    ("forgotten.empty_events", (PERSON,)),
    ("forgotten.erase_subscriber", (PERSON,)),
    ("forgotten.erase_suppressions", (PERSON,)),
    ("forgotten.erase_past_suppressions", (PERSON,)),
    ("forgotten.erase_soft_bounces", (PERSON,)),
    ("forgotten.remember", ({"digest": b"9", "subscriber": None, "reason": "forgotten", "now": T},)),
    ("forgotten.clear_forgotten", ({},)),
    ("forgotten.drop_key", ({},)),
    ("forgotten.remember_key", ({"digest": b"key"},)),
    ("journal.write", ({**ONE, "at": T, "entry": "done", "detail": ""},)),
    ("journal.entries", (ONE, NONE)),
    ("journal.first_of", ({**ONE, "entry": "frozen"}, {**NONE, "entry": "frozen"})),
    ("record.find_chunk", (*({**ONE, "chunk": number + 1} for number in range(len(ChunkState))), {**NONE, "chunk": 1})),
    ("record.subscribers_of_chunk", (PAGE_OF_CHUNK,)),
    ("record.inflight_chunks", (ONE,)),
    (
        "record.settle_taken",
        ({**CHUNK, "attempt": 0, "state": "accepted", "reason": "", "message_id": "", "now": T},),
    ),
    ("record.take_up_again", ({**CHUNK, "hold_until": "", "now": T},)),
    ("record.suppress_subscriber", ({"subscriber": 1, "reason": "invalid", "now": T},)),
    ("requests.requests", ({**ONE, "after": 0, "size": 99},)),
    (
        "requests.request",
        (*({**ONE, "chunk": number} for number in (1, 2, 3, 4, 5, 6, 20)), {**NONE, "chunk": 1}),
    ),
    ("requests.groups", (ONE, NONE)),
    ("requests.runners", (ONE, NONE)),
    ("requests.held", (ONE, NONE)),
    ("resolve.unknown_chunks", (ONE, {"broadcast": 2})),
    ("resolve.sample", (PAGE_OF_CHUNK,)),
    ("resolve.find_unknown", ({**ONE, "chunk": 5, "attempt": 1}, {**CHUNK, "attempt": 9})),
    ("resolve.settle", ({**CHUNK, "state": "accepted", "reason": "", "now": T},)),
    ("schedule.scheduled", ({},)),
    ("schedule.next_due", (ONE, NONE)),
    ("schedule.overdue", ({**ONE, "before": NEVER}, {**NONE, "before": NEVER})),
    ("schedule.due_now", ({**ONE, "now": NEVER}, {**NONE, "now": NEVER})),
    ("schedule.last_claimed", (ONE, NONE)),
    ("schedule.keep_batch_id", ({"broadcast": 2, "batch_id": "b"},)),
    ("schedule.zones", (ONE, NONE)),
    ("segments.count_members", ({},)),
    ("segments.count_segment", ({},)),
    ("segments.count_suppressed", ({},)),
    ("segments.count_missing", ({},)),
    ("segments.member_ids", ({"most": 9},)),
    ("segments.sample_ids", ({"size": 9},)),
    ("segments.issue_names", ({},)),
    ("soft_bounces.add", ({**PERSON, "at": LATER, "detail": ""},)),
    ("soft_bounces.repeated", ({"bounces": 1},)),
    ("soft_bounces.last_signs", ({"subscribers": "[1, 2, 7]", "since": EVER},)),
    ("stats.facts", ({},)),
    ("stats.suppressed", ({},)),
    ("stats.count_without_consent", ({},)),
    ("stats.topics_left", ({},)),
    ("stats.joined", ({"since": EVER},)),
    ("stats.returned", ({"since": EVER},)),
    ("stats.left_list", ({"since": EVER},)),
    ("stats.sources", ({"most": 9},)),
    ("stats.languages", ({"most": 9},)),
    ("stats.zones", ({"most": 9},)),
    ("stats.domains", ({"known": '["example.org"]', "most": 9},)),
    ("stats.engagement", ({"since": EVER}, {"since": NEVER})),
    ("stats.first_reaction", ({},)),
    ("stats.sent_issues", ({"most": 9},)),
    ("status.sizes", (ONE, NONE)),
    ("status.count_frozen", (ONE,)),
    ("status.settlements", (ONE, NONE)),
    ("status.chunk_summaries", (ONE, NONE)),
    ("status.emails_of_chunk", (PAGE_OF_CHUNK,)),
    (
        "suppressions.add",
        ({**STRANGER, "topic": "", "email": "nobody@example.org", "reason": "manual", "detail": "", "created_at": T},),
    ),
    ("suppressions.say_again", ({**STRANGER, "topic": "", "at": LATER, "reason": "manual"},)),
    ("suppressions.of_person", (*({"person": f"p{number}@example.org"} for number in range(6)), STRANGER)),
    ("suppressions.past_of_person", (*({"person": f"p{number}@example.org"} for number in range(6)), STRANGER)),
    ("suppressions.page", ({"after_person": "", "after_topic": "", "size": 99, **ALL_OF_THEM},)),
    ("suppressions.counts", (ALL_OF_THEM,)),
    ("suppressions.suppressed_among", ({"persons": PERSONS},)),
    ("suppressions.allowed_again", ({"persons": PERSONS},)),
    ("suppressions.forgotten", ({},)),
    ("suppressions.keep_handed_over", ({"persons": PERSONS, "at": T},)),
    ("suppressions.keep_past", ({**PERSON, "topic": "", "now": LATER, "because": "why"},)),
    ("suppressions.remove", ({**PERSON, "topic": ""},)),
    ("suppressions.create_reported", ({},)),
    ("suppressions.count_reported", ({},)),
    ("suppressions.count_new", ({},)),
    ("suppressions.count_mailed", ({},)),
    ("suppressions.add_reported", ({},)),
    ("suppressions.say_reported_again", ({},)),
    ("suppressions.drop_reported", ({},)),
)

ENDED = {BroadcastState.DONE, BroadcastState.STOPPED, BroadcastState.CANCELLED}
DUE = ("", T, LATER)


def seed(connection: Connection) -> None:
    """A world in which every column that can be NULL is NULL somewhere, and every enum has each of its members."""

    def insert(table: str, columns: str, *rows: tuple[object, ...]) -> None:
        names = columns.split()
        sql = f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join(f':{name}' for name in names)})"
        connection.execute_each(sql, [dict(zip(names, row, strict=True)) for row in rows])

    insert(
        "subscriber",
        "id person email first_name last_name language timezone tags joined_at consented_at consent_source "
        "consent_wording consent_confirmed_at consent_basis attributes token updated_at",
        *(
            (number, f"p{number}@example.org", f"P{number}@example.org", "", "", "en", "Europe/London", "", EVER)
            + ((T, "form") if number else ("", ""))
            + ("", "", "", "{}", "t", T)
            for number in range(9)
        ),
    )
    envelope = '{"from_name": "", "from_email": "", "reply_to": "", "list_name": "", "list_id": "", "service_url": ""}'
    waivers = '[{"rule": "links", "because": "why"}]'
    insert(
        "broadcast",
        "id state finished_at due_at is_local_time nonce issue segment expression provider reason content_hash "
        "envelope waivers frozen created_at batch_id",
        *(
            (number, state.value, LATER if state in ENDED else None, DUE[number % 3], number % 2, f"n{number}", *words)
            for number, state in enumerate(BroadcastState, start=1)
            for words in [("2026-02", "everyone", "why", "outbox", "why", "abc", envelope, waivers, 9, T, "")]
        ),
    )
    insert(
        "chunk",
        "broadcast number state size attempt due_at hold_until zone claimed_at variant first_subscriber runner reason "
        "message_id changed_at",
        *(
            (1, number, state.value, 2, int(state is ChunkState.UNKNOWN), DUE[number % 2], DUE[number % 2 + 1], *rest)
            for number, state in enumerate(ChunkState, start=1)
            for rest in [("Europe/London", T, 0, 1, "r", "why", "m", T)]
        ),
        (1, 20, "ready", 1, 0, LATER, "", "Asia/Tokyo", "", 0, 1, "", "", "", T),
        (1, 21, "accepted", 1, 1, "", LATER, "", T, 0, 1, "", "", "", T),
        (1, 22, "ready", 1, 0, "", "", "UTC", "", 0, 1, "", "", "", T),
        (2, 1, "unknown", 1, 1, "", "", "", "", 0, 1, "", "", "", T),
    )
    insert(
        "settlement",
        "broadcast number status reason size changed_at",
        *((1, number + 1, status.value, "why", 1, T) for number, status in enumerate(DeliveryStatus)),
    )
    insert(
        "delivery",
        "broadcast subscriber chunk settlement",
        *(
            (1, 1, 1, None),
            (1, 2, 3, None),
            (1, 3, None, 1),
            (1, 99, 1, None),
            (1, 4, 21, None),
            (1, 5, 2, None),
            (2, 1, 1, None),
        ),
    )
    insert(
        "journal",
        "broadcast number at entry detail",
        *((1, number + 1, T, entry.value, "detail") for number, entry in enumerate(Entry)),
    )
    reasons = list(enumerate(SuppressionReason, start=1))
    insert(
        "suppression",
        "person topic email reason detail created_at repeated_at handed_over_at",
        *((f"p{n}@example.org", "", f"p{n}@example.org", reason.value, "", T, "", DUE[n % 2]) for n, reason in reasons),
        ("p6@example.org", "news", "p6@example.org", "unsubscribed", "", T, LATER, ""),
    )
    insert(
        "past_suppression",
        "person topic reason created_at lifted_at because",
        *((f"p{n}@example.org", "", reason.value, EVER, T, "why") for n, reason in reasons),
    )
    insert(
        "event",
        "at id type broadcast chunk attempt subscriber detail",
        *((LATER, type_.value, type_.value, 1, 5, 1, 7, "") for type_ in EventType),
    )
    insert("reaction", "broadcast type subscriber last_at", (1, "opened", 1, T))
    insert("soft_bounce", "person at detail", ("p7@example.org", LATER, "full"))
    insert("approval", "issue content_hash approved_by approved_at", ("2026-02", "abc", "Ana", T))
    insert("tested", "issue content_hash tested_at copies", ("2026-02", "abc", T, 1))
    insert("forgotten", "digest subscriber reason created_at", (b"1", 50, "forgotten", T), (b"2", None, "manual", T))
    insert("forgotten_key", "digest", (b"key",))
