"""Send the links that people asked for. They go the way of every email: through the ledger and the provider."""

from datetime import datetime
from zoneinfo import ZoneInfo

from newsletter.config import Config
from newsletter.language.catalogue import spoken_languages, words_of
from newsletter.language.counts import people_of
from newsletter.model.broadcast import BroadcastKind
from newsletter.model.preferences import LinkRequestKind
from newsletter.model.rendered import RenderedVariant, content_hash_of
from newsletter.model.slots import Link
from newsletter.render.letter import Letter, letter_variant
from newsletter.store.database import Database
from newsletter.store.ledger.rolling import Answers
from newsletter.store.link_requests import is_link_waiting, queue_requests, readership_of_link
from newsletter.system.log import Log
from newsletter.workflows.compose.sample import envelope_of

RECIPIENTS = "people who asked for a link"
_MOST_AT_ONCE = 20  # emails in one request; more could all be in doubt together
# The keys of the words of each letter: its subject, its text and its button.
_WORDS = {
    LinkRequestKind.PREFERENCES: ("preferences_subject", "preferences", "preferences_button"),
    LinkRequestKind.DATA: ("data_subject", "data", "data_button"),
    LinkRequestKind.OLD_ADDRESS: ("change_subject", "old_address", "change_button"),
    LinkRequestKind.NEW_ADDRESS: ("change_subject", "new_address", "change_button"),
}


def queue_links(config: Config, database: Database, *, now: datetime, log: Log) -> None:
    """Put the links that people asked for in the ledger. If there are none, this costs one query."""
    if not is_link_waiting(database):
        return
    identity = config.settings.newsletter
    day = f"{now.astimezone(ZoneInfo(identity.timezone)):%Y-%m-%d}"
    held = queue_requests(database, letters_of(config), day=day, otherwise=identity.language, now=now)
    if held:
        log(f"{people_of(held)} wait for a link, because its broadcast is not running; look at `newsletter status`")


def letters_of(config: Config) -> Answers:
    """Return the content of the emails with links. It depends on nothing but newsletter.toml and the languages."""
    variants = {
        readership_of_link(language, kind): _variant(config, language, kind)
        for language in spoken_languages()
        for kind in LinkRequestKind
    }
    return Answers(
        kind=BroadcastKind.LINK,
        recipients=RECIPIENTS,
        provider=config.settings.provider.use,
        content_hash=content_hash_of(variants.values(), (), ()),
        envelope=envelope_of(config),
        variants=variants,
        chunk_size=_MOST_AT_ONCE,
    )


def _variant(config: Config, language: str, kind: LinkRequestKind) -> RenderedVariant:
    words, name = words_of(language, "link_mail"), config.settings.newsletter.name
    subject, text, button = _WORDS[kind]
    letter = Letter(
        subject=words[subject],
        title=words[subject],
        opening=(words[text].format(newsletter=name),),
        button=words[button],
        or_open=words_of(language, "confirmation")["or_open"],
        closing=(words["ignore"],),
    )
    link = Link.PREFERENCES if kind is LinkRequestKind.PREFERENCES else Link.ASKED
    return letter_variant(config, letter, language=language, readership=readership_of_link(language, kind), button=link)
