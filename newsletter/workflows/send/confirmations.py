"""The emails about sign-ups, in every language: the one that asks to confirm, and the one for people on the list."""

from newsletter.config import Config
from newsletter.language.catalogue import spoken_languages, words_of
from newsletter.model.broadcast import BroadcastKind
from newsletter.model.rendered import RenderedVariant, content_hash_of
from newsletter.model.signup import SignupState
from newsletter.render.letter import Letter, letter_variant
from newsletter.store.confirmations import readership_of_answer
from newsletter.store.ledger.rolling import Answers
from newsletter.workflows.compose.sample import envelope_of
from newsletter.workflows.send.pace import chunk_size_for, pace_of

RECIPIENTS = "people who asked to join"
_MOST_AT_ONCE = 100  # emails in one request; more could all be in doubt together


def confirmations_of(config: Config) -> Answers:
    """Return the content of the emails about sign-ups. It depends on nothing but newsletter.toml and the languages."""
    variants = {
        readership_of_answer(language, state): variant_of(config, language, state)
        for language in spoken_languages()
        for state in (SignupState.MAILED, SignupState.KNOWN)
    }
    return Answers(
        kind=BroadcastKind.CONFIRMATION,
        recipients=RECIPIENTS,
        provider=config.settings.provider.use,
        content_hash=content_hash_of(variants.values(), (), ()),
        envelope=envelope_of(config),
        variants=variants,
        chunk_size=chunk_size_for(_MOST_AT_ONCE, pace_of(config)),
    )


def variant_of(config: Config, language: str, state: SignupState) -> RenderedVariant:
    """Return one of the emails in one language."""
    letter = _confirmation(config, language) if state is SignupState.MAILED else _already(config, language)
    return letter_variant(config, letter, language=language, readership=readership_of_answer(language, state))


def _confirmation(config: Config, language: str) -> Letter:
    words, name = words_of(language, "confirmation"), config.settings.newsletter.name
    return Letter(
        subject=words["subject"].format(newsletter=name),
        title=words["title"],
        opening=(words["text"].format(newsletter=name),),
        button=words["button"],
        or_open=words["or_open"],
        closing=(words["valid"], words["not_you"]),
    )


def _already(config: Config, language: str) -> Letter:
    words, name = words_of(language, "already"), config.settings.newsletter.name
    return Letter(
        subject=words["subject"].format(newsletter=name),
        title=words["title"],
        opening=(words["text"].format(newsletter=name),),
        closing=(words["not_you"],),
        leave=words["leave"],
    )
