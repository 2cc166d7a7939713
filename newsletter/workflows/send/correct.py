"""Correct what people were told about an event: a short email to exactly those who were told something else."""

from collections.abc import Iterator, Mapping, Sequence, Set
from datetime import datetime
from pathlib import Path
from shlex import quote

from markdown_it.token import Token
from msgspec import Struct
from msgspec.structs import replace

from newsletter.config import Config
from newsletter.errors import InputError
from newsletter.language.catalogue import spoken, words_of
from newsletter.language.direction import direction_of_language, direction_of_text
from newsletter.language.local_times import SEPARATOR, local_time_in, told_event
from newsletter.model.axes import Axis, Case, Cases
from newsletter.model.broadcast import BroadcastKind, Schedule
from newsletter.model.issue import Issue, Item, Section
from newsletter.model.issue_fields import IssueFields, SectionFields
from newsletter.model.ledger import FreezeRequest
from newsletter.model.prose import Prose
from newsletter.model.readership import Reader, Readership
from newsletter.model.rendered import RenderedIssue, RenderedVariant
from newsletter.model.segment import Among, Segment
from newsletter.model.slot_sources import LocalTime, TextByZone
from newsletter.model.slots import SlotSource
from newsletter.model.told import ToldEvent
from newsletter.providers.base import Provider
from newsletter.render.letter import Letter, letter_variant
from newsletter.store.database import Database
from newsletter.store.ledger.freeze import preview_freeze
from newsletter.store.ledger.told import ToldBefore, scheduled_tellings
from newsletter.store.subscribers import known_fields
from newsletter.workflows.compose.compose import judge_rendered, render_folder
from newsletter.workflows.compose.sample import envelope_of
from newsletter.workflows.send.approve import unmet_requirements
from newsletter.workflows.send.pace import pace_of
from newsletter.workflows.send.plan import BroadcastPlan
from newsletter.workflows.send.schedule import plan_schedule
from newsletter.workflows.send.told import Misled, last_of, told_otherwise

RECIPIENTS = "people who were told something else"
_SECTION = "correction"
_KEY_LENGTH = 8  # of the digest in the name of a correction, under which no one gets it twice in the same round
_TOLD = "told"  # the axis: what people were told before


class PlannedCorrection(Struct, frozen=True, kw_only=True):
    """A correction, before anything of it is sent."""

    event: ToldEvent  # as it is now, in the newsletter's own language
    misled: tuple[Misled, ...]
    broadcast: BroadcastPlan


def plan_correction(
    config: Config,
    database: Database,
    folder: Path,
    event: str,
    *,
    schedule: Schedule | None = None,
    provider: Provider | None = None,
    now: datetime,
) -> PlannedCorrection | None:
    """Return who would be corrected about an event of an issue, and how. Change nothing.

    Return None if everyone who was told about the event was told what is true now. Raise InputError if the issue has no
    such event, the event is over, or the people who were told something else cannot be emailed.
    """
    issue, _ = render_folder(config, folder)
    item = _require_event(issue, event)
    now_told = _facts_of(issue, item)
    own = next(iter(now_told.values()))
    if own.over_at < now:
        raise InputError(f"{event} is over, so no one needs a correction")
    misled = told_otherwise(database, item.uid, now_told)
    if not misled:
        return None
    last, last_other = last_of(database, item.uid, now_told)
    name = f"{item.slug}-{own.key[:_KEY_LENGTH]}.{last_other}"
    rendered = _render(config, name, misled, now_told)
    request = FreezeRequest(
        issue=name,
        segment=Segment(
            name=RECIPIENTS,
            expression="",
            condition=Among(tuple(sorted(person for each in misled for person in each.people))),
        ),
        axes=rendered.axes,
        provider=config.settings.provider.use,
        content_hash=rendered.content_hash,
        envelope=envelope_of(config),
        schedule=schedule,
        topics=issue.fields.topics,
        good_until=own.over_at,
        kind=BroadcastKind.CORRECTION,
        last_telling=(item.uid, last),
        grace=config.settings.delivery.grace,
    )
    preview = preview_freeze(database, request, now=now)
    planned = plan_schedule(config, schedule, preview, provider=provider, now=now) if schedule else None
    composed = judge_rendered(
        config,
        _as_issue(issue, name, rendered),
        rendered,
        at=max(planned.last if planned else now, now + request.grace),
        known_fields=known_fields(database),
    )
    command = f"newsletter correct {quote(issue.name)} {quote(item.slug)}"
    unmet = unmet_requirements(
        config,
        database,
        name,
        rendered.content_hash,
        approve=f"{command} --approve-as NAME",
        test=f"{command} --test",
    )
    return PlannedCorrection(
        event=own,
        misled=misled,
        broadcast=BroadcastPlan(
            folder=folder,
            composed=composed,
            request=request,
            preview=preview,
            pace=pace_of(config),
            schedule=planned,
            blocking=(*composed.errors, *unmet),
            waived=(),
            unused_waivers=(),
            notes=tuple(_notes(database, item, now_told, now=now)),
            worn_out=(),
        ),
    )


def _require_event(issue: Issue, event: str) -> Item:
    """Return the event of an issue with this id, or from the file with this name. Raise InputError if there is none."""
    events = {item.uid: item for section in issue.sections for item in section.items if item.fields.first_day}
    for item in events.values():
        if event in {item.slug, item.name}:
            return item
    names = ", ".join(sorted(item.slug for item in events.values())) or "none that has a date"
    raise InputError(f"{issue.name} has no event {event!r}; its events are: {names}")


