"""Make the proof of a broadcast: a signed bundle that names no recipient, and a salted line for each of them."""

from collections.abc import Callable, Iterator
from datetime import datetime
from functools import cache
from hashlib import sha256
from secrets import token_bytes

from msgspec import Struct, json
from msgspec.structs import asdict

from newsletter.errors import InputError
from newsletter.model.address import masked
from newsletter.model.broadcast import Broadcast, BroadcastState, Tally
from newsletter.model.merkle import SALT_BYTES, leaf_of, root_of
from newsletter.model.proof import (
    BUNDLE_FORMAT,
    Bundle,
    LineFields,
    Opening,
    ProvedApproval,
    ProvedBroadcast,
    ProvedMail,
    ProvedPicture,
    ProvedText,
    ProvedWaiver,
)
from newsletter.model.rendered import RenderedVariant
from newsletter.model.slots import Template
from newsletter.store.approvals import approvals_in, tested_at
from newsletter.store.database import Connection, Database
from newsletter.store.ledger.cancel import HELD_AHEAD
from newsletter.store.ledger.states import require_current
from newsletter.store.ledger.status import count
from newsletter.store.ledger.variants import load_variants, variant_counts
from newsletter.store.proofs import (
    EXPRESSION_OF,
    RESULTS,
    drop_proof,
    find_bundle,
    find_checks,
    keep_bundle,
    keep_page,
    line_pages,
    replaced_consents,
)
from newsletter.system.environment import HOW_TO_MAKE_ONE, VARIABLE
from newsletter.system.moments import text_of
from newsletter.workflows.proof.encoding import as_text, canonical, read_canonical
from newsletter.workflows.proof.signing import fingerprint_of, public_key_of, signed

_ENCODE = json.Encoder().encode  # writes LineFields as `canonical` does
_ENDED = frozenset({BroadcastState.DONE, BroadcastState.CANCELLED, BroadcastState.STOPPED})


class MadeProof(Struct, frozen=True, kw_only=True):
    """The bundle of a broadcast."""

    content: bytes  # as it is written to a file
    bundle: Bundle
    is_new: bool  # whether it was made now, rather than at an earlier time


def prove_broadcast(
    database: Database,
    broadcast_id: int,
    *,
    secret: bytes | None,
    now: datetime,
    on_progress: Callable[[int], None] = lambda _: None,
) -> MadeProof:
    """Return the proof of a broadcast that has ended. It is made once, and again only if a result has changed since.

    `secret` is from `proof_key`. `on_progress` is called with the number of lines just made. Raise InputError if there
    is no such broadcast, if any of its emails has no result yet, or if the secret is needed and missing.
    """
    with database.transaction() as connection:
        broadcast, tally = require_current(connection, broadcast_id), count(connection, broadcast_id)
        if (stored := find_bundle(connection, broadcast_id)) is not None:
            bundle = read_canonical(stored, Bundle)
            if bundle.outcomes == _outcomes_of(tally):
                return MadeProof(content=stored, bundle=bundle, is_new=False)
        _require_ended(broadcast, tally, held=HELD_AHEAD(connection, broadcast=broadcast_id, now=text_of(now)))
        if secret is None:
            raise InputError(f"{VARIABLE} is not set, and without it the proof cannot be signed; {HOW_TO_MAKE_ONE}")
        drop_proof(connection, broadcast_id)
        root = _keep_lines(connection, broadcast, on_progress)
        bundle = signed(_statement(database, connection, broadcast, tally, root, secret=secret, now=now), secret)
        content = canonical(bundle)
        keep_bundle(connection, broadcast_id, content)
    return MadeProof(content=content, bundle=bundle, is_new=True)


def _outcomes_of(tally: Tally) -> dict[str, int]:
    """Return how many emails are in each state. No bundle has the states of emails that have no result yet."""
    return {name: size for name, size in asdict(tally).items() if size and name != "frozen"}


def _require_ended(broadcast: Broadcast, tally: Tally, *, held: int) -> None:
    number, waiting = broadcast.id, tally.waiting + tally.inflight + tally.deferred
    if broadcast.state not in _ENDED or waiting:
        what = f"broadcast {number} has not ended, and a proof says how each email ended"
        raise InputError(f"{what}; run `newsletter status {number}` to see what is left of it")
    if held:
        what = f"the provider holds {held:,} emails of broadcast {number} until their time, and may discard some"
        raise InputError(f"{what}; make the proof after that, see `newsletter status {number}`")


