"""S14: the mail uses nothing that some readers' mail programs leave out, unless it is whole without it."""

from collections.abc import Iterable

from newsletter.checks.base import Evidence, Fault, warning
from newsletter.checks.clients.judgements import judgements
from newsletter.checks.clients.readers import Readers
from newsletter.checks.clients.report import Loss, report_clients
from newsletter.checks.clients.signs import Kind

_WRITTEN = {Kind.FUNCTION: "{}()", Kind.AT_RULE: "@{}", Kind.MEDIA_FEATURE: "@media ({})", Kind.ELEMENT: "<{}>"}
_TITLED = frozenset({Kind.ATTRIBUTE, Kind.PICTURE, Kind.UNIT})  # what caniemail's title says better than its sign


def check_clients(evidence: Evidence) -> Iterable[Fault]:
    """Every feature that readers will not see, and that nobody accepted."""
    report = report_clients(evidence)
    for loss in report.open:
        place = loss.places[0] if loss.places else evidence.issue_place
        yield warning(place, _what(loss, report.readers), f"{remedy(loss)}; see {loss.feature.url}")


def named(loss: Loss) -> str:
    """What is lost, as its author wrote it where that can be told: `gap`, `<video>`, `vw unit`."""
    sign = loss.sign
    if sign.kind in _TITLED or (sign.kind is Kind.SELECTOR and not sign.name.startswith(":")):
        return loss.feature.title
    if sign.name == "--*":
        return "custom properties (--name)"
    return _WRITTEN.get(sign.kind, "{}").format(sign.name)


def percent(share: float) -> str:
    """`12 %`; what is little is not called nothing."""
    return f"{share:.0f} %" if share >= 1 else "less than 1 %"


def remedy(loss: Loss) -> str:
    """What to do instead."""
    remedies = judgements().remedies
    return remedies.get(loss.feature.slug) or remedies[loss.feature.category]


def _what(loss: Loss, readers: Readers) -> str:
    share, names = percent(readers.share(loss.unseen)), readers.named(loss.unseen)
    what = f"{named(loss)} does nothing for {share} of the readers: {names}"
    if loss.partly:
        what += f"; and only in part for {percent(readers.share(loss.partly))}: {readers.named(loss.partly)}"
    more = len(loss.places) - 1
    if more > 0:
        what += f" (and {more} more line{'s' if more > 1 else ''} of the theme)"
    return what
