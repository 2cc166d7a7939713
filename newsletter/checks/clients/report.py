"""S14: which features of the email do not work for which readers, because their email apps lack support."""

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from functools import cache, lru_cache
from importlib.resources import files
from pathlib import PurePosixPath
from urllib.parse import urlsplit

from msgspec import Struct, field
from msgspec.structs import replace

from newsletter.checks.base import CheckContext, Problem, rule, warning
from newsletter.checks.clients.features import Kind, Sign, Use, features_by_sign
from newsletter.checks.clients.places import TemplateLine, own_lines, places_of
from newsletter.checks.clients.readers import Readers, readers_of
from newsletter.checks.clients.signs import BACKGROUND_PICTURES, Uses, uses_in
from newsletter.checks.clients.table import Feature, Support, Table, load_table
from newsletter.language.counts import count_of
from newsletter.model.finding import Place, Severity

_WORD = frozenset({"outlook.windows", "outlook.windows-mail"})  # they display email with Word
_HAS_FALLBACK = "there is a fallback for email apps that do not support it"

_WRITTEN = {Kind.FUNCTION: "{}()", Kind.AT_RULE: "@{}", Kind.MEDIA_FEATURE: "@media ({})", Kind.ELEMENT: "<{}>"}
_TITLED = frozenset({Kind.ATTRIBUTE, Kind.PICTURE, Kind.UNIT})  # their caniemail title is clearer than the sign


class Loss(Struct, frozen=True, kw_only=True):
    """A feature that the email uses and that does not work in every email app."""

    feature: Feature
    sign: Sign  # what it was recognized by
    unseen: tuple[str, ...]  # the readers' email apps that do not support it
    partly: tuple[str, ...]  # those that support it in part
    accepted: str  # why the email does not need it, or empty
    places: tuple[Place, ...]  # the lines of the workspace's templates or files that use it


class ClientReport(Struct, frozen=True, kw_only=True):
    """The features of an email that some readers lose, starting with those that the most readers lose."""

    readers: Readers
    losses: tuple[Loss, ...]

    @property
    def open(self) -> tuple[Loss, ...]:
        """The features that some readers do not see and that are not accepted."""
        return tuple(loss for loss in self.losses if loss.unseen and not loss.accepted)


def report_clients(context: CheckContext) -> ClientReport:
    """Return which features some readers lose, for all variants of the email together."""
    subject = context.subject
    table = load_table(subject.config.root)
    weights = tuple(subject.settings.checks.clients.items())
    mails = tuple(uses_in(document) for document in context.documents)
    readers, found = _losses(table, weights, mails, own_lines(subject.template_folders))
    return ClientReport(readers=readers, losses=tuple(_judged(context, loss, bare) for loss, bare in found))


@lru_cache(maxsize=16)  # an edit of words changes none of this
def _losses(
    table: Table, weights: tuple[tuple[str, float], ...], mails: tuple[Uses, ...], lines: tuple[TemplateLine, ...]
) -> tuple[Readers, tuple[tuple[Loss, tuple[Use, ...]], ...]]:
    """Return the losses, not yet judged, each with the uses that have no fallback."""
    readers = readers_of(table, dict(weights))
    used = _features_used(mails, table)
    losses = [(loss, tuple(each.bare)) for each in used if (loss := _loss(readers, each, lines)) is not None]

    def order(found: tuple[Loss, tuple[Use, ...]]) -> tuple[float, float, str]:
        loss, _ = found
        return -readers.share(loss.unseen), -readers.share(loss.partly), loss.feature.slug

    return readers, tuple(sorted(losses, key=order))


def _judged(context: CheckContext, loss: Loss, bare: Sequence[Use]) -> Loss:
    """Return a loss with the reason why the email does not need it, and with the places of its images."""
    return replace(
        loss,
        accepted=_why_accepted(context, loss.feature.slug, has_bare=bool(bare), is_own=bool(loss.places)),
        places=loss.places or _places_of_pictures(context, bare),
    )


class _Used(Struct, kw_only=True):
    """A feature, and how an email uses it."""

    feature: Feature
    uses: set[Use] = field(default_factory=set)
    for_word: set[Use] = field(default_factory=set)  # the uses that Word displays too

    @property
    def bare(self) -> list[Use]:
        """The uses without a fallback, in a stable order."""
        return sorted((use for use in self.uses if not use.has_fallback), key=_order)


def _features_used(mails: Iterable[Uses], table: Table) -> Iterable[_Used]:
    by_sign = features_by_sign(table)
    found: dict[str, _Used] = {}
    for mail in mails:
        for use in mail.by_all | mail.without_word:
            in_vml = mail.has_vml and use.sign in BACKGROUND_PICTURES
            for feature in by_sign.get(use.sign, ()):
                used = found.setdefault(feature.slug, _Used(feature=feature))
                used.uses.add(use)
                if use in mail.by_all and not in_vml:
                    used.for_word.add(use)
    return found.values()


