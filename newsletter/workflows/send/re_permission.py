"""Ask people without a consent for one, once, and let those go who do not answer."""

from datetime import datetime, timedelta

from msgspec import Struct

from newsletter.checks.network.endpoint import judge_endpoint
from newsletter.checks.network.link_checker import agent_of
from newsletter.checks.network.names import Names
from newsletter.checks.network.sender import why_mail_stays
from newsletter.checks.network.web import Web
from newsletter.config import Config
from newsletter.errors import CannotRunError, InputError
from newsletter.language.catalogue import spoken, spoken_languages, words_of
from newsletter.model.broadcast import BroadcastKind
from newsletter.model.rendered import RenderedVariant, content_hash_of
from newsletter.render.letter import Letter, letter_variant
from newsletter.store.database import Database
from newsletter.store.ledger.rolling import Answers
from newsletter.store.re_permission import (
    Askable,
    LeftOut,
    Silent,
    ask_people,
    askable_people,
    let_people_go,
    readership_of_asking,
    silent_people,
)
from newsletter.workflows.compose.sample import SAMPLE_TOKEN, envelope_of
from newsletter.workflows.send.pace import chunk_size_for, pace_of
from newsletter.workflows.signup.join import wording_of_asking

RECIPIENTS = "people without a consent"
_MOST_AT_ONCE = 100  # emails in one request; more could all be in doubt together


class PlannedAsking(Struct, frozen=True, kw_only=True):
    """The people who would be asked, and why others without a consent are not."""

    people: tuple[Askable, ...]
    left_out: tuple[LeftOut, ...]


class PlannedGoing(Struct, frozen=True, kw_only=True):
    """The people who would be let go, because they have not answered an email that they got before a time."""

    people: tuple[Silent, ...]
    before: datetime


def plan_asking(database: Database, *, now: datetime) -> PlannedAsking:
    """Return who would get the email. Change nothing."""
    people, left_out = askable_people(database, now=now)
    return PlannedAsking(people=people, left_out=left_out)


def require_pages(config: Config) -> None:
    """Raise InputError if the pages do not answer: the button is then of no use, and no one is asked a second time.

    Email that stays on this machine is not held up, nor is it if the pages cannot be asked from here.
    """
    if why_mail_stays(config.settings):
        return
    url = envelope_of(config).unsubscribe_url(0, SAMPLE_TOKEN)
    try:
        names = Names(config.settings.authentication.nameserver_addresses)
        problem = judge_endpoint(Web(names, agent=agent_of(config.settings)), url)
    except CannotRunError:
        return
    if problem is not None:
        raise InputError(f"no one was asked, because {problem.what}; {problem.remedy}")


def ask_again(
    config: Config, database: Database, planned: PlannedAsking, *, key: bytes | None, now: datetime
) -> tuple[int, int] | None:
    """Put the email in the ledger for the people in the plan, as far as they may still be asked.

    Return the number of the broadcast and of the people, or None if no one is left. Whatever sends due email sends it.
    Raise InputError if anyone was erased and the key is missing or different.
    """
    otherwise = config.settings.newsletter.language
    languages = {each.id: spoken([*filter(None, [each.language]), otherwise]) for each in planned.people}
    wordings = {language: wording_of_asking(config, language) for language in spoken_languages()}
    return ask_people(database, letters_of_asking(config), wordings, languages, key=key, now=now)


def plan_going(database: Database, *, after_days: int, now: datetime) -> PlannedGoing:
    """Return who would be let go. Change nothing. Raise InputError if the number of days is too small."""
    if after_days < 1:
        raise InputError(f"--after {after_days} gives people no time to answer; give at least 1 day")
    before = now - timedelta(days=after_days)
    return PlannedGoing(people=silent_people(database, before=before, now=now), before=before)


def let_go(database: Database, planned: PlannedGoing, *, now: datetime) -> int:
    """Block all email to the people in the plan, as far as they have still not answered. Return their number."""
    return let_people_go(database, {each.id for each in planned.people}, before=planned.before, now=now)


def letters_of_asking(config: Config) -> Answers:
    """Return the content of the email. It depends on nothing but newsletter.toml and the languages."""
    variants = {readership_of_asking(language): _variant(config, language) for language in spoken_languages()}
    return Answers(
        kind=BroadcastKind.RE_PERMISSION,
        recipients=RECIPIENTS,
        provider=config.settings.provider.use,
        content_hash=content_hash_of(variants.values(), (), ()),
        envelope=envelope_of(config),
        variants=variants,
        chunk_size=chunk_size_for(_MOST_AT_ONCE, pace_of(config)),
    )


def _variant(config: Config, language: str) -> RenderedVariant:
    words, name = words_of(language, "asking_again"), config.settings.newsletter.name
    title = words["title"].format(newsletter=name)
    letter = Letter(
        subject=title,
        title=title,
        opening=(words["text"].format(newsletter=name),),
        button=words["button"],
        or_open=words_of(language, "confirmation")["or_open"],
        closing=(words["otherwise"],),
        leave=words_of(language, "already")["leave"],
    )
    return letter_variant(config, letter, language=language, readership=readership_of_asking(language))
