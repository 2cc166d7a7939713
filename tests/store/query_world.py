"""What every query of the store is called with, and the world that it is asked about."""

import json
from collections.abc import Mapping

from newsletter.model.audience import SuppressionReason
from newsletter.model.broadcast import BroadcastKind, BroadcastState, ChunkState, DeliveryStatus
from newsletter.model.columns import COLUMN_NAMES
from newsletter.model.event import EventType
from newsletter.model.ledger import BatchState, Entry
from newsletter.model.waves import WaveState
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
EVERYONE = json.dumps([f"p{number}@example.org" for number in range(8)])
PAGE_OF_CHUNK: Call = {**CHUNK, "first_subscriber": 1, "size": 10}

FREEZE: Call = {"settlement": 1}
ENVELOPE = '{"from_name": "", "from_email": "", "reply_to": "", "list_name": "", "list_id": "", "service_url": ""}'
OF_CONTENT: Call = {"issue": "2026-02", "content_hash": "abc", "provider": "outbox"}
FOLLOWED: Call = {"issue": "2026-02", "provider": "outbox"}
BLOBS: Call = {"root": b"r", "leaves": b"l", "openings": b"o"}
TOLD: Call = {"variant": 0, "event": "talk@example.org", "ends_at": LATER, "facts": "{}"}
PROPOSAL: Call = {
    "issue": "2026-03",
    "segment": "teachers",
    "content_hash": "h",
    "recipients": 3,
    "wall_time": "",
    "is_second": 0,
    "zone": "",
    "is_local_time": 0,
    "proposed_by": "x",
    "proposed_at": T,
    "expires_at": LATER,
}
PLAN = '{"seed": "s", "shares": {"": 0.01}, "watch": "PT1H"}'
SIGNUP: Call = {
    **dict.fromkeys(("person", "email", "first_name", "language", "topics", "source", "wording"), "x"),
    "wants_tracking": 1,
}
OF_BROADCASTS: Call = {"broadcasts": "[1, 2]"}
EVERYBODY: Call = {"after": 0, "until": 99}
CONSENT: Call = {"consented_at": NEVER, "source": "join", "wording": "en-1", "confirmed_at": T, "now": T}
FILL: Call = {"after": 0}
NOTHING: Call = {f"no_{name}": "" for name in COLUMN_NAMES}
MERGE: Call = {"after": 0, "size": 99}

# Queries of other files by which the temporary tables are made that a file's queries need.
_SHARED = tuple(f"import_shared.create_{table}" for table in ("remark", "leaver", "contender", "revival"))
BEFORE: Mapping[str, tuple[str, ...]] = {
    "freeze": ("freeze.create_lookup", "freeze.create_member", "freeze.create_beginning"),
    "waves": ("freeze.create_member",),
    "topics": ("freeze.create_member",),
    "report": ("report.create_mailbox",),
    "follow_ups": ("freeze.create_member",),
    "import_filling": _SHARED,
    "import_shared": (*_SHARED, "suppressions.create_reported"),
    "undo": ("undo.create_undoing", "undo.create_restoring"),
    "record": ("suppressions.create_reported",),
    "import_record": (
        *_SHARED,
        "import_shared.create_topic_leaver",
        "import_merging.create_incoming",
        "import_merging.create_standing",
        "import_merging.create_change",
        "suppressions.create_reported",
    ),
    "import_merging": _SHARED
    + tuple(f"import_merging.create_{table}" for table in ("incoming", "standing", "change", "token", "newcomer")),
}

