"""Judge opens and clicks: what several of them together show to be a machine's, and who of the others counts.

Scanners follow all links of an email within seconds, mostly 20 seconds to 5 minutes after it was sent. So everything is
judged a few minutes later, from the stored events: the order in which they arrived does not matter.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from newsletter.model.machines import PEOPLES_VERDICTS, MachineVerdict
from newsletter.store.database import Database
from newsletter.store.reactions import MINUTE, ReactionEvent, keep_judged, reactions_around, unjudged_minutes

SETTLES_AFTER = timedelta(minutes=5)
_AROUND_CANARY = timedelta(seconds=60)
_BURST_LINKS, _BURST_SPAN = 3, timedelta(seconds=2)
_BEFORE_BURST = timedelta(seconds=60)  # a scanner loads the picture before it follows the links
_HASTY = timedelta(seconds=3)


def judge_reactions(database: Database, *, now: datetime) -> int:
    """Judge the opens and clicks that happened at least five minutes ago. Return the number of minutes judged.

    Raise StoreError if the database cannot be written.
    """
    minutes = unjudged_minutes(database, until=now - SETTLES_AFTER - MINUTE)
    for minute in minutes:
        with database.transaction() as connection:
            verdicts = verdicts_on(reactions_around(connection, minute))
            in_minute = {each: found for each, found in verdicts.items() if minute <= each.at < minute + MINUTE}
            keep_judged(connection, minute, in_minute)
    return len(minutes)


def verdicts_on(reactions: Iterable[ReactionEvent]) -> Mapping[ReactionEvent, MachineVerdict]:
    """Return the verdicts that follow from several opens and clicks together.

    Only those are returned that differ from the verdicts so far. What a request itself showed to be a machine's stays
    as it is. The first rule that applies decides.
    """
    by_delivery: defaultdict[tuple[int, int], list[ReactionEvent]] = defaultdict(list)
    for each in reactions:
        by_delivery[each.broadcast, each.subscriber].append(each)
    found: dict[ReactionEvent, MachineVerdict] = {}
    for of_delivery in by_delivery.values():
        found |= _verdicts_on_delivery(sorted(of_delivery, key=lambda each: each.at))
    return found


def _verdicts_on_delivery(events: Sequence[ReactionEvent]) -> Mapping[ReactionEvent, MachineVerdict]:
    canaries = [each.at for each in events if each.verdict == MachineVerdict.CANARY]
    clicks = [each for each in events if each.is_click]
    bursts = [each.at for each in clicks if _begins_burst(each, clicks)]
    delivered = [each.at for each in events if each.is_delivery]
    first_click = next((each.at for each in clicks if each.verdict == MachineVerdict.PERSON), None)
    found = {}
    for each in events:
        if each.is_delivery or each.verdict not in PEOPLES_VERDICTS:
            continue
        if any(abs(each.at - at) <= _AROUND_CANARY for at in canaries):
            found[each] = MachineVerdict.CANARY
        elif any(_is_of_burst(each, at) for at in bursts):
            found[each] = MachineVerdict.BURST
        elif each.is_click and each.at == first_click and _is_hasty(each.at, delivered):
            found[each] = MachineVerdict.HASTY
    return found


def _begins_burst(click: ReactionEvent, clicks: Sequence[ReactionEvent]) -> bool:
    """Return whether at least three different links were followed within two seconds from a click on."""
    start = bisect_left(clicks, click.at, key=lambda each: each.at)
    links = set()
    for each in clicks[start:]:
        if each.at - click.at > _BURST_SPAN:
            break
        links.add(each.link)
    return len(links) >= _BURST_LINKS


def _is_of_burst(each: ReactionEvent, begun: datetime) -> bool:
    since_begun = each.at - begun
    earliest = timedelta() if each.is_click else -_BEFORE_BURST
    return earliest <= since_begun <= _BURST_SPAN


def _is_hasty(at: datetime, delivered: Iterable[datetime]) -> bool:
    return any(timedelta() <= at - moment < _HASTY for moment in delivered)
