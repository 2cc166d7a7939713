"""Gather what came of one issue: all of its broadcasts together, by groups of recipients, and beside earlier issues."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from shlex import quote

from msgspec import Struct, json
from msgspec.structs import replace

from newsletter.errors import InputError
from newsletter.model.broadcast import Broadcast, BroadcastKind
from newsletter.model.ledger import SettledCount
from newsletter.model.machines import MachineVerdict
from newsletter.model.readership import TRACKING, Readership, TrackingMode
from newsletter.model.rendered import Picture, RenderedVariant
from newsletter.settings.mistakes import suggestion
from newsletter.store.database import Database
from newsletter.store.ledger.broadcasts import list_broadcasts
from newsletter.store.ledger.status import settled_counts, tally_of
from newsletter.store.ledger.variants import load_variants
from newsletter.store.report import (
    Counted,
    LeaverRow,
    LinkRow,
    MachineRow,
    SentRow,
    TotalRow,
    count_leavers,
    count_reactions,
    count_recipients,
    count_sections,
    kept_content,
    sent_between,
    targets_of,
)
from newsletter.workflows.events.judge import SETTLES_AFTER, judge_reactions
from newsletter.workflows.report.outcomes import Causes, Outcomes, RecipientGroup, outcomes_by_group, total_of
from newsletter.workflows.report.sent_links import SentEmail, sent_email
from newsletter.workflows.send.alarms import leaves_until
from newsletter.workflows.send.winner import Comparison, comparison_of

EARLIER_ISSUES = 6  # to which an issue is compared
_KEPT_FOR = timedelta(days=1)
_MINUTE = timedelta(minutes=1)


class LinkFigure(Struct, frozen=True, kw_only=True):
    """How often one link was clicked, or by how many people."""

    url: str
    words: str
    section: str
    people: int  # who let us know; 0 if readers are not told apart
    clicks: int


class EarlierIssue(Struct, frozen=True, kw_only=True):
    """What came of an earlier issue."""

    issue: str
    sent_at: datetime
    outcomes: Outcomes


class IssueReport(Struct, frozen=True, kw_only=True):
    """What came of an issue."""

    issue: str
    subject: str
    at: datetime
    settled: datetime  # opens, clicks and deliveries count up to this time
    mode: TrackingMode
    sent: SentRow  # when the first and the last email were accepted
    broadcasts: tuple[Broadcast, ...]
    frozen: int  # all people it was meant for
    pending: int  # emails that are still to be sent, or whose fate is unconfirmed
    settlements: tuple[SettledCount, ...]  # who was left out or refused at once, with the reasons
    total: Outcomes
    groups: Mapping[RecipientGroup, Outcomes]
    readerships: Mapping[tuple[int, int], Readership]  # by broadcast and variant
    causes: Causes
    hours: Mapping[tuple[str, str], int]  # people who did something for the first time in an hour
    links: tuple[LinkFigure, ...]
    sections: Mapping[str, int]  # people who clicked something in a section
    machines: tuple[MachineRow, ...]
    totals: tuple[TotalRow, ...]
    only_machines: int  # people whose app loaded the pictures, which may or may not mean that they opened
    earlier: tuple[EarlierIssue, ...]  # the newest first
    others: Mapping[BroadcastKind, Outcomes]  # other emails about the issue, such as a correction
    comparisons: tuple[Comparison, ...] = ()  # of its versions, by broadcast
    subjects: Mapping[tuple[int, str], str] = {}  # by broadcast and version
    email: SentEmail | None  # the variant that most people got who let us know
    targets: Mapping[int, str]  # where its links lead, by number
    pictures: tuple[Picture, ...]


def newest_sent(database: Database) -> str:
    """Return the issue that was last sent. Raise InputError if none was."""
    every = [each for each in list_broadcasts(database) if each.kind is BroadcastKind.ISSUE]
    sent = sent_between(database, [each.id for each in every])
    found = max((each for each in every if each.id in sent), key=lambda each: sent[each.id].first_at, default=None)
    if found is None:
        raise InputError("no issue was sent yet; `newsletter status` shows what is on its way")
    return found.issue


def report_on(database: Database, issue: str, *, now: datetime) -> IssueReport:
    """Return what came of an issue. Raise InputError if nothing of it was sent."""
    judge_reactions(database, now=now)
    every = [each for each in list_broadcasts(database) if each.kind in _ABOUT_ISSUES]
    mine = tuple(each for each in every if each.issue == issue and each.kind is BroadcastKind.ISSUE)
    sent = sent_between(database, [each.id for each in every])
    mine = tuple(each for each in mine if each.id in sent)
    if not mine:
        raise InputError(_nothing_sent(issue, [each.issue for each in every if each.id in sent]))
    numbers = [each.id for each in mine]
    began = min(sent[number].first_at for number in numbers)
    settled = now - SETTLES_AFTER - _MINUTE
    counted = count_recipients(database, numbers)
    leavers = count_leavers(database, numbers, since=began, until=leaves_until(began, every, sent, issue))
    groups, causes = outcomes_by_group(counted, leavers)
    followed = count_reactions(database, numbers, settled=settled)
    emails = _emails(database, mine, groups)
    placed = emails.placed
    sections = sorted({link.section for link in placed.values()})
    in_sections = count_sections(
        database, numbers, {url: sections.index(link.section) for url, link in placed.items()}, settled=settled
    )
    tallies = [tally_of(database, number) for number in numbers]
    return IssueReport(
        issue=issue,
        subject=emails.main.subject if emails.main else "",
        at=now,
        settled=settled,
        mode=emails.mode,
        sent=SentRow(mine[-1].id, began, max(sent[number].last_at for number in numbers)),
        broadcasts=mine,
        frozen=sum(tally.frozen for tally in tallies),
        pending=sum(tally.waiting + tally.inflight + tally.unknown + tally.deferred for tally in tallies),
        settlements=tuple(count for number in numbers for count in settled_counts(database, number)),
        total=total_of(groups.values()),
        groups=groups,
        readerships=emails.readerships,
        causes=causes,
        hours=_hours(counted, leavers),
        links=_links(followed.links, followed.totals, placed),
        sections={sections[number]: people for number, people in in_sections},
        machines=followed.machines,
        totals=followed.totals,
        only_machines=followed.only_machines,
        earlier=earlier_issues(database, every, sent, before=began, now=now, issue=issue),
        others=_others(database, [each for each in every if each.issue == issue], sent),
        comparisons=tuple(found for number in numbers if (found := comparison_of(database, number))),
        subjects=emails.subjects,
        email=emails.main,
        targets=emails.targets,
        pictures=emails.pictures,
    )


def _hours(counted: Counted, leavers: Iterable[LeaverRow]) -> Mapping[tuple[str, str], int]:
    found: Counter[tuple[str, str]] = Counter()
    for row in counted.reactions:
        # Someone who clicked, and whose app shows no pictures, opened it then too.
        for what in ("opened", "clicked") if row.type == "clicked only" else (row.type,):
            found[what, row.hour] += row.people
    for leaver in leavers:
        found["left", leaver.hour] += leaver.people
    return found


_ABOUT_ISSUES = frozenset({BroadcastKind.ISSUE, BroadcastKind.FOLLOW_UP, BroadcastKind.CORRECTION})


def earlier_issues(
    database: Database,
    every: Sequence[Broadcast],
    sent: Mapping[int, SentRow],
    *,
    before: datetime,
    now: datetime,
    issue: str = "",
    since: datetime | None = None,
) -> tuple[EarlierIssue, ...]:
    """Return what came of the issues that were sent between two times, the newest first.

    Without `since`, only the last few before the other time count. Their numbers are kept, and counted again if
    something came back, or after a day.
    """
    of_issue: defaultdict[str, list[int]] = defaultdict(list)
    for each in every:
        if each.kind is BroadcastKind.ISSUE and each.id in sent and each.issue != issue:
            of_issue[each.issue].append(each.id)
    began = {name: min(sent[number].first_at for number in numbers) for name, numbers in of_issue.items()}
    chosen = sorted((name for name in began if began[name] < before), key=lambda name: began[name], reverse=True)
    if since is not None:
        chosen = [name for name in chosen if began[name] >= since]
    found = []
    for name in chosen if since else chosen[:EARLIER_ISSUES]:
        numbers = of_issue[name]
        until = leaves_until(began[name], every, sent, name)
        counting = partial(_counted_now, database, numbers, since=began[name], until=until)
        kept = kept_content(database, name, numbers, since=now - _KEPT_FOR, now=now, count=counting)
        found.append(EarlierIssue(issue=name, sent_at=began[name], outcomes=json.decode(kept, type=Outcomes)))
    return tuple(found)


def _counted_now(database: Database, numbers: Sequence[int], *, since: datetime, until: datetime) -> str:
    leavers = count_leavers(database, numbers, since=since, until=until)
    groups, _ = outcomes_by_group(count_recipients(database, numbers), leavers)
    return json.encode(total_of(groups.values())).decode()


def _others(
    database: Database, every: Iterable[Broadcast], sent: Mapping[int, SentRow]
) -> Mapping[BroadcastKind, Outcomes]:
    found: defaultdict[BroadcastKind, list[int]] = defaultdict(list)
    for each in every:
        if each.kind is not BroadcastKind.ISSUE and each.id in sent:
            found[each.kind].append(each.id)
    return {
        kind: total_of(outcomes_by_group(count_recipients(database, numbers), ())[0].values())
        for kind, numbers in found.items()
    }


class _Emails(Struct, frozen=True, kw_only=True):
    """The variants as they were sent."""

    main: SentEmail | None
    mode: TrackingMode
    placed: Mapping[str, LinkFigure]  # by the address to which the link leads
    targets: Mapping[int, str]
    pictures: tuple[Picture, ...]
    readerships: Mapping[tuple[int, int], Readership]
    subjects: Mapping[tuple[int, str], str]  # by broadcast and version


def _emails(database: Database, broadcasts: Sequence[Broadcast], groups: Mapping[RecipientGroup, Outcomes]) -> _Emails:
    """Read the variants that people got, those of the most people who let us know first."""
    sizes: defaultdict[tuple[int, int], tuple[int, int]] = defaultdict(lambda: (0, 0))
    for group, found in groups.items():
        known, people = sizes[group.broadcast, group.variant]
        sizes[group.broadcast, group.variant] = (known + found.known, people + found.accepted)
    variants: dict[tuple[int, int], RenderedVariant] = {}
    for broadcast in broadcasts:
        for variant_key, variant in load_variants(database, broadcast.id).items():
            variants[broadcast.id, int(variant_key)] = variant
    targets = targets_of(database, [each.id for each in broadcasts])
    placed: dict[str, LinkFigure] = {}
    main: tuple[tuple[int, int], SentEmail] | None = None
    subjects: dict[tuple[int, str], str] = {}
    for key in sorted(sizes, key=lambda each: sizes[each], reverse=True):
        email = sent_email(variants[key])
        main = main or (key, email)
        subjects.setdefault((key[0], variants[key].readership.version), email.subject)
        urls = {number: targets.get((key[0], number), "") for number in email.links}
        # A section has another title in each language. Links that both have show which it is.
        same: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for number, link in email.links.items():
            if urls[number] in placed:
                same[link.section][placed[urls[number]].section] += 1
        for number, link in email.links.items():
            section = same[link.section].most_common(1)[0][0] if same[link.section] else link.section
            figure = LinkFigure(url=urls[number], words=link.words, section=section, people=0, clicks=0)
            placed.setdefault(urls[number], figure)
    modes = {variants[key].readership.tracking for key in sizes} - {TrackingMode.OFF}
    return _Emails(
        main=main[1] if main else None,
        mode=next(iter(modes), TrackingMode.OFF),
        placed={url: link for url, link in placed.items() if url},
        targets={number: url for (of, number), url in targets.items() if main and of == main[0][0]},
        pictures=variants[main[0]].pictures if main else (),
        subjects=subjects,
        readerships={key: variants[key].readership.having(TRACKING, "") for key in sizes},
    )


def _links(
    clicked: Iterable[LinkRow], totals: Iterable[TotalRow], placed: Mapping[str, LinkFigure]
) -> tuple[LinkFigure, ...]:
    """Return all links of the emails, the most clicked first. A link that was in none of them may be a provider's."""
    found = dict(placed)
    counted = [
        LinkRow(row.url, 0, row.events)
        for row in totals
        if row.is_click and row.url and MachineVerdict(row.judged).is_persons
    ]
    for row in [*clicked, *counted]:
        known = found.get(row.url) or LinkFigure(url=row.url, words="", section="", people=0, clicks=0)
        found[row.url] = replace(known, people=known.people + row.people, clicks=known.clicks + row.clicks)
    return tuple(sorted(found.values(), key=lambda link: (-link.people, -link.clicks, link.url)))


def _nothing_sent(issue: str, sent: Sequence[str]) -> str:
    names = list(dict.fromkeys(sent))
    if not names:
        return f"nothing of {issue} was sent yet; `newsletter send {quote(issue)}` sends it"
    if issue in names:
        return f"nothing of {issue} was accepted yet; `newsletter status` shows where it stands"
    return f"nothing of {issue!r} was sent; {suggestion(issue, names)}"