def _loss(readers: Readers, used: _Used, lines: Sequence[TemplateLine]) -> Loss | None:
    """Return which readers lose a feature, not yet judged, or None if it works for all of them."""
    feature, bare = used.feature, used.bare
    unseen, partly = readers.answering(feature, Support.UNSEEN), readers.answering(feature, Support.PARTLY)
    if used.for_word.isdisjoint(bare or used.uses):
        unseen, partly = _without_word(unseen), _without_word(partly)
    if not unseen and not partly:
        return None
    signs = dict.fromkeys(use.sign for use in bare)
    places = tuple(dict.fromkeys(place for sign in signs for place in places_of(sign, lines)))
    return Loss(
        feature=feature,
        sign=min(bare or used.uses, key=_order).sign,
        unseen=unseen,
        partly=partly,
        accepted="",
        places=places,
    )


def _without_word(clients: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(client for client in clients if client not in _WORD)


def _why_accepted(context: CheckContext, slug: str, *, has_bare: bool, is_own: bool) -> str:
    """Return why the email does not need a feature, or an empty string if no reason is known."""
    known = judgments()
    if check := known.other_checks.get(slug):
        return f"reported by check {check}"
    if reason := context.subject.settings.checks.accept.get(slug):
        return reason
    if not has_bare:
        return _HAS_FALLBACK
    return known.anywhere.get(slug) or ("" if is_own else known.built_in.get(slug, ""))


def _places_of_pictures(context: CheckContext, uses: Iterable[Use]) -> tuple[Place, ...]:
    names = (PurePosixPath(urlsplit(use.address).path).name for use in uses if use.address)
    found = (context.sources.place_of_picture(name) for name in names)
    return tuple(dict.fromkeys(place for place in found if place is not None))


def _order(use: Use) -> tuple[int, str, str]:
    return use.sign.kind.value, use.sign.name, use.address


class Judgments(Struct, frozen=True, kw_only=True):
    """What is known in advance about features, by their names at caniemail."""

    anywhere: Mapping[str, str]  # why no email needs the feature
    built_in: Mapping[str, str]  # why an email of the built-in theme does not need it
    other_checks: Mapping[str, str]  # the check that already reports it
    remedies: Mapping[str, str]  # what to do instead


@cache
def judgments() -> Judgments:
    """Return the contents of data/judgments.toml."""
    told = files("newsletter").joinpath("checks", "clients", "data", "judgments.toml").read_text("utf-8")
    return Judgments(**tomllib.loads(told))


@rule("S14", source="caniemail.com, weighted by [checks.clients]", severity=Severity.WARNING)
def check_clients(context: CheckContext) -> Iterable[Problem]:
    """Features that some email apps cannot show.

    Email apps support different parts of HTML and CSS. If one of them ignores a feature, text or the layout may be
    lost. To see who loses what, and why some losses are accepted, run `newsletter clients ISSUE`.

    Yield a problem for each feature that some readers do not see and that is not accepted.
    """
    report = report_clients(context)
    for loss in report.open:
        place = loss.places[0] if loss.places else context.issue_place
        yield warning(place, _what(loss, report.readers), f"{remedy(loss)}; see {loss.feature.url}")


def named(loss: Loss) -> str:
    """Return the name of what is lost, as its author wrote it if possible: `gap`, `<video>`, `vw unit`."""
    sign = loss.sign
    if sign.kind in _TITLED or (sign.kind is Kind.SELECTOR and not sign.name.startswith(":")):
        return loss.feature.title
    if sign.name == "--*":
        return "custom properties (--name)"
    return _WRITTEN.get(sign.kind, "{}").format(sign.name)


def percent(share: float) -> str:
    """Return a share as `12%`, or as `less than 1%` so that a small one is not shown as 0."""
    return f"{share:.0f}%" if share >= 1 else "less than 1%"


def remedy(loss: Loss) -> str:
    """Return what to do instead of using the feature."""
    remedies = judgments().remedies
    return remedies.get(loss.feature.slug) or remedies[loss.feature.category]


def _what(loss: Loss, readers: Readers) -> str:
    share, names = percent(readers.share(loss.unseen)), readers.named(loss.unseen)
    what = f"{named(loss)} does not work for {share} of your readers: {names}"
    if loss.partly:
        what += f", and only partly for {percent(readers.share(loss.partly))}: {readers.named(loss.partly)}"
    more = len(loss.places) - 1
    if more > 0:
        what += f" (and {count_of(more, 'more line')} of the theme)"
    return what


RULES = (check_clients,)
