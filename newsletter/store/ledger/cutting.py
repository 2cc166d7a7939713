"""The parts of a broadcast: who gets the same email at the same time, divided into chunks."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct

from newsletter.model.readership import Readership
from newsletter.model.waves import FIRST
from newsletter.store.database import Connection
from newsletter.store.ledger.members import SortedMembers, Zone, members_left
from newsletter.system.moments import text_of


class BroadcastPart(Struct, frozen=True, kw_only=True):
    """The people who get the same variant in the same zone and wave. A chunk never mixes parts."""

    number: int
    readership: Readership
    zone: Zone
    wave: int
    due_at: datetime | None  # None: as soon as possible
    deliveries: int
    beginnings: Sequence[int]  # the first subscriber of each chunk


def cut(
    connection: Connection, members: SortedMembers, chunk_size: int, *, first_at: datetime | None = None
) -> list[BroadcastPart]:
    """Divide the remaining members into parts and chunks. Return the parts, sorted by their time.

    With `first_at`, the first wave is due then.
    """
    counts: defaultdict[int, int] = defaultdict(int)
    beginnings: defaultdict[int, list[int]] = defaultdict(list)
    is_one_part = members.numbering.count == 1
    for page in members_left(connection):
        if is_one_part:
            # The usual case, without a loop over the people. With counts[0] people before this page, the next chunk
            # begins at index -counts[0] % chunk_size of the page, and another one every chunk_size rows after that.
            beginnings[0] += [subscriber for subscriber, _ in page[-counts[0] % chunk_size :: chunk_size]]
            counts[0] += len(page)
            continue
        for subscriber, part in page:
            count = counts[part]
            if count % chunk_size == 0:
                beginnings[part].append(subscriber)
            counts[part] = count + 1
    parts = [
        BroadcastPart(
            number=number,
            readership=members.numbering.readership(number),
            zone=members.zone(number),
            wave=members.numbering.wave(number),
            due_at=(first_at if members.numbering.wave(number) == FIRST else None) or members.zone(number).moment,
            deliveries=count,
            beginnings=beginnings[number],
        )
        for number, count in counts.items()
    ]
    return sorted(parts, key=lambda part: (_due_text(part.due_at), part.zone.name, part.number))


def count_parts(connection: Connection, members: SortedMembers) -> dict[int, int]:
    """Return the number of remaining members in each part, by part number. If there is only one part, read no rows."""
    if members.numbering.count == 1:
        left = members.count - sum(each.deliveries for each in members.excluded)
        return {0: left} if left else {}
    counts: Counter[int] = Counter()
    for page in members_left(connection):
        counts.update([part for _, part in page])
    return dict(counts)


def _due_text(moment: datetime | None) -> str:
    return "" if moment is None else text_of(moment)
