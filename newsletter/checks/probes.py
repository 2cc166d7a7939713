"""The probes: what judges a rule by a browser, by the network, or by a spam filter.

Each is loaded when it is used, since what it works with is heavy.
"""

from importlib.util import find_spec

from newsletter import install_hint
from newsletter.checks.base import Circumstances, Evidence, Probe, Probed
from newsletter.errors import CannotRunError
from newsletter.model.finding import Means


def _look_in_browser(evidence: Evidence, circumstances: Circumstances) -> Probed:
    if not (find_spec("axe_playwright_python") and find_spec("playwright")):
        raise CannotRunError(f"its packages are not installed; run: {install_hint('browser')}")
    from newsletter.checks.browser.examine import examine

    return examine(evidence, circumstances)


def _ask_spamassassin(evidence: Evidence, circumstances: Circumstances) -> Probed:
    from newsletter.checks.spamassassin import examine

    return examine(evidence, circumstances)


def _ask_links(evidence: Evidence, circumstances: Circumstances) -> Probed:
    from newsletter.checks.network.links import examine_links

    return examine_links(evidence, circumstances)


def _ask_endpoint(evidence: Evidence, circumstances: Circumstances) -> Probed:
    from newsletter.checks.network.endpoint import examine_endpoint

    return examine_endpoint(evidence, circumstances)


def _ask_names(evidence: Evidence, circumstances: Circumstances) -> Probed:
    from newsletter.checks.network.sender_rules import examine_sender

    return examine_sender(evidence, circumstances)


PROBES: tuple[Probe, ...] = (
    Probe(title="look in a browser", means=Means.BROWSER, rules=("A6", "S13"), examine=_look_in_browser),
    Probe(title="ask SpamAssassin", means=Means.SPAMASSASSIN, rules=("J1",), examine=_ask_spamassassin),
    Probe(title="ask the links", means=Means.NETWORK, rules=("E3",), examine=_ask_links),
    Probe(title="leave by one click", means=Means.NETWORK, rules=("H4",), examine=_ask_endpoint),
    Probe(
        title="look up the sender's domain",
        means=Means.NETWORK,
        rules=("D1", "D2", "D3", "D4", "D5", "D6"),
        examine=_ask_names,
    ),
)