def _keep_lines(connection: Connection, broadcast: Broadcast, on_progress: Callable[[int], None]) -> bytes:
    """Save a line for each delivery. Return the root of all lines.

    If a consent was replaced since the broadcast, the earlier one counts. Texts that others wrote may contain
    addresses, so these are masked.
    """
    results = {(row.chunk, row.settlement): row for row in RESULTS(connection, broadcast=broadcast.id)}
    replaced = replaced_consents(connection, since=broadcast.created_at)
    clean, roots = cache(masked), []
    for rows in line_pages(connection, broadcast.id):
        salts, leaves, openings = token_bytes(SALT_BYTES * len(rows)), [], []
        for place, row in enumerate(rows):
            subscriber, chunk, settlement, email, basis, *consent = row
            _, _, outcome, reason, at = results[chunk, settlement]
            if replaced and subscriber in replaced:
                _, *consent = replaced[subscriber]
            consented_at, source, wording, confirmed_at = consent
            salt = salts[place * SALT_BYTES : (place + 1) * SALT_BYTES]
            fields = _ENCODE(
                LineFields(
                    email, at, clean(basis), confirmed_at, consented_at, outcome, clean(reason), clean(source), wording
                )
            )
            leaves.append(leaf_of(salt, fields))
            openings.append(Opening(subscriber, salt, fields))
        roots.append(root_of(leaves))
        keep_page(connection, broadcast.id, len(roots) - 1, root=roots[-1], leaves=leaves, openings=openings)
        on_progress(len(rows))
    return root_of(roots)


def _statement(
    database: Database,
    connection: Connection,
    broadcast: Broadcast,
    tally: Tally,
    root: bytes,
    *,
    secret: bytes,
    now: datetime,
) -> Bundle:
    key = public_key_of(secret)
    tested = tested_at(database, broadcast.issue, broadcast.content_hash)
    approvals = approvals_in(connection, broadcast.issue, broadcast.content_hash)
    return Bundle(
        format=BUNDLE_FORMAT,
        made_at=text_of(now),
        broadcast=ProvedBroadcast(
            number=broadcast.id,
            id=broadcast.mailing_id,
            issue=broadcast.issue,
            kind=broadcast.kind.value,
            segment=broadcast.segment,
            expression=masked(EXPRESSION_OF(connection, broadcast=broadcast.id) or ""),
            provider=broadcast.provider,
            sender=broadcast.envelope.from_email,
            state=broadcast.state.value,
            created_at=text_of(broadcast.created_at),
            finished_at=text_of(broadcast.finished_at) if broadcast.finished_at else "",
        ),
        content_hash=broadcast.content_hash,
        mail=tuple(_mail(database, broadcast.id)),
        approvals=tuple(ProvedApproval(by=each.by, at=text_of(each.at), voided=each.voided) for each in approvals),
        tested_at=text_of(tested) if tested else "",
        checks=find_checks(connection, broadcast.id),
        waivers=tuple(ProvedWaiver(rule=each.rule, because=each.because) for each in broadcast.waivers),
        outcomes=_outcomes_of(tally),
        lines=tally.frozen,
        root=as_text(root),
        key=as_text(key),
        fingerprint=fingerprint_of(key),
    )


def _mail(database: Database, broadcast_id: int) -> Iterator[ProvedMail]:
    sizes = {each.readership: each.deliveries for each in variant_counts(database, broadcast_id)}
    for variant in load_variants(database, broadcast_id).values():
        yield ProvedMail(
            language=variant.language,
            readers=dict(variant.readership.values),
            deliveries=sizes.get(variant.readership, 0),
            subject=_text(variant.subject),
            preheader=_text(variant.preheader),
            html=_text(variant.html),
            text=_text(variant.text),
            slots=tuple(_slots(variant)),
            pictures=tuple(
                ProvedPicture(name=each.name, content_type=each.content_type, sha256=sha256(each.content).hexdigest())
                for each in variant.pictures
            ),
        )


def _text(template: Template) -> ProvedText:
    return ProvedText(parts=template.parts, slots=template.slots)


def _slots(variant: RenderedVariant) -> Iterator[tuple[str, ...]]:
    for slot in variant.slots:
        yield (*(part or "" for part in slot.source.data), slot.escape.value)
