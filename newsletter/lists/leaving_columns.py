"""Decide what a column of a list says about leaving, going by its name."""

import re
from collections.abc import Collection, Sequence
from functools import cache

from msgspec.structs import replace

from newsletter.lists.leaving import (
    CONFIRMED,
    GENERAL,
    MAILED,
    NOT,
    PERHAPS,
    SURELY,
    LeavingColumn,
    LeavingKind,
    leaving_in,
)
from newsletter.lists.leaving_reasons import LeavingReason
from newsletter.lists.leaving_words import OTHER, Found, concepts_of, told

_KIND = "names.kind"
_STATUS, _MOMENT, _REASON = "names.status", "names.moment", "names.reason"
_COUNT, _LINK, _OTHER_CHANNEL, _END = "names.count", "names.link", "names.other_channel", "names.end"
_MAILING, _ABOUT_EMAIL = "names.mailing", "names.about_email"
_EMAIL_ITSELF = frozenset({"email", "emails", "mail", "mails", "correo", "correos", "courriel", "courriels"})
_SUBSCRIPTION = frozenset({"subscriber", "subscription", "subscriptions", "mailing"})


def column_about_leaving(name: str) -> LeavingColumn | None:
    """Return what a column says about leaving, going by its name, or None if the name has nothing to do with it."""
    found = concepts_of(_two_answers().sub("", name))
    concepts = {each.concept for each in found}
    if _LINK in concepts or _is_about_another_channel(found):
        return None
    meaning = _about_leaving(found, concepts) or _about_being_mailed(found, concepts)
    return meaning and replace(meaning, name=name)


def is_about_another_channel(name: str) -> bool:
    """Return whether a column is about text messages or calls, for example, and not about email."""
    return _is_about_another_channel(concepts_of(name))


def _is_about_another_channel(found: Sequence[Found]) -> bool:
    return any(each.concept == _OTHER_CHANNEL for each in found) and not _has_email_in(found)


@cache
def _two_answers() -> re.Pattern[str]:
    """Return the pattern of a yes and a no in the name of a column, such as "(yes/no)"."""
    yes, no = ("|".join(map(re.escape, told()["cells"][key])) for key in ("yes", "no"))
    between = r"\s*(?:[/|,]|\b(?:or|oder|ou|o|of|eller|lub)\b)\s*"
    return re.compile(rf"(?<!\w)(?:(?:{yes}){between}(?:{no})|(?:{no}){between}(?:{yes}))(?!\w)", re.IGNORECASE)


def _about_leaving(found: Sequence[Found], concepts: Collection[str]) -> LeavingColumn | None:
    is_pure, negated = OTHER not in concepts, NOT in concepts
    kind = LeavingKind.REASON if _REASON in concepts else LeavingKind.LEFT
    is_mailing = not {MAILED, _MAILING}.isdisjoint(concepts)
    if leaving := leaving_in(found, SURELY):
        if leaving.is_negated:  # "not unsubscribed"
            return LeavingColumn(name="", kind=LeavingKind.MAILED, is_certain=False)
        is_certain = is_pure and _COUNT not in concepts
        return LeavingColumn(name="", kind=kind, reason=leaving.reason, is_certain=is_certain)
    if negated and (is_mailing or _names_email(found) or (is_pure and not GENERAL.isdisjoint(concepts))):
        return LeavingColumn(name="", kind=LeavingKind.LEFT, is_certain=is_pure)  # "not subscribed", "no bulk email"
    if (is_pure or is_mailing) and (leaving := leaving_in(found, PERHAPS)):
        is_certain = is_pure and len(found) > 1 and _COUNT not in concepts
        return LeavingColumn(name="", kind=kind, reason=leaving.reason, is_certain=is_certain)
    if _END in concepts and (is_mailing or _names_email(found)):  # "Subscribed until"
        return LeavingColumn(name="", kind=LeavingKind.LEFT, is_certain=False)
    return None


def _about_being_mailed(found: Sequence[Found], concepts: Collection[str]) -> LeavingColumn | None:
    """Return a column that says who may be emailed. The time when someone agreed says nothing about leaving."""
    is_pure, names_email = OTHER not in concepts, _names_email(found)
    is_mailed = MAILED in concepts or (is_pure and not GENERAL.isdisjoint(concepts))
    if is_pure and found and found[-1].concept != _MOMENT and not {_STATUS, _KIND}.isdisjoint(concepts):
        is_free = _STATUS not in concepts or (MAILED not in concepts and not names_email)
        return LeavingColumn(name="", kind=LeavingKind.STATUS, is_free=is_free)
    may_be_mailed = is_mailed or _MAILING in concepts or (is_pure and names_email and len(found) > 1)
    if not may_be_mailed or not {_MOMENT, _COUNT, _REASON}.isdisjoint(concepts):
        return None
    return LeavingColumn(
        name="",
        kind=LeavingKind.MAILED,
        reason=LeavingReason.NOT_CONFIRMED if _is_about_confirming(concepts) else LeavingReason.UNSUBSCRIBED,
        is_certain=is_pure and is_mailed and (MAILED in concepts or (len(found) > 1 and names_email)),
        names_email=names_email,
    )


def _is_about_confirming(concepts: Collection[str]) -> bool:
    return CONFIRMED in concepts and MAILED not in concepts


def _has_email_in(found: Sequence[Found]) -> bool:
    """Return whether a name contains a word for email, which "SMS marketing" does not."""
    return any(not _EMAIL_ITSELF.isdisjoint(each.text.split()) or "newsletter" in each.text for each in found)


def _names_email(found: Sequence[Found]) -> bool:
    return _has_email_in(found) or any(
        each.concept == _MAILING
        or not _SUBSCRIPTION.isdisjoint(each.text.split())
        or (each.concept == _ABOUT_EMAIL and not each.text.isascii())
        for each in found
    )