# Each query with the calls that are made of it, in the order of the list: all of a file in one transaction.
CALLS: tuple[tuple[str, tuple[Call, ...]], ...] = (
    ("tempo.claims", ({"provider": "outbox"}, {"provider": "smtp"}, {"provider": "none"})),
    ("tempo.stated_zones", ({},)),
    ("proposals.find", ({"id": 71}, {"id": 72}, {"id": 73}, {"id": 999})),
    ("proposals.still_open", ({"now": EVER}, {"now": NEVER})),
    ("proposals.settle", ({"id": 71, "state": "released", "broadcast": 1},)),
    ("proposals.add", (PROPOSAL,)),
    ("proposals.drop_earlier", ({"issue": "2026-03", "segment": "teachers", "expired_before": T},)),
    ("approvals.approve", ({"issue": "2026-03", "content_hash": "h", "approved_by": "Bo", "now": T},)),
    ("approvals.of_content", ({"issue": "2026-02", "content_hash": "abc"},)),
    ("approvals.last_of", ({"issue": "2026-02"}, {"issue": "none"})),
    ("approvals.remember_test", ({"issue": "2026-03", "content_hash": "h", "copies": 2, "now": T},)),
    ("approvals.tested_at", ({"issue": "2026-02", "content_hash": "abc"}, {"issue": "none", "content_hash": ""})),
    ("approvals.last_test", ({},)),
    ("reviews.add", ({"issue": "2026-03", "content_hash": "h", "snapshot": b"{}", "now": T},)),
    ("reviews.end_earlier", ({"issue": "2026-03", "now": T},)),
    ("reviews.add_picture", ({"review": 12, "name": "b.png", "content_type": "image/png", "content": b"b"},)),
    ("reviews.add_reviewer", ({"review": 12, "name": "Bo", "email": "bo@example.org", "token": "t"},)),
    ("reviews.find_reviewer", ({"reviewer": 11}, {"reviewer": 999})),
    ("reviews.find", ({"review": 11}, {"review": 12}, {"review": 999})),
    ("reviews.open_of", ({"issue": "2026-02"}, {"issue": "none"})),
    ("reviews.reviewers_of", ({"review": 11}, {"review": 999})),
    ("reviews.snapshot_of", ({"review": 11}, {"review": 999})),
    ("reviews.snapshot_with", ({"issue": "2026-02", "content_hash": "abc"}, {"issue": "none", "content_hash": ""})),
    ("reviews.pictures", ({"review": 11}, {"review": 999})),
    (
        "reviews.add_remark",
        ({"review": 11, "reviewer": 11, "path": "p", "line": 1, "words": "w", "said": "s", "now": T},),
    ),
    ("reviews.count_remarks", ({"review": 11}, {"review": 999})),
    ("reviews.count_remarks_since", ({"reviewer": 11, "since": EVER}, {"reviewer": 999, "since": EVER})),
    ("reviews.remarks_of_review", ({"review": 11}, {"review": 999})),
    ("reviews.remarks_of_issue", ({"issue": "2026-02"}, {"issue": "none"})),
    ("reviews.set_done", ({"issue": "2026-02", "remark": 11, "done_at": T},)),
    ("reviews.delete_remarks", ({"before": EVER},)),
    ("reviews.delete_reviewers", ({"before": EVER},)),
    ("reviews.delete_pictures", ({"before": EVER},)),
    ("reviews.delete_reviews", ({"before": NEVER},)),
    ("audit.deliveries", ({"broadcast": 1, "after": 0, "status": "", "size": 99},)),
    ("audit.find_forgotten", ({"digest": b"1"}, {"digest": b"2"}, {"digest": b"3"})),
    ("broadcasts.find", (*({"broadcast": number + 1} for number in range(len(BroadcastState))), NONE)),
    ("broadcasts.list_all", ({},)),
    ("broadcasts.set_state", ({**ONE, "state": "paused", "reason": "why", "continues_at": ""},)),
    ("broadcasts.end", ({**ONE, "state": "done", "reason": "", "continues_at": T, "now": T},)),
    ("broadcasts.let_overdue_go", ({**ONE, "now": NEVER},)),
    ("broadcasts.cancel_ready", ({**ONE, "reason": "why", "now": T},)),
    ("cancel.held_ahead", ({**ONE, "now": EVER}, {**NONE, "now": EVER})),
    ("cancel.waiting", (ONE, NONE)),
    ("cancel.left_to_end", ({**ONE, "now": EVER}, {**NONE, "now": EVER})),
    ("chunks.set_state", ({**CHUNK, "state": "unknown", "reason": "", "message_id": "", "now": T},)),
    ("chunks.make_ready", ({**CHUNK, "reason": "", "now": T},)),
    ("chunks.add_to_settlement", ({**ONE, "status": "invalid", "reason": "new", "size": 1, "now": T},) * 2),
    ("chunks.settle_deliveries", ({**ONE, "subscriber": 1, "settlement": 1},)),
    ("chunks.move_deliveries", ({**ONE, "subscriber": 2, "into": 2},)),
    ("chunks.next_number", (ONE,)),
    ("chunks.add_chunk_like", ({**CHUNK, "number": 99, "size": 1, "first_subscriber": 1},)),
    ("chunks.shrink_chunk", ({**CHUNK, "by": 1},)),
    (
        "claim.next_ready",
        tuple(
            {"broadcast": broadcast, "now": NEVER, "held_from": moment, "held_to": NEVER}
            for broadcast, moment in ((2, ""), (2, T), (999, ""))
        ),
    ),
    ("claim.next_deferred", ({"broadcast": 2, "now": NEVER}, {"broadcast": 2, "now": EVER}, {**NONE, "now": NEVER})),
    ("claim.blocked_by", ({**ONE, "since": EVER, "free": 1}, {**NONE, "since": EVER, "free": 1})),
    ("claim.is_anybody_suppressed", ({},)),
    ("claim.deliveries", ({**PAGE_OF_CHUNK, "at": NEVER},)),
    ("claim.deliveries_with_late", ({**PAGE_OF_CHUNK, "first_subscriber": 0, "leaving": "", "at": NEVER},)),
    (
        "claim.deliveries_of_signups",
        ({"broadcast": 9, "chunk": 1, "first_subscriber": 0, "size": 10, "at": NEVER},),
    ),
    (
        "claim.deliveries_of_requests",
        ({"broadcast": 9, "chunk": 1, "first_subscriber": 0, "size": 10},),
    ),
    ("claim.kind", tuple({"broadcast": number + 1} for number in range(len(BroadcastKind)))),
    ("claim.lock_broadcast", (ONE, NONE)),
    ("claim.mark_inflight", ({**CHUNK, "runner": "r", "hold_until": "", "batch_id": "", "claimed_at": T, "now": T},)),
    (
        "deferrals.put_back",
        ({"broadcast": 2, "chunk": 2, "tries": 1, "deferrals": 1, "accepted_before": 0, "retry_at": LATER},),
    ),
    ("deferrals.doubt", ({"broadcast": 2, "chunk": 5, "tries": 1, "ending": "rejected", "accepted_before": 0},)),
    ("deferrals.accepted", (ONE, NONE)),
    ("deferrals.perhaps_accepted", ({"broadcast": 2, "chunk": 5}, {**NONE, "chunk": 1})),
    ("deferrals.in_a_row", ({"broadcast": 2, "accepted": 0}, {**NONE, "accepted": 0})),
    ("deferrals.doubted", ({"broadcast": 2}, NONE)),
    ("deferrals.first_retry", ({"broadcast": 2}, NONE)),
    ("deferrals.reject_outdated", ({"broadcast": 3, "why": "; why", "now": NEVER},)),
    ("deferrals.unclear", ({**ONE, "orphaned": "killed"}, {**NONE, "orphaned": "killed"})),
    ("deferrals.acquit", ({"broadcast": 2, "accepted": 0, "now": T},)),
    ("editing.cells", ({"ids": "[1, 2]"},)),
    (
        "editing.copy_suppressions",
        ({"old": "p1@example.org", "person": "new@example.org", "email": "new@example.org"},),
    ),
    (
        "editing.copy_lifted_by_import",
        ({"old": "p1@example.org", "person": "new@example.org", "email": "new@example.org"},),
    ),
    ("editing.set_person", ({"subscriber": 1, "person": "new@example.org"},)),
    ("events.evidence", (ONE, NONE)),
    ("events.add_minute", ({"minute": "2026-02-20T08:01"},)),
    ("events.tracked", ({"subscribers": "[1, 7, 999]"},)),
    (
        "events.add_version_total",
        ({**ONE, "version": "B", "type": "opened", "verdict": "", "events": 2},) * 2,
    ),
    ("events.add_total", ({**ONE, "type": "opened", "url": "", "verdict": "", "events": 2},) * 2),
    ("events.doubted", ({},)),
    ("events.own", ({"broadcasts": "[0, 1, 99]"},)),
    ("events.unknown", ({"broadcasts": "[1, 2]"}, {"broadcasts": "[]"})),
    ("events.addresses", ({"subscribers": "[1, 7, 999]"},)),
    ("feedback.passed_on", ({**ONE, "now": NEVER}, {**NONE, "now": NEVER})),
    ("feedback.refused", (ONE, {"broadcast": 2}, NONE)),
    ("feedback.invalid", (ONE, {"broadcast": 2}, NONE)),
    ("feedback.reported", ({**ONE, "causes": '["", "spam"]', "since": EVER, "until": NEVER},)),
    ("feedback.began", (ONE, NONE)),
    ("feedback.is_anything_known", ({**ONE, "since": EVER}, {**NONE, "since": EVER})),
    ("feedback.earlier", ({"kind": "issue", "provider": "outbox", "most": 9},)),
    ("forgotten.find_id", (PERSON, STRANGER)),
    ("forgotten.emails", (PERSON, STRANGER)),
    ("forgotten.find_reason", (PERSON, STRANGER)),
    ("forgotten.is_known", (PERSON, STRANGER)),
    ("forgotten.find_key", ({},)),
    ("forgotten.find_forgotten", ({"digest": b"1"}, {"digest": b"3"})),
    ("forgotten.is_anybody_forgotten", ({},)),
    ("forgotten.digests", ({},)),
    ("forgotten.count_forgotten", ({},)),
    ("forgotten.count_digests", ({},)),
    ("forgotten.create_rewritten", ({},)),
    ("forgotten.drop_rewritten", ({},)),
    ("forgotten.erase_leaving_remarks", (PERSON,)),
    ("forgotten.erase_signups", (PERSON,)),
    ("forgotten.erase_link_requests", (PERSON,)),
    ("forgotten.erase_former_tokens", (PERSON,)),
    ("forgotten.erase_tracking_choices", (PERSON,)),
    ("forgotten.erase_past_consents", (PERSON,)),
    ("forgotten.empty_events", (PERSON,)),
    ("forgotten.erase_import_changes", (PERSON,)),
    ("forgotten.erase_import_suppressions", (PERSON,)),
    ("forgotten.erase_import_return", (PERSON,)),
    ("forgotten.erase_left_since_import", (PERSON,)),
    ("forgotten.erase_subscriber", (PERSON,)),
    ("forgotten.erase_suppressions", (PERSON,)),
    ("forgotten.erase_past_suppressions", (PERSON,)),
    ("forgotten.erase_soft_bounces", (PERSON,)),
    ("forgotten.remember", ({"digest": b"9", "subscriber": None, "reason": "forgotten", "now": T},)),
    ("forgotten.clear_forgotten", ({},)),
    ("forgotten.drop_key", ({},)),
    ("forgotten.remember_key", ({"digest": b"key"},)),
    ("freeze.stated_zones", ({},)),
    ("freeze.stated_languages", ({},)),
    ("freeze.collect_members", ({},)),
    ("freeze.exclude_suppressed", ({**FREEZE, "reason": "unsubscribed"},)),
    ("freeze.exclude_without_consent", (FREEZE,)),
    ("freeze.paused_members", ({"at": EVER},)),
    ("freeze.exclude_listed", ({**FREEZE, "subscribers": "[1, 2]"},)),
    (
        "freeze.earlier_broadcasts",
        tuple(
            {"issue": issue, "kind": "issue", "provider": provider}
            for issue, provider in (("2026-02", "outbox"), ("2026-02", "smtp"), ("none", "outbox"))
        ),
    ),
    ("freeze.exclude_earlier", ({**FREEZE, "earlier": 1},)),
    ("freeze.repeated_content", ({"content_hash": "abc", "kind": "issue", "issue": "2026-03", "provider": "outbox"},)),
    ("freeze.members_left", ({"after": 0, "size": 99},)),
    ("freeze.zones_left", ({},)),
    (
        "freeze.add_broadcast",
        (
            {"issue": "2026-03", "segment": "", "expression": "", "provider": "", "state": "running", "nonce": "n99"}
            | {"content_hash": "", "envelope": "{}", "waivers": "[]", "frozen": 1, "due_at": "", "is_local_time": 0}
            | {"kind": "issue", "good_until": "", "grace_until": "", "now": T},
        ),
    ),
    ("freeze.edition_of", (ONE,)),
    ("freeze.give_up_places", ({"edition": 1},)),
    ("freeze.add_settlement", ({**ONE, "number": 77, "reason": "another", "size": 1, "now": T},)),
    (
        "freeze.add_chunk",
        (
            {**ONE, "number": 77, "variant": 0, "zone": "", "wave": 1, "due_at": "", "size": 1, "first_subscriber": 1}
            | {"now": T},
        ),
    ),
    ("freeze.index_beginning", ({},)),
    ("freeze.add_deliveries", ({"broadcast": 3, "edition": 1},)),
    ("freeze.drop_lookup", ({},)),
    ("freeze.drop_member", ({},)),
    ("freeze.drop_beginning", ({},)),
    ("freeze.create_lookup", ({},)),
    ("freeze.create_member", ({},)),
    ("freeze.create_beginning", ({},)),
    ("import_filling.is_anybody_there", ({},)),
    ("import_filling.last_id", ({},)),
    ("import_filling.keep_last_id", ({},)),
    ("import_filling.drop_person_index", ({},)),
    ("import_filling.index_repeated", ({},)),
    ("import_filling.find_contenders", ({**FILL, "now": T, "mark": "|"},)),
    ("import_filling.reject_left", ({**FILL, "now": T},)),
    ("import_filling.delete_rejected", (FILL,)),
    ("import_filling.drop_repeated_index", ({},)),
    ("import_filling.create_person_index", ({},)),
    ("import_filling.find_revivals", ({**FILL, "now": T},)),
    ("import_filling.count_suppressed", ({},)),
    ("import_filling.count_without_consent", ({},)),
    ("import_filling.fates", ({**FILL, "line": 0, "size": 99},)),
    ("import_filling.remark_on_suppressed", (FILL,)),
    ("import_filling.remark_on_missing_consent", (FILL,)),
    ("import_merging.count_incoming", ({},)),
    ("import_merging.find_offset", ({},)),
    ("import_merging.look_up_by_place", ({"offset": 0, **NOTHING},)),
    ("import_merging.look_up_by_person", (NOTHING,)),
    ("import_merging.find_contenders", ({"now": T, "mark": "|"},)),
    ("import_merging.reject_left", ({"now": T},)),
    ("import_merging.newcomers", (MERGE,)),
    ("import_merging.forgotten_newcomers", ({},)),
    ("import_merging.find_revivals", ({"now": T},)),
    ("import_merging.candidates", (MERGE,)),
    ("import_merging.count_fates", ({},)),
    ("import_merging.fates", ({"line": 0, "size": 99},)),
    ("import_merging.settle_unchanged", ({},)),
    ("import_merging.keep_past_consents", ({"now": T},)),
    ("import_merging.make_changes", ({"now": T},)),
    ("import_merging.note_suppressed", ({},)),
    ("import_merging.reject_remarked", ({},)),
    ("import_merging.give_id_back", ({"line": 1, "subscriber": 50},)),
    ("import_merging.remember_again", ({"digest": b"1"},)),
    ("import_merging.add_newcomers", ({"after": 100, "now": T},)),
    ("import_merging.is_anybody_without_consent", ({},)),
    ("import_merging.remark_on_missing_consent", ({},)),
    ("import_merging.remark_on_suppressed", ({},)),
    ("import_merging.drop_change", ({},)),
    ("import_merging.drop_token", ({},)),
    ("import_merging.drop_newcomer", ({},)),
    ("import_merging.drop_incoming", ({},)),
    ("import_merging.drop_standing", ({},)),
    ("import_merging.create_incoming", ({},)),
    ("import_merging.create_standing", ({},)),
    ("import_merging.create_change", ({},)),
    ("import_merging.create_token", ({},)),
    ("import_merging.create_newcomer", ({},)),
    ("import_shared.index_leaver", ({},)),
    ("import_shared.count_leavers", ({},)),
    ("import_shared.leaving_strangers", ({"after": 0, "size": 9},)),
    ("import_shared.forget_leaver", ({"line": 8},)),
    ("import_shared.report_leavers", ({"everyone": 1, "fills": 0}, {"everyone": 0, "fills": 1})),
    ("import_shared.count_left", ({},)),
    ("import_shared.remark_on_leavers", ({},)),
    ("import_shared.drop_leaver", ({},)),
    ("import_shared.create_leaver", ({},)),
    ("import_shared.create_topic_leaver", ({},)),
    ("import_shared.report_topic_leavers", ({},)),
    ("import_shared.drop_topic_leaver", ({},)),
    ("import_record.keep_cells", ({"mark": "|"},)),
    ("import_record.keep_reported", ({},)),
    ("import_record.keep_lifted", ({},)),
    ("import_record.count_revivals", ({},)),
    ("import_record.keep_return", ({"line": 1, "digest": b"1"},)),
    ("import_record.confirm", ({"ids": "[1]", "now": T},)),
    ("import_record.confirm_unchanged", ({"now": T},)),
    ("import_record.hear_reported", ({},)),
    ("import_record.hear_leavers", ({},)),
    ("import_record.hear_topic_leavers", ({},)),
    ("import_record.undoable_at", ({},)),
    ("import_record.clear_changes", ({},)),
    ("import_record.clear_suppressions", ({},)),
    ("import_record.clear_returns", ({},)),
    ("import_record.clear_left", ({},)),
    ("import_record.close", ({},)),
    ("import_shared.index_remark", ({},)),
    ("import_shared.add_attribute_name", ({"name": "city"},)),
    ("import_shared.add_tag_name", ({"name": "donor"},)),
    ("import_shared.reject_repeated", ({},)),
    ("import_shared.drop_contender", ({},)),
    ("import_shared.create_contender", ({},)),
    ("import_shared.keep_past_suppressions", ({"now": T},)),
    ("import_shared.lift", ({},)),
    ("import_shared.remark_on_revivals", ({},)),
    ("import_shared.drop_revival", ({},)),
    ("import_shared.create_revival", ({},)),
    ("import_shared.remarks", ({"after": 0, "last": 99},)),
    ("import_shared.rejections", ({"size": 99},)),
    ("import_shared.drop_remark", ({},)),
    ("import_shared.create_remark", ({},)),
    (
        "import_shared.keep_import",
        (
            {"at": T, "file": "l.csv", "added": 1, "updated": 0, "unchanged": 0, "blocked": 0, "rejected": 0}
            | {"basis": "", "tags": "", "after": 0, "until": 1, "is_undoable": 1},
        ),
    ),
    ("import_shared.past_imports", ({},)),
    ("journal.write", ({**ONE, "at": T, "entry": "done", "detail": ""},)),
    ("journal.entries", (ONE, NONE)),
    ("person_keys.beyond_ascii", ({},)),
    ("person_keys.create_changed_key", ({},)),
    ("person_keys.change_keys", ({},)),
    ("person_keys.copy_suppressions", ({},)),
    ("person_keys.copy_past_suppressions", ({},)),
    ("person_keys.copy_soft_bounces", ({},)),
    ("person_keys.drop_changed_key", ({},)),
    (
        "posts.add",
        ({"received_at": T, "provider": "sendgrid", "digest": b"3", "content": b"", "interpreted_at": ""},) * 2,
    ),
    ("posts.waiting", ({"most": 5},)),
    ("posts.count_waiting", ({},)),
    ("posts.persons", ({"subscribers": "[1, 7, 999]"},)),
    ("posts.ids", ({"persons": PERSONS},)),
    ("posts.set_interpreted", ({"posts": "[2]", "now": T, "failure": "why"},)),
    ("posts.delete", ({"before": NEVER},)),
    (
        "preferences.ask",
        (
            {
                "subscriber": 1,
                "kind": "data",
                "person": "p1@example.org",
                "email": "p1@example.org",
                "token": "t",
                "now": T,
            },
        ),
    ),
    ("preferences.requests", ({"subscriber": 1}, {"subscriber": 999})),
    ("preferences.sent_to", ({"recipient": 1}, {"recipient": 999})),
    ("preferences.waiting", ({"size": 9},)),
    ("preferences.is_waiting", ({},)),
    ("preferences.new_address_mailed_since", ({**PERSON, "since": EVER}, {**STRANGER, "since": EVER})),
    ("preferences.reserved_id", (PERSON, STRANGER)),
    ("preferences.keep_mailed", ({"request": 1, "recipient": 1, "now": T},)),
    ("preferences.keep_broadcast", ({"request": 1, "broadcast": 9},)),
    ("preferences.put_back", ({"request": 1},)),
    ("preferences.confirm", ({"request": 2, "now": T},)),
    ("preferences.drop", ({"request": 3},)),
    ("preferences.keep_former_token", ({"subscriber": 1, "ends_at": LATER},) * 2),
    ("preferences.set_token", ({"subscriber": 1, "token": "new"},)),
    ("preferences.former_tokens", ({"subscriber": 7, "now": EVER}, {"subscriber": 7, "now": NEVER})),
    ("purge.former_tokens", ({"before": EVER}, {"before": NEVER})),
    ("preferences.add_tracking_choice", ({"subscriber": 1, "agrees": 1, "wording": "1 en", "now": LATER},) * 2),
    ("preferences.tracking_choices", ({"subscriber": 7}, {"subscriber": 999})),
    ("preferences.end_requests", ({"subscriber": 1},)),
    ("preferences.end_sent_requests", ({"subscriber": 1},)),
    ("preferences.drop_old", ({"before": T},)),
    ("purge.remarks", ({"before": T},)),
    ("purge.soft_bounces", ({"before": T},)),
    ("purge.proofs", ({"before": T},)),
    ("purge.last_at", ({},)),
    ("purge.forget_last", ({},)),
    ("purge.keep_last", ({"now": LATER},)),
    ("recall.moments_to_hold", ({"broadcast": 2, "now": T, "until": NEVER}, {**NONE, "now": T, "until": NEVER})),
    ("recall.keep_batch", ({**ONE, "batch_id": "new", "due_at": NEVER, "recall_ends_at": NEVER, "now": T},) * 2),
    ("recall.batches", (ONE, NONE)),
    ("recall.watched", ({"now": T},)),
    ("recall.past", ({"before": NEVER}, {"before": EVER})),
    ("recall.in_use", ({},)),
    ("recall.find", (*({"batch_id": state.value} for state in BatchState), {"batch_id": "none"})),
    ("recall.held_chunks", ({**ONE, "batch_id": "recalled"}, {**NONE, "batch_id": "recalled"})),
    (
        "recall.leavers",
        tuple({**ONE, "batch_id": "recalled", "leaving": leaving, "at": NEVER} for leaving in ("", "left")),
    ),
    ("recall.add_chunk_again", ({**ONE, "chunk": 21, "number": 98, "reason": "why", "now": T},)),
    ("recall.move_all", ({**ONE, "chunk": 21, "into": 98, "first_subscriber": 1, "size": 1},)),
    ("recall.close_chunk", ({**ONE, "chunk": 21, "size": 0, "reason": "why", "now": T},)),
    ("recall.leave_open", ({**ONE, "batch_id": "recalled", "reason": "why", "now": T},)),
    ("recall.set_state", ({"batch_id": "open", "state": "recalling", "asked": 1, "reason": "", "now": T},)),
    ("recall.say_run", ({"command": "worker", "now": LATER},) * 2),
    ("recall.last_runs", ({},)),
    ("record.find_chunk", (*({**ONE, "chunk": number + 1} for number in range(len(ChunkState))), {**NONE, "chunk": 1})),
    ("record.subscribers_of_chunk", (PAGE_OF_CHUNK,)),
    ("record.inflight_chunks", (ONE,)),
    (
        "record.settle_taken",
        ({**CHUNK, "attempt": 0, "state": "accepted", "reason": "", "message_id": "", "now": T},),
    ),
    ("record.take_up_again", ({**CHUNK, "hold_until": "", "batch_id": "", "now": T},)),
    ("record.report_subscriber", ({"subscriber": 1, "reason": "invalid", "now": T},)),
    (
        "reported.delivery",
        ({"broadcast": 1, "subscriber": 1}, {"broadcast": 2, "subscriber": 3}, {**NONE, "subscriber": 1}),
    ),
    ("reported.token", ({"subscriber": 1}, {"subscriber": 999})),
    ("reported.recent", ({"persons": PERSONS, "since": EVER, "until": NEVER},)),
    ("requests.requests", ({**ONE, "after": 0, "size": 99},)),
    (
        "requests.request",
        (*({**ONE, "chunk": number} for number in (*range(1, 8), 20)), {**NONE, "chunk": 1}),
    ),
    ("requests.groups", (ONE, NONE)),
    ("requests.runners", (ONE, NONE)),
    (
        "requests.find_claim",
        (*({**ONE, "chunk": number} for number in (*range(1, 8), 20)), {**NONE, "chunk": 1}),
    ),
    ("requests.held", (ONE, NONE)),
    ("resolve.unknown_chunks", (ONE, {"broadcast": 2})),
    ("resolve.sample", (PAGE_OF_CHUNK,)),
    ("resolve.find_unknown", ({**ONE, "chunk": 5, "attempt": 1}, {**CHUNK, "attempt": 9})),
    ("resolve.settle", ({**CHUNK, "state": "accepted", "reason": "", "now": T},)),
    ("notices.stuck", ({"since": EVER},)),
    ("notices.add_alarm", ({**ONE, "at": T, "what": "why", "kind": "bounces"},)),
    ("notices.add", ({**ONE, "at": LATER, "what": "why", "state": "paused", "since": EVER},)),
    ("notices.last_tried", ({},)),
    ("notices.untold", ({},)),
    ("notices.say_tried", ({**ONE, "at": T, "what": "it was paused", "tried_at": T},)),
    ("notices.say_told", ({**ONE, "at": T, "what": "it was paused", "told_at": T, "failure": ""},)),
    ("restore.is_anything_there", ({},)),
    ("restore.nonces", ({},)),
    ("restore.tokens", ({"size": 9},)),
    ("restore.runners", ({},)),
    ("restore.open_broadcasts", ({},)),
    ("restore.suppressions", ({},)),
    ("restore.forgotten", ({},)),
    ("restore.people", ({},)),
    ("restore.joined", ({"newest": 0}, {"newest": 999})),
    ("restore.email_of", ({"subscriber": 1}, {"subscriber": 999}, {"subscriber": None})),
    ("restore.end_recalls", ({},)),
    ("restore.give_up_edition", ({"edition": 1, "first": 2},)),
    ("restore.make_unknown", ({**ONE, "reason": "why", "now": T},)),
    (
        "restore.suppress",
        (
            {**PERSON, "topic": "", "email": "p1@example.org", "reason": "manual", "detail": "", "created_at": T}
            | {"repeated_at": "", "handed_over_at": "", "consent_on_record": ""},
        ),
    ),
    ("restore.remember", ({"digest": b"8", "subscriber": None, "reason": "forgotten", "created_at": T},) * 2),
    ("schedule.unattended", ({},)),
    ("schedule.next_retry", ({"broadcast": 2, "now": T}, {**NONE, "now": T})),
    ("schedule.last_accepted", (ONE, NONE)),
    ("schedule.next_due", (ONE, NONE)),
    ("schedule.overdue", ({**ONE, "before": NEVER}, {**NONE, "before": NEVER})),
    ("schedule.due_now", ({**ONE, "now": NEVER}, {**NONE, "now": NEVER})),
    ("schedule.last_claimed", (ONE, NONE)),
    ("schedule.zones", (ONE, NONE)),
    (
        "rolling.newest",
        (
            {
                "issue": "sign-ups",
                "content_hash": "def",
                "provider": "outbox",
                "kind": "confirmation",
                "envelope": ENVELOPE,
            },
            *({**OF_CONTENT, "kind": kind.value, "envelope": ENVELOPE} for kind in BroadcastKind),
            {**OF_CONTENT, "kind": "none", "envelope": ""},
        ),
    ),
    ("rolling.next_chunk", (ONE, NONE)),
    ("rolling.add_delivery", ({**ONE, "edition": 1, "subscriber": 77, "chunk": 1},)),
    ("rolling.grow", ({**ONE, "people": 1},)),
    (
        "rolling.of_day",
        ({"kind": "edition", "day": "2026-02", "subscriber": 1}, {"kind": "x", "day": "2026-02", "subscriber": 1}),
    ),
    ("rolling.running", ({"kinds": '["confirmation", "welcome"]'}, {"kinds": "[]"})),
    ("rolling.last_confirmation", ({},)),
    ("segments.count_members", ({},)),
    ("segments.count_segment", ({"at": EVER}, {"at": NEVER})),
    ("segments.count_suppressed", ({},)),
    ("segments.member_ids", ({"most": 9},)),
    ("segments.sample_ids", ({"size": 9},)),
    ("segments.has_member", ({},)),
    ("segments.field_values", ({"most": 9},)),
    ("segments.has_reaction", ({"type": "opened"}, {"type": "clicked"}, {"type": "none"})),
    ("segments.segment_names", ({},)),
    ("segments.issue_names", ({},)),
    ("segments.people", ({"ids": "[0, 1, 2, 3, 4, 5, 6, 7, 8]"},)),
    ("segments.is_member", ({"subscriber": 1}, {"subscriber": 999})),
    ("soft_bounces.add", ({**PERSON, "at": LATER, "detail": ""},)),
    (
        "soft_bounces.repeated",
        (
            {"bounces": 1, "is_for_any": 1, "causes": "[]", "not_theirs": "[]"},
            {"bounces": 1, "is_for_any": 0, "causes": '["", "inactive"]', "not_theirs": "[]"},
        ),
    ),
    ("soft_bounces.last_signs", ({"subscribers": "[1, 2, 7]", "since": EVER},)),
    ("stats.facts", ({},)),
    ("stats.suppressed", ({},)),
    ("stats.count_without_consent", ({},)),
    ("stats.count_paused", ({"at": T}, {"at": NEVER})),
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
    ("signups.keep_wording", ({"version": "en-2", "language": "en", "words": "words", "now": T},) * 2),
    ("signups.find_wording", ({"version": "en-1"}, {"version": "none"})),
    ("signups.add", ({**SIGNUP, "now": T},)),
    ("signups.count_refusal", ({"hour_at": T, "reason": "too old"},) * 2),
    ("signups.refusals", ({"since": EVER},)),
    ("signups.is_anyone_waiting", ({},)),
    ("signups.asked", ({"size": 9},)),
    ("signups.of_person", (*({"person": f"p{number}@example.org"} for number in (1, 2, 3, 4)), STRANGER)),
    ("signups.mailed_since", ({**PERSON, "since": EVER}, {**STRANGER, "since": EVER})),
    ("signups.reserved_id", ({"person": "p2@example.org"}, STRANGER)),
    ("signups.keep_mailed", ({"signup": 1, "state": "mailed", "subscriber": 60, "token": "t", "now": T},)),
    ("signups.keep_broadcast", ({"signup": 1, "broadcast": 9},)),
    ("signups.rush", ({"hour_ago": EVER, "day_ago": NEVER, "month_ago": EVER, "two_hours_ago": EVER},)),
    ("signups.of_subscriber", ({"subscriber": 3}, {"subscriber": 1}, {"subscriber": 999})),
    (
        "signups.keep_past_consent",
        ({"subscriber": 1, "consented_at": NEVER, "now": T}, {"subscriber": 999, "consented_at": NEVER, "now": T}),
    ),
    ("signups.renew_consent", ({**CONSENT, "subscriber": 1},)),
    (
        "signups.fill_in",
        ({"subscriber": 1, "first_name": "Ana", "language": "en", "now": T},),
    ),
    (
        "signups.add_subscriber",
        (
            {
                **CONSENT,
                **dict.fromkeys(("token", "email", "first_name", "language"), "x"),
                **STRANGER,
                "subscriber": 90,
                "joined_at": T,
            },
        ),
    ),
    ("signups.find_erased", ({"digest": b"1"}, {"digest": b"2"}, {"digest": b"3"})),
    ("signups.return_erased", ({"digest": b"2"},)),
    ("signups.welcomes_due", ({"size": 9},)),
    ("signups.keep_welcomed", ({"signup": 4},)),
    ("signups.keep_confirmed", ({"signup": 3, "welcome": "due", "now": T},)),
    ("signups.put_back", ({"signup": 1},)),
    ("signups.drop", ({"signup": 1},)),
    ("re_permission.askable", ({"at": NEVER},)),
    ("re_permission.left_out", ({"at": NEVER},)),
    ("re_permission.silent", ({"before": NEVER, "at": NEVER},)),
    (
        "re_permission.add",
        (
            {
                "person": "p6@example.org",
                "email": "p6@example.org",
                "language": "en",
                "wording": "en-1",
                "token": "t",
                "subscriber": 6,
                "broadcast": 9,
                "source": "asked-again",
                "now": T,
            },
        ),
    ),
    *(
        (f"purge.{name}", ({"before": EVER}, {"before": NEVER}))
        for name in ("tracking_choices", "refusals", "signups", "link_requests", "wordings")
    ),
    ("subscribers.find_id", (PERSON, STRANGER)),
    ("service.find_key", ({},)),
    ("service.keep_key", ({"key": b"k" * 32},)),
    ("service.remarks", ({"subscriber": 7}, {"subscriber": 999})),
    ("service.keep_remark", ({"subscriber": 1, "at": T, "reason": "often", "remark": "words"},) * 2),
    ("subscribers.by_id", tuple({"subscriber": number} for number in (*range(9), 999))),
    ("subscribers.page", ({"after": -1, "size": 99},)),
    ("subscribers.search", ({"pattern": "%P1@%", "size": 9}, {"pattern": "%nobody%", "size": 9})),
    ("subscribers.attribute_names", ({},)),
    ("subscribers.tag_names", ({},)),
    ("subscribers.past_deliveries", tuple({"subscriber": number} for number in (1, 3, 999))),
    ("subscribers.past_consents", ({"subscriber": 1},)),
    ("subscribers.events", ({"subscriber": 7}, {"subscriber": 999})),
    ("subscribers.soft_bounces", ({"person": "p7@example.org"}, STRANGER)),
    ("subscribers.count", ({},)),
    ("suppressions.of_person", (*({"person": f"p{number}@example.org"} for number in range(8)), STRANGER)),
    ("suppressions.of_persons", ({"persons": EVERYONE}, {"persons": "[]"})),
    ("suppressions.past_of_person", (*({"person": f"p{number}@example.org"} for number in range(8)), STRANGER)),
    ("suppressions.page", ({"after_person": "", "after_topic": "", "size": 99, **ALL_OF_THEM},)),
    ("suppressions.counts", (ALL_OF_THEM,)),
    ("suppressions.suppressed_among", ({"persons": PERSONS},)),
    ("suppressions.allowed_again", ({"persons": PERSONS},)),
    ("suppressions.keep_handed_over", ({"persons": PERSONS, "at": T},)),
    ("suppressions.keep_past", ({**PERSON, "topic": "", "because": "why", "consented_at": T, "now": LATER},)),
    ("suppressions.remove", ({**PERSON, "topic": ""},)),
    ("suppressions.create_reported", ({},)),
    ("suppressions.count_reported", ({},)),
    ("suppressions.count_new", ({},)),
    ("suppressions.count_mailed", ({},)),
    ("suppressions.take_past_leavings", ({},)),
    ("suppressions.take_consents_on_record", ({},)),
    ("suppressions.add_reported", ({},)),
    ("suppressions.say_reported_again", ({},)),
    ("suppressions.empty_reported", ({},)),
    ("topics.add_topic", ({**ONE, "topic": "new"},)),
    ("topics.exclude_left", ({"topics": '["news"]', "count": 1, "settlement": 1},)),
    ("topics.topics_of", (ONE, NONE)),
    ("tracking.agree", ({"subscriber": 2, "now": LATER}, {"subscriber": 999, "now": LATER})),
    ("tracking.set_mode", ({**ONE, "mode": "consented"}, {"broadcast": 2, "mode": "totals"})),
    ("tracking.add_link", ({**ONE, "number": 9, "target": "https://example.org/b", "version": "B"},)),
    (
        "tracking.find_link",
        (
            {**ONE, "number": 1, "subscriber": 1},
            {**ONE, "number": 0, "subscriber": 0},
            *({"broadcast": number, "number": 1, "subscriber": 7} for number in (1, 2, 3)),
            {**NONE, "number": 1, "subscriber": 1},
        ),
    ),
    ("tracking.reactions", ({"since": LATER, "until": NEVER}, {"since": NEVER, "until": NEVER})),
    ("tracking.react", ({"since": EVER, "until": NEVER},)),
    ("tracking.deliver", ({"since": EVER, "until": NEVER},)),
    ("report.create_mailbox", ({},)),
    ("report.groups", ({**OF_BROADCASTS, **EVERYBODY},)),
    ("report.reactions", ({**OF_BROADCASTS, **EVERYBODY},)),
    ("report.troubles", ({**OF_BROADCASTS, **EVERYBODY},)),
    ("report.leavers", ({**OF_BROADCASTS, "since": EVER, "until": NEVER},)),
    ("report.links", ({**OF_BROADCASTS, "settled": NEVER},)),
    ("report.sections", ({**OF_BROADCASTS, "sections": '["0=https://example.org/a"]', "settled": NEVER},)),
    ("report.machines", ({**OF_BROADCASTS, "settled": NEVER},)),
    ("report.only_machines", (OF_BROADCASTS,)),
    ("report.totals", (OF_BROADCASTS,)),
    ("report.sent_between", (OF_BROADCASTS,)),
    ("report.targets", (OF_BROADCASTS,)),
    ("report.state_of", (OF_BROADCASTS,)),
    ("report.keep", ({"issue": "2026-02", "state": "1", "now": T, "content": "{}"},)),
    ("report.kept", ({"issue": "2026-02", "state": "1", "since": EVER},)),
    ("report.warnings", (OF_BROADCASTS,)),
    ("report.may_complain", (ONE, NONE)),
    ("tracking.set_verdict", ({"at": LATER, "digest": b"opened", "verdict": "burst"},)),
    ("tracking.counted", ({"broadcasts": "[1]", "subscribers": "[1, 7]"}, {"broadcasts": "[]", "subscribers": "[]"})),
    (
        "tracking.count_again",
        ({"since": EVER, "until": NEVER, "subscribers": "[1, 7]"}, {"since": T, "until": T, "subscribers": "[]"}),
    ),
    (
        "tracking.recount",
        ({**ONE, "type": "clicked", "subscriber": 7, "first_at": T, "last_at": LATER},),
    ),
    ("tracking.unreact", ({**ONE, "type": "opened", "subscriber": 1},)),
    ("tracking.unjudged", ({"until": "2026-02-20T08:00"}, {"until": ""})),
    ("tracking.set_judged", ({"minute": "2026-02-20T08:00"},)),
    ("tracking.known_of_issue", ({"issue": "2026-02"}, {"issue": "none"})),
    ("tracking.known_of_all", ({},)),
    ("tracking.withdraw", ({"subscriber": 1},)),
    ("tracking.forget_reactions", ({"subscriber": 7},) * 2),
    ("undo.find_import", ({},)),
    ("undo.last_file", ({},)),
    ("undo.collect_people", ({"after": 0, "until": 5, "at": T},)),
    ("undo.note_deliveries", ({"after": 0, "until": 5, "at": T},)),
    ("undo.collect_suppressions", ({"at": T},)),
    ("undo.note_events", ({},)),
    ("undo.note_consents", ({"at": T, "now": LATER},)),
    ("undo.counts", ({},)),
    ("undo.kept", ({"size": 99},)),
    ("undo.lift_added", ({},)),
    (
        "told.add_event",
        tuple({**TOLD, "broadcast": broadcast} for broadcast in (1, 8)),
    ),
    ("follow_ups.first_sent", (FOLLOWED, {"issue": "none", "provider": "smtp"})),
    ("follow_ups.exclude_unreached", ({**FREEZE, **FOLLOWED},)),
    ("follow_ups.exclude_recent", ({**FREEZE, **FOLLOWED, "until": T},)),
    ("follow_ups.exclude_untracked", ({**FREEZE, **FOLLOWED},)),
    ("follow_ups.exclude_reacted", ({**FREEZE, "issue": "2026-02", "type": "opened"},)),
    ("follow_ups.exclude_reported", ({**FREEZE, "issue": "2026-02", "since": EVER, "types": '["opened"]'},)),
    ("follow_ups.exclude_left", ({**FREEZE, "since": EVER},)),
    ("follow_ups.no_longer_known", ({**PAGE_OF_CHUNK, "since": EVER}, {**PAGE_OF_CHUNK, "broadcast": 999, "since": T})),
    ("proofs.keep_checks", ({"broadcast": 2, "result": "{}"},)),
    ("proofs.find_checks", (ONE, NONE)),
    ("proofs.expression_of", (ONE,)),
    ("proofs.results", (ONE, NONE)),
    ("proofs.replaced_consents", ({"since": EVER}, {"since": NEVER})),
    ("proofs.lines", (ONE, NONE)),
    ("proofs.add_page", ({**ONE, "number": 1, "first_subscriber": 5, "last_subscriber": 9, **BLOBS},)),
    ("proofs.keep_bundle", ({"broadcast": 2, "bundle": b"b"},)),
    ("proofs.find_bundle", (ONE, NONE)),
    ("proofs.roots", (ONE, NONE)),
    ("proofs.page_with", ({**ONE, "subscriber": 2}, {**NONE, "subscriber": 2})),
    ("proofs.pages_with", ({"subscriber": 2}, {"subscriber": 999})),
    ("proofs.set_openings", ({**ONE, "number": 0, "openings": b"o"},)),
    ("proofs.drop_pages", (ONE,)),
    ("proofs.drop_bundle", (ONE,)),
    ("told.clocks", (NONE,)),
    ("told.is_new", ({"zones_version": "2026f"},)),
    ("told.keep_clocks", ({**ONE, "zones_version": "2025b", "content": b"c"},)),
    ("told.clocks", (ONE, NONE)),
    ("told.add_zones", ({**CHUNK, "attempt": 1, "zones": "{}"},)),
    (
        "told.tellings",
        ({"event": "talk@example.org", "zones_version": "2026f"}, {"event": "none", "zones_version": "2026f"}),
    ),
    ("told.last_telling", ({"event": "talk@example.org"}, {"event": "none"})),
    ("told.zones", (ONE, NONE)),
    ("told.told_people", (ONE, NONE)),
    ("told.to_look_at", ({"now": T, "zones_version": "2026f"}, {"now": T, "zones_version": "2025b"})),
    ("told.scheduled", ({"now": T}, {"now": NEVER})),
    ("told.say_looked", ({"zones_version": "2026f"},)),
    ("undo.put_back", ({},)),
    ("undo.drop_past_suppressions", ({"at": T},)),
    ("undo.cells_before", ({"after": 0, "size": 99},)),
    ("undo.drop_past_consents", ({"at": T},)),
    ("undo.restore_times", ({},)),
    ("undo.people_to_forget", ({},)),
    ("undo.forget_again", ({},)),
    ("undo.remove_added", ({},)),
    ("undo.mark_undone", ({"id": 1, "now": T},)),
    ("undo.drop_undoing", ({},)),
    ("undo.drop_restoring", ({},)),
    ("undo.create_undoing", ({},)),
    ("undo.create_restoring", ({},)),
    ("variants.add_variant", ({**ONE, "number": 9, "content": b"c"},)),
    (
        "variants.add_picture",
        ({**ONE, "name": "b.png", "content_type": "image/png", "width": 1, "height": 1, "content": b"c"},),
    ),
    ("variants.variants", (ONE, NONE)),
    ("variants.variant_sizes", (ONE, NONE)),
    ("variants.pictures", (ONE, NONE)),
    ("waves.strata", ({},)),
    ("waves.strata_left", ({"after": 0, "size": 9},)),
    ("waves.create_drawn_member", ({},)),
    ("waves.move_drawn", ({"value": "A", "term": 2**40},)),
    ("waves.keep_drawn", (ONE,)),
    ("waves.drop_drawn_member", ({},)),
    ("waves.add_watch", ({"broadcast": 15, "plan": PLAN, "sizes": "{}"},)),
    ("waves.find", (*({"broadcast": number} for number in range(1, 6)), NONE)),
    ("waves.watched", ({"now": EVER}, {"now": NEVER})),
    ("waves.open_waiting", (ONE, NONE)),
    ("waves.last_held", (ONE, NONE)),
    ("waves.set_watch", ({**ONE, "state": "watching", "watch_until": T},)),
    ("waves.keep_decision", ({**ONE, "state": "held", "decided_at": T, "reason": "why", "figures": "{}"},)),
    ("waves.open_rest", (ONE,)),
    ("waves.drawn", (ONE,)),
    ("versions.counts", ({"broadcast": 30}, NONE)),
    ("versions.totals", ({"broadcast": 30}, NONE)),
    ("versions.recent", ({"most": 5},)),
    ("versions.usual", ({**ONE, "until": NEVER}, {**ONE, "until": EVER}, {**NONE, "until": NEVER})),
    ("versions.set_variant", ({**ONE, "variant": 0, "version": 1},)),
    ("versions.set_chosen", ({**ONE, "version": "B", "because": "why", "figures": "[]", "now": T},) * 2),
    ("versions.all_chosen", ({},)),
    ("versions.of_subscriber", ({"issue": "2026-04", "subscriber": 1}, {"issue": "2026-04", "subscriber": 999})),
)