def _notes(database: Database, item: Item, now_told: Mapping[str, ToldEvent], *, now: datetime) -> Iterator[str]:
    """Yield a note for each scheduled broadcast that tells the event as it was."""
    keys = {told.key for told in now_told.values()}
    old = {each.broadcast for each in scheduled_tellings(database, now=now) if _is_old(each, item, keys)}
    for number in sorted(old):
        yield (
            f"broadcast {number} is scheduled with the old facts of this event; "
            f"run `newsletter cancel {number}`, then send the issue again"
        )


def _is_old(told: ToldBefore, item: Item, keys: Set[str]) -> bool:
    return told.event == item.uid and told.told.key not in keys


def _facts_of(issue: Issue, item: Item) -> dict[str, ToldEvent]:
    """Return what the issue tells about an event now, in each of its languages, its own first."""
    found: dict[str, ToldEvent] = {}
    for each in issue.in_every_form:
        for section in each.sections:
            language = section.language or each.language
            for own in section.items:
                if own.uid == item.uid and (told := told_event(own, language)):
                    found.setdefault(language, told)
    return found


def _render(config: Config, name: str, misled: Sequence[Misled], now_told: Mapping[str, ToldEvent]) -> RenderedIssue:
    axis = _axis(misled)
    variants = {
        readership: _variant(config, each, now_told, readership)
        for each, readership in zip(misled, (Readership.of({axis.name: value}) for value in axis.values), strict=True)
    }
    judged = tuple(variants.values())
    return RenderedIssue(
        issue=name,
        axes=(axis,),
        fullest=judged[0],
        variants=judged,
        pictures=(),
        judged=judged,
        variant_for=lambda readership: variants[readership],
    )


def _axis(misled: Sequence[Misled]) -> Axis:
    """Return the axis of what people were told before."""
    first, *others = (str(number) for number in range(len(misled)))
    number_of = {person: str(number) for number, each in enumerate(misled) for person in each.people}

    def value_of(reader: Reader, _before: Mapping[str, str]) -> str:
        return number_of.get(reader.id, first)

    cases = zip(others, misled[1:], strict=True)
    return Axis(
        name=_TOLD,
        values=(first, *others),
        plainest=first,
        fullest=first,
        value_of=value_of,
        rule=Cases(tuple(Case((Among(tuple(sorted(each.people))),), value) for value, each in cases), otherwise=first),
    )


def _variant(
    config: Config, misled: Misled, now_told: Mapping[str, ToldEvent], readership: Readership
) -> RenderedVariant:
    """Return the email to people who were told the same, in the language in which they were told it."""
    told = misled.told
    new = now_told.get(told.language) or next(iter(now_told.values()))
    language = spoken([told.language, config.settings.newsletter.language])
    own, newsletter = words_of(language, "correction"), config.settings.newsletter.name
    direction = direction_of_language(language)
    title = told.title
    if direction_of_text(title, direction) is not direction:
        title = f"\N{FIRST STRONG ISOLATE}{title}\N{POP DIRECTIONAL ISOLATE}"
    before, now = _local_before(misled), LocalTime(new.times) if new.times else None
    letter = Letter(
        subject=own["subject"].format(event=title),
        title=own["subject"].format(event=title),
        opening=(
            own["text"].format(event=title, newsletter=newsletter),
            own["before"].format(told=_line(told, before, new, language)),
            own["now"].format(told=_line(new, now, told, language)),
        ),
        sources=tuple(source for source in (before, now) if source is not None),
        leave=words_of(language, "already")["leave"],
    )
    variant = letter_variant(config, letter, language=language, readership=readership)
    return replace(variant, told=(new,))


def _line(told: ToldEvent, local: SlotSource | None, other: ToldEvent, language: str) -> str:
    """Return the times of an event, the token of the local time, and the place if it is another one than in `other`."""
    status = f"{words_of(language, 'event')[told.status]}{SEPARATOR}" if told.status else ""
    place = f"{SEPARATOR}{told.location}" if told.location != other.location and told.location else ""
    return f"{status}{told.shown}{'' if local is None else local.token}{place}"


def _local_before(misled: Misled) -> TextByZone | None:
    """Return what people in each zone were told about their own clock."""
    times = misled.told.times
    if times is None:
        return None
    texts = {}
    for zone in sorted(set(misled.people.values())):
        offsets = misled.clocks(zone, times.moments)
        if offsets is not None and offsets != times.own_offsets and (text := local_time_in(times, zone, offsets)):
            texts[zone] = f"{SEPARATOR}{text}"
    return TextByZone(tuple(texts.items()))


def _as_issue(issue: Issue, name: str, rendered: RenderedIssue) -> Issue:
    """Return the correction as an issue with one section, which the checks read."""
    subject = "".join(rendered.fullest.subject.parts)
    return Issue(
        name=name,
        fields=IssueFields.model_validate(
            {
                "subject": subject,
                "preheader": "".join(rendered.fullest.preheader.parts),
                "title": subject,
                "date": issue.fields.date,
                "sections": [{"section": _SECTION}],
            }
        ),
        language=rendered.fullest.language,
        zone=issue.zone,
        sections=(
            Section(
                name=_SECTION,
                type="text",
                only=None,
                fields=SectionFields(title=subject),
                prose=Prose(tokens=(Token("hr", "hr", 0),)),
                items=(),
                source=issue.source,
                fingerprint=rendered.content_hash,
            ),
        ),
        pictures={},
        merge_fields=(),
        source=issue.source,
    )
