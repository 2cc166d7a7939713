"""Take what someone filled in to join, and confirm it later, by the link in the email."""

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path

from msgspec.structs import replace
from pydantic import TypeAdapter, ValidationError

from newsletter.config import Config
from newsletter.errors import InputError
from newsletter.language.catalogue import words_of
from newsletter.lists.addresses import checked_address
from newsletter.model.person_names import without_deceit
from newsletter.model.personal_links import PersonalLink, Purpose, is_code_of
from newsletter.model.signup import LONGEST_NAME, FormWording, Signup, SignupRequest
from newsletter.model.values import OneLine
from newsletter.store.database import Connection
from newsletter.store.signups import Confirmation, confirm_signup, find_signup, keep_wording
from newsletter.workflows.tracking.consent import choose_tracking

_SOURCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")
_LINE: TypeAdapter[str] = TypeAdapter(OneLine)
_OWN_FORM = "join"  # the source of the form on our own page
_NOBODY = "0" * 32  # the key of a code that is compared if there is no sign-up, so that the comparison takes place


def wording_of_form(config: Config, language: str) -> FormWording:
    """Return the words of the form to which people agree, in a language that has a catalogue."""
    settings, joining, tracking = config.settings, words_of(language, "joining"), words_of(language, "tracking")
    about = settings.signup.about_in(language, otherwise=settings.newsletter.language)
    lines = [joining["sentence"].format(newsletter=settings.newsletter.name), about, f"[{joining['button']}]"]
    if settings.signup.asks_tracking:
        lines.append(f"[ ] {tracking['consent']} {tracking['consent_hint']}")
    return _wording(language, lines)


def wording_of_asking(config: Config, language: str) -> FormWording:
    """Return the words of the page to which people agree who were asked for a consent."""
    sentence, button = words_of(language, "joining")["sentence"], words_of(language, "asking_again")["button"]
    return _wording(language, [sentence.format(newsletter=config.settings.newsletter.name), f"[{button}]"])


def _wording(language: str, lines: Sequence[str]) -> FormWording:
    text = "\n".join(line for line in lines if line)
    version = blake2b(text.encode(), digest_size=4).hexdigest()
    return FormWording(version=f"{language}-{version}", language=language, words=text)


def signup_request(
    config: Config,
    *,
    email: str,
    first_name: str,
    topics: Sequence[str],
    wants_tracking: bool,
    source: str,
    language: str,
) -> SignupRequest:
    """Return what someone filled in, without what cannot be right. Raise ValueError if it contains no email address.

    A name that would deceive its readers in an email counts as no name, and a choice of all topics as no choice.
    """
    settings = config.settings
    (name,) = without_deceit([_line(first_name)[:LONGEST_NAME]])
    chosen = tuple(topic for topic in settings.topics if topic in topics)
    return SignupRequest(
        email=checked_address(email.strip()),
        first_name=name,
        language=language,
        topics=() if len(chosen) == len(settings.topics) else chosen,
        wants_tracking=wants_tracking and settings.signup.asks_tracking,
        source=source if _SOURCE.fullmatch(source) else _OWN_FORM,
        wording=wording_of_form(config, language),
    )


def _line(text: str) -> str:
    """Return a text on one line, or nothing if it has characters that a terminal would obey."""
    try:
        return _LINE.validate_python(" ".join(text.split()))
    except ValidationError:
        return ""


def is_disposable(config: Config, email: str) -> bool:
    """Return whether the domain of an address, or a domain above it, is in the file of `[signup] disposable`."""
    name = config.settings.signup.disposable
    if name is None:
        return False
    labels = email.rpartition("@")[2].lower().split(".")
    return not domains_in(config.root / name).isdisjoint(".".join(labels[start:]) for start in range(len(labels)))


@lru_cache(maxsize=4)
def domains_in(path: Path) -> frozenset[str]:
    """Return the domains in a file, one per line. Raise InputError if it cannot be read."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as err:
        raise InputError(
            f"the file {path.name} under [signup] disposable cannot be read ({err}); correct its name"
        ) from err
    return frozenset(line.strip().lower() for line in lines if line.strip() and not line.startswith("#"))


def signup_of(connection: Connection, link: PersonalLink | None) -> Signup | None:
    """Return the sign-up that a link confirms, or None if there is none. Both take about the same time."""
    about = str(link.subscriber) if link else ""
    secret = link.secret if link else ""

    def is_right(signup: Signup) -> bool:
        return is_code_of(secret, signup.token, Purpose.CONFIRM, about)

    found = find_signup(connection, link.subscriber if link else 0, is_right)
    if found is None:
        is_code_of(secret, _NOBODY, Purpose.CONFIRM, about)
    return found


def confirm(
    config: Config, link: PersonalLink | None, *, key: bytes | None, now: datetime
) -> Callable[[Connection], Confirmation | None]:
    """Return the change that confirms the sign-up of a link. It returns None if the link leads to none.

    `key` is the key with which people were erased.
    """

    def change(connection: Connection) -> Confirmation | None:
        signup = signup_of(connection, link)
        if signup is None:
            return None
        if signup.is_asked_again and signup.confirmed_at is None:  # they agree now, to the words of this page
            wording = wording_of_asking(config, signup.language)
            keep_wording(connection, wording, now=now)
            signup = replace(signup, asked_at=now, wording=wording.version)
        has_welcome = config.settings.signup.welcome is not None
        topics = config.settings.topics
        confirmed = confirm_signup(connection, signup, key=key, has_welcome=has_welcome, topics=topics, now=now)
        if confirmed.joined is not None and signup.wants_tracking:
            choose_tracking(connection, confirmed.joined, agrees=True, wording=signup.wording, now=now)
        return confirmed

    return change