ENDED = {BroadcastState.DONE, BroadcastState.STOPPED, BroadcastState.CANCELLED}
DUE = ("", T, LATER)
# One of each state, and two more, so that scheduled ones have every kind.
BROADCASTS = (*enumerate(BroadcastState, start=1), (14, BroadcastState.SCHEDULED), (15, BroadcastState.SCHEDULED))


WATCHES = [
    (state.value, T if state is WaveState.WATCHING else "", DUE[number % 2], "why", "{}")
    for number, state in enumerate(WaveState)
]


def _seed_proofs(connection: Connection) -> None:
    """What is stored for proofs."""
    _insert(connection, "checked", "broadcast result", (1, "{}"))
    _insert(connection, "proof", "broadcast bundle", (1, b"b"))
    _insert(
        connection,
        "proof_page",
        "broadcast number first_subscriber last_subscriber root leaves openings",
        (1, 0, 1, 4, b"r", b"l", b"o"),
    )


def _seed_service(connection: Connection) -> None:
    """What the pages for subscribers store."""
    _insert(connection, "service_key", "key", (b"k" * 32,))
    _insert(connection, "leaving_remark", "subscriber at reason remark", (7, T, "often", "too many"))
    _insert(
        connection,
        "signup",
        "id person email first_name language topics wants_tracking source wording token asked_at state mailed_at "
        "broadcast subscriber confirmed_at welcome",
        *(
            (
                number,
                f"p{number}@example.org",
                f"p{number}@example.org",
                "",
                "en",
                topics,
                1,
                "join",
                "en-1",
                "t",
                T,
                *rest,
            )
            for number, topics, rest in (
                (1, "|news|", ("asked", "", None, None, "", "")),
                (2, "", ("known", T, 9, 2, "", "")),
                (3, "", ("mailed", T, 9, 3, "", "")),
                (4, "", ("confirmed", T, 9, 1, LATER, "due")),
                (9, "", ("mailed", T, 9, 71, "", "")),
            )
        ),
    )
    kinds = ("preferences", "data", "old address", "new address")
    person = ("p1@example.org", "p1@example.org", "t", T)
    sent = [(10 + number, 1, kind, *person, T, 9, 1, LATER if number else "") for number, kind in enumerate(kinds)]
    _insert(
        connection,
        "link_request",
        "id subscriber kind person email token asked_at mailed_at broadcast recipient confirmed_at",
        *((1 + number, 1, kind, *person, "", None, None, "") for number, kind in enumerate(kinds)),
        *sent[1:],
        sent[0],
    )
    _insert(connection, "former_token", "subscriber token ends_at", (7, "former", LATER))
    _insert(connection, "tracking_choice", "subscriber at agrees wording", (7, T, 1, "1 en"), (7, LATER, 0, "1 en"))
    _insert(connection, "signup_wording", "version language words first_shown_at", ("en-1", "en", "words", T))
    _insert(connection, "signup_refusal", "hour_at reason signups", (T, "too old", 1))


