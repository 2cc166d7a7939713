"""Rules about what spam filters say: J."""

from newsletter.checks.base import Rule
from newsletter.model.finding import Means, Severity

RULES: tuple[Rule, ...] = (
    Rule(
        id="J1",
        severity=Severity.ERROR,
        title="A spam filter has little to say",
        why="SpamAssassin's rules are those that many filters began with. Above 0.5 points is a warning, 2 hold the "
        "mail back: a server adds points for what cannot be judged here, and at 5 it is called spam.",
        source="SpamAssassin's rules",
        means=Means.SPAMASSASSIN,
    ),
)
