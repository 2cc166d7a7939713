"""The rules without a check function, and the probes, which check most of them with outside tools."""

import tomllib
from collections.abc import Iterator
from importlib.resources import files

from newsletter.checks.base import Probe, Rule
from newsletter.model.finding import Means, Severity


def _told_rules() -> Iterator[Rule]:
    """Yield the rules of data/rules.toml."""
    told = tomllib.loads(files("newsletter").joinpath("checks", "data", "rules.toml").read_text("utf-8"))
    for id_, about in told.items():
        yield Rule(id=id_, severity=Severity(about.pop("severity", Severity.ERROR)), **about)


RULES = tuple(_told_rules())
_OF_SENDER = ("D1", "D2", "D3", "D4", "D5", "D6")
PROBES: tuple[Probe, ...] = (
    Probe(title="check in a browser", means=Means.BROWSER, rules=("A6", "S13"), module="browser.examine"),
    Probe(title="get the spam score", means=Means.SPAMASSASSIN, rules=("J1",), module="spamassassin"),
    Probe(title="test the links", means=Means.NETWORK, rules=("E3",), module="network.link_checker"),
    Probe(title="ask for the images", means=Means.NETWORK, rules=("S22",), module="network.hosted_pictures"),
    Probe(title="test one-click unsubscribe", means=Means.NETWORK, rules=("H4",), module="network.endpoint"),
    Probe(title="look up the sender domain", means=Means.NETWORK, rules=_OF_SENDER, module="network.sender_rules"),
)