def _seed_reviews(connection: Connection) -> None:
    """What reviewers were shown, and what they said: one review that is open, and one that has ended."""
    columns = "id issue content_hash asked_at ended_at snapshot"
    _insert(
        connection, "review", columns, (11, "2026-02", "abc", T, "", b"{}"), (12, "2026-02", "old", T, LATER, b"{}")
    )
    _insert(connection, "review_picture", "review name content_type content", (11, "a.png", "image/png", b"a"))
    _insert(connection, "reviewer", "id review name email token", (11, 11, "Ana", "ana@example.org", "t"))
    remark = (11, "issues/2026-02/letter.md", 4, "words", "said", T)
    columns = "id review reviewer path line words said said_at done_at"
    _insert(connection, "review_remark", columns, (11, 11, *remark, ""), (12, 11, *remark, LATER))


def seed(connection: Connection) -> None:
    """A world in which every column that can be NULL is NULL somewhere, and every enum has each of its members."""

    _insert(
        connection,
        "subscriber",
        "id person email first_name last_name language timezone tags joined_at consented_at consent_source "
        "consent_wording consent_confirmed_at consent_basis attributes token updated_at "
        "tracking_consented_at paused_until",
        *(
            (
                number,
                f"p{number}@example.org",
                f"P{number}@ex{'aä'[number == 8]}mple.org",
                "",
                "",
                "en",
                "Europe/London",
                "",
                EVER,
            )
            + ((T, "form") if number else ("", ""))
            + ("", T if number else "", "" if number else "members", "{}", "t", T)
            + ((T, LATER) if number else ("", ""))
            for number, email in enumerate((*(f"P{number}@example.org" for number in range(8)), "Pé@example.org"))
        ),
    )
    waivers = '[{"rule": "links", "because": "why"}]'
    _insert(
        connection,
        "broadcast",
        "id state finished_at due_at is_local_time nonce issue segment expression provider reason content_hash "
        "envelope waivers frozen created_at continues_at good_until kind grace_until",
        *(
            (number, state.value, LATER if state in ENDED else None, DUE[number % 3], number % 2, f"n{number}", *rest)
            for number, state in BROADCASTS
            for words in [("2026-02", "everyone", "why", "outbox", "why", "abc", ENVELOPE, waivers, 9, T)]
            for kind in [list(BroadcastKind)[number % len(BroadcastKind)].value]
            for rest in [(*words, DUE[(number + 1) % 3], DUE[number % 2], kind, DUE[(number + 1) % 3])]
        ),
    )
    _insert(
        connection,
        "chunk",
        "broadcast number state size attempt due_at hold_until zone claimed_at variant first_subscriber runner reason "
        "message_id changed_at batch_id",
        *(
            (1, number, state.value, 2, int(state is ChunkState.UNKNOWN), DUE[number % 2], DUE[number % 2 + 1], *rest)
            for number, state in enumerate(ChunkState, start=1)
            for rest in [("Europe/London", T, 0, 1, "r", "why", "m", T, "")]
        ),
        (1, 20, "ready", 1, 0, LATER, "", "Asia/Tokyo", "", 0, 1, "", "", "", T, ""),
        (1, 21, "accepted", 1, 1, "", LATER, "", T, 0, 1, "", "", "", T, "recalled"),
        (1, 22, "ready", 1, 0, "", "", "UTC", "", 0, 1, "", "", "", T, ""),
        (2, 2, "ready", 1, 0, "", "", "", "", 0, 1, "", "", "", T, ""),
        (2, 3, "ready", 1, 0, LATER, "", "", "", 0, 1, "", "", "", T, ""),
        (2, 1, "unknown", 1, 1, "", "", "", "", 0, 1, "", "", "", T, ""),
    )
    _insert(
        connection,
        "broadcast",
        "id state nonce issue segment expression provider reason content_hash envelope waivers frozen created_at kind",
        (9, "running", "n9", "sign-ups", "new", "", "outbox", "", "abc", ENVELOPE, "[]", 5, T, "confirmation"),
    )
    _insert(
        connection,
        "chunk",
        "broadcast number state size variant first_subscriber changed_at",
        (9, 1, "ready", 5, 0, 1, T),
    )
    _insert(
        connection,
        "watch",
        "broadcast plan sizes state watch_until decided_at reason figures chosen_at",
        *((number, PLAN, '{"gmail": [1, 2]}', *row, row[1]) for number, row in enumerate(WATCHES, start=1)),
    )
    _insert(connection, "drawn", "broadcast subscriber value", (1, 1, "A"))
    _insert(
        connection,
        "held_batch",
        "id broadcast due_at recall_ends_at state reason changed_at",
        *((state.value, 1, LATER, T, state.value, "why", T) for state in BatchState),
    )
    _insert(connection, "last_run", "command at", ("run-due", T))
    _insert(
        connection,
        "chunk",
        "broadcast number state size variant first_subscriber reason changed_at tries deferrals retry_at ending "
        "accepted_before due_at",
        (2, 4, "deferred", 1, 0, 1, "450 later", T, 3, 3, T, "", -1, T),
        (2, 8, "deferred", 1, 0, 1, "450 later", T, 3, 3, EVER, "", -1, T),
        (2, 5, "deferred", 1, 0, 1, "550 5.7.1 no", T, 1, 0, "", "rejected", 0, ""),
        (2, 9, "deferred", 1, 0, 1, "550 no", T, 2, 0, "", "invalid", 0, ""),
        (2, 6, "deferred", 1, 0, 1, "550 5.1.1 no", T, 1, 0, "", "undeliverable", 0, ""),
        (2, 7, "ready", 1, 0, 1, "", T, 1, 1, LATER, "", -1, ""),
    )
    _insert(
        connection,
        "settlement",
        "broadcast number status reason size changed_at",
        *((1, number + 1, status.value, "why", 1, T) for number, status in enumerate(DeliveryStatus)),
    )
    _insert(
        connection,
        "delivery",
        "broadcast subscriber chunk settlement edition",
        *(
            (1, 0, 1, None, 1),
            (1, 1, 1, None, 1),
            (1, 2, 3, None, 1),
            (1, 3, None, 1, 1),
            (1, 99, 1, None, 1),
            (1, 4, 21, None, 1),
            (1, 5, 2, None, 1),
            (2, 1, 1, None, None),
            (9, 1, 1, None, None),
            (9, 2, 1, None, None),
            (9, 3, 1, None, None),
            (9, 70, 1, None, None),
            (9, 71, 1, None, None),
        ),
    )
    _insert(
        connection,
        "journal",
        "broadcast number at entry detail",
        *((1, number + 1, T, entry.value, "detail") for number, entry in enumerate(Entry)),
        (4, 1, T, "stopped", "detail"),
    )
    _insert(
        connection,
        "notice",
        "broadcast at what state tried_at told_at failure",
        (1, T, "it was paused", "paused", T, "", "no answer"),
        (4, T, "it was stopped", "stopped", "", "", ""),
        (4, LATER, "it was stopped again", "stopped", T, "", "no answer"),
    )
    reasons = list(enumerate(SuppressionReason, start=1))
    _insert(
        connection,
        "suppression",
        "person topic email reason detail created_at repeated_at handed_over_at consent_on_record",
        *(
            (f"p{n}@example.org", "", f"p{n}@example.org", reason.value, "", T, "", DUE[n % 2], "")
            for n, reason in reasons
        ),
        ("p7@example.org", "news", "p7@example.org", "unsubscribed", "", T, LATER, "", EVER),
    )
    _insert(
        connection,
        "past_suppression",
        "person topic reason created_at lifted_at because",
        *((f"p{n}@example.org", "", reason.value, EVER, T, "why") for n, reason in reasons),
    )
    _insert(
        connection,
        "event",
        "at digest type broadcast chunk attempt subscriber detail url url_offset cause verdict",
        *((LATER, type_.encode(), type_.value, 1, 5, 1, 7, "", "", -1, "", "") for type_ in EventType),
    )
    _insert(
        connection,
        "event_total",
        "broadcast type url verdict events",
        (1, "opened", "", "", 3),
        (1, "clicked", "https://example.org/a", "", 2),
    )
    _insert(connection, "version_total", "broadcast version type verdict events", (1, "B", "opened", "", 3))
    _insert(
        connection,
        "tracked_link",
        "broadcast number target",
        (1, 0, ""),
        (1, 1, "https://example.org/a"),
        (2, 1, ""),
        (3, 1, ""),
    )
    _insert(connection, "unjudged_minute", "minute", ("2026-02-20T08:00",))
    _insert(
        connection,
        "post",
        "received_at provider digest content interpreted_at failure",
        (T, "sendgrid", b"1", b"content", LATER, ""),
        (T, "sendgrid", b"2", b"content", "", ""),
    )
    _insert(connection, "reaction", "broadcast type subscriber last_at first_at", (1, "opened", 1, T, T))
    _seed_service(connection)
    _insert(connection, "soft_bounce", "person at detail", ("p7@example.org", LATER, "full"))
    _insert(connection, "last_purge", "at", (T,))
    _insert(connection, "approval", "issue content_hash approved_by approved_at", ("2026-02", "abc", "Ana", T))
    _seed_reviews(connection)
    _insert(
        connection,
        "proposal",
        "id issue segment content_hash recipients wall_time is_second zone is_local_time proposed_by proposed_at "
        "expires_at state broadcast",
        (71, "2026-02", "everyone", "abc", 3, "2026-02-19T08:00:00", 1, "UTC", 1, "agent", T, LATER, "open", None),
        (72, "2026-02", "all", "abc", 3, "", 0, "", 0, "agent", T, LATER, "released", 1),
        (73, "2026-02", "few", "abc", 3, "", 0, "", 0, "agent", T, LATER, "declined", None),
    )
    _insert(connection, "tested", "issue content_hash tested_at copies", ("2026-02", "abc", T, 1))
    _insert(
        connection,
        "forgotten",
        "digest subscriber reason created_at",
        (b"1", 50, "forgotten", T),
        (b"2", None, "manual", T),
    )
    _insert(connection, "forgotten_key", "digest", (b"key",))
    connection.raise_last_ids({"broadcast": 15, "subscriber": 9, "signup": 9, "link_request": 20})
    _insert(connection, "broadcast_topic", "broadcast topic", (1, "news"), (1, "other"))
    _seed_proofs(connection)
    _insert(connection, "variant", "broadcast number content", (1, 0, b"content"))
    _insert(
        connection,
        "picture",
        "broadcast name content_type width height content",
        (1, "a.png", "image/png", 1, 1, b"picture"),
    )
    _insert(connection, "attribute", "name", ("town",))
    _insert(connection, "tag", "name", ("member",))
    _insert(
        connection,
        "past_consent",
        "subscriber replaced_at consented_at source wording confirmed_at",
        *((1, T, moment, "form", "v1", confirmed) for moment, confirmed in ((EVER, ""), (T, LATER))),
    )
    _insert(
        connection,
        "import",
        "at file added updated unchanged blocked rejected basis tags",
        (T, "list.csv", 1, 0, 0, 0, 0, "", "|member|"),
    )
    _insert(
        connection,
        "import",
        "at file added updated unchanged rejected basis tags added_after added_until is_undoable undone_at",
        (T, "last.csv", 1, 0, 0, 0, "", "", 4, 5, 1, LATER),
    )
    _insert(connection, "import_change", "subscriber updated_at cells", (8, EVER, "p8@example.org"))
    _insert(
        connection,
        "import_suppression",
        "person topic email reason detail created_at repeated_at handed_over_at consent_on_record is_lifted",
        ("p1@example.org", "", "", "", "", "", "", "", "", 0),
    )
    _insert(
        connection,
        "import_return",
        "person digest subscriber reason created_at",
        ("p6@example.org", b"6", 6, "forgotten", T),
        ("p7@example.org", b"7", None, "forgotten", T),
    )
    _insert(connection, "left_since_import", "person topic", ("p1@example.org", ""))


