"""Open one person's line of a proof."""

from msgspec import Struct, json

from newsletter.errors import InputError
from newsletter.model.proof import LINE_FORMAT, Bundle, LineFields, ProofLine
from newsletter.store.database import Database
from newsletter.store.ledger.audit import find_delivery
from newsletter.store.proofs import find_bundle, find_line
from newsletter.workflows.proof.encoding import as_text, canonical, read_canonical


class OpenedLine(Struct, frozen=True, kw_only=True):
    """What opens one line, and the bundle to which it belongs."""

    content: bytes  # as it is written to a file
    line: ProofLine
    bundle: Bundle


def open_line(database: Database, broadcast_id: int, email: str, *, key: bytes | None) -> OpenedLine:
    """Return what opens the line of a person in the newest proof of a broadcast. `key` finds erased people.

    Raise InputError if the broadcast has no proof yet, if the person was not among those it was for, or if they were
    erased.
    """
    with database.read() as connection:
        delivery = find_delivery(database, broadcast_id, email, key=key)
        content = find_bundle(connection, broadcast_id)
        if content is None:
            what = f"there is no proof of broadcast {broadcast_id} yet"
            raise InputError(f"{what}; make one first: newsletter proof {broadcast_id}")
        found = find_line(connection, broadcast_id, delivery.subscriber) if delivery else None
    if found is None:
        what = f"{email} has no line in the proof of broadcast {broadcast_id}"
        raise InputError(f"{what}; `newsletter audit {broadcast_id} --csv FILE` lists everyone who has")
    if not found.opening.salt:
        raise InputError(
            f"{email} was erased, so their line in the proof of broadcast {broadcast_id} can no longer be opened; "
            "all other lines still can"
        )
    bundle = read_canonical(content, Bundle)
    line = ProofLine(
        format=LINE_FORMAT,
        number=found.number,
        salt=as_text(found.opening.salt),
        fields=json.decode(found.opening.fields, type=LineFields),
        path=tuple(map(as_text, found.path)),
        root=bundle.root,
    )
    return OpenedLine(content=canonical(line), line=line, bundle=bundle)