def furnish(connection: Connection, file: str) -> None:
    """The content of the temporary tables of a list: one known person, and two newcomers who were erased."""
    if file == "freeze":
        _insert(connection, "beginning", "part subscriber chunk", (0, 0, 1))
    if file == "waves":
        _insert(connection, "member", "subscriber part stratum", (1, 0, 0))
    if file == "versions":
        _furnish_comparison(connection)
    if file == "tempo":
        _furnish_past(connection)
    if file in {"claim", "re_permission"}:
        _furnish_asking(connection)
    if file == "report":
        _furnish_report(connection)
    if file == "import_shared":
        _insert(connection, "remark", "line email fate text", (9, "x@example.org", "rejected", "why"))
        _insert(
            connection,
            "leaver",
            "line person email reason left_at until detail told consented_at",
            (8, "x@example.org", "x@example.org", "unsubscribed", T, LATER, "detail", "told", T),
        )
    if file == "import_merging":
        people = (1, "p1@example.org"), (2, "new@example.org"), (3, "other@example.org")
        _insert(
            connection,
            "incoming",
            "line person email last_name",
            *((line, person, person, "Silva") for line, person in people),
        )
        _insert(connection, "newcomer", "line digest", (2, b"1"), (3, b"2"))


def _furnish_report(connection: Connection) -> None:
    """A tracked issue that everyone got, and of which one person opened and clicked."""
    connection.execute("UPDATE broadcast SET tracking = 'consented' WHERE id = 1", {})
    connection.execute("UPDATE chunk SET state = 'accepted' WHERE broadcast = 1", {})
    connection.execute("UPDATE subscriber SET tracking_consented_at = :at WHERE id IN (1, 7)", {"at": EVER})
    _insert(connection, "delivery", "broadcast subscriber chunk edition is_delivered", (1, 7, 1, 1, 1))
    _insert(connection, "reaction", "broadcast type subscriber last_at first_at", (1, "clicked", 7, T, T))
    _insert(
        connection,
        "event",
        "at digest type broadcast chunk attempt subscriber detail url url_offset cause verdict",
        (LATER, b"a", "clicked", 1, 1, 1, 7, "", "https://example.org/a", 1, "", ""),
        (LATER, b"b", "opened", 1, 1, 1, 7, "", "", -1, "", "privacy"),
        (LATER, b"c", "bounced", 1, 1, 1, 2, "", "", -1, "disabled", ""),
    )


def _furnish_past(connection: Connection) -> None:
    """A broadcast that ended, and when its only batch was claimed."""
    _insert(
        connection,
        "broadcast",
        "id state nonce issue segment expression provider reason content_hash envelope waivers frozen created_at kind "
        "finished_at",
        (31, "done", "n31", "2026-05", "all", "", "outbox", "", "abc", ENVELOPE, "[]", 2, T, "issue", T),
    )
    _insert(
        connection,
        "chunk",
        "broadcast number state size variant first_subscriber changed_at attempt claimed_at",
        (31, 1, "accepted", 2, 0, 1, T, 1, T),
    )


def _furnish_comparison(connection: Connection) -> None:
    """A tracked broadcast through a mail server that compared two versions, of which one was chosen."""
    _insert(
        connection,
        "broadcast",
        "id state nonce issue segment expression provider reason content_hash envelope waivers frozen created_at "
        "tracking",
        (30, "done", "n30", "2026-04", "all", "", "smtp", "", "abc", ENVELOPE, "[]", 2, NEVER, "consented"),
    )
    _insert(
        connection,
        "chunk",
        "broadcast number state size variant first_subscriber changed_at",
        (30, 1, "accepted", 2, 0, 1, T),
    )
    _insert(connection, "delivery", "broadcast subscriber chunk edition", (30, 1, 1, 30), (30, 2, 1, 30))
    _insert(connection, "drawn", "broadcast subscriber value", (30, 1, "A"))
    _insert(
        connection,
        "watch",
        "broadcast plan sizes state watch_until decided_at reason figures chosen chosen_at",
        (30, PLAN, "{}", "rest", T, T, "why", "{}", "B", T),
    )
    totals = ((30, "A", "opened", "", 1), (30, "B", "clicked", "proxy", 2))
    _insert(connection, "version_total", "broadcast version type verdict events", *totals)


def _furnish_asking(connection: Connection) -> None:
    """Two people without a consent. One was asked for it."""
    _insert(
        connection,
        "subscriber",
        "id person email first_name last_name language timezone tags joined_at consented_at consent_source "
        "consent_wording consent_confirmed_at consent_basis attributes token updated_at "
        "tracking_consented_at paused_until",
        *(
            (number, person, person, "", "", "en", "", "", T, "", "", "", "", "", "{}", "t", T, "", "")
            for number, person in ((71, "p9@example.org"), (72, "p72@example.org"))
        ),
    )
    _insert(
        connection,
        "signup",
        "person email first_name language topics wants_tracking source wording token asked_at state mailed_at "
        "broadcast subscriber is_asked_again",
        ("p72@example.org", "p72@example.org", "", "en", "", 0, "asked-again", "en-1", "t", T, "mailed", T, 1, 72, 1),
    )
    _insert(connection, "delivery", "broadcast subscriber chunk edition", (1, 72, 21, 1))


def _insert(connection: Connection, table: str, columns: str, *rows: tuple[object, ...]) -> None:
    names = columns.split()
    sql = f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join(f':{name}' for name in names)})"
    connection.execute_each(sql, [dict(zip(names, row, strict=True)) for row in rows])
