"""Rules about the domain that sends: D."""

from newsletter.checks.base import Rule
from newsletter.model.finding import Means, Severity

_BLOCKS, _WARNS, _NETWORK = Severity.ERROR, Severity.WARNING, Means.NETWORK

RULES: tuple[Rule, ...] = (
    Rule(
        id="D1",
        severity=_BLOCKS,
        title="SPF covers the provider",
        why="By this record a domain says who may send in its name. There must be exactly one, and it may need ten "
        "look-ups at most; otherwise receivers act as if there were none.",
        source="Gmail's, Yahoo's, Microsoft's and Apple's sender rules, RFC 7208",
        means=_NETWORK,
    ),
    Rule(
        id="D2",
        severity=_BLOCKS,
        title="The DKIM keys are published",
        why="Each mail is signed, and the key in the DNS verifies it. One of fewer than 1024 bits is not accepted, and "
        "2048 are asked for today.",
        source="Gmail's and Yahoo's sender rules, RFC 6376",
        means=_NETWORK,
    ),
    Rule(
        id="D3",
        severity=_BLOCKS,
        title="The domain has a DMARC record",
        why="It says what becomes of mail that only claims to be yours. Bulk mail is turned away without it; p=none is "
        "enough to begin with, and reports (rua) tell who sends in your name.",
        source="Gmail's, Yahoo's and Microsoft's sender rules, RFC 9989",
        means=_NETWORK,
    ),
    Rule(
        id="D4",
        severity=_BLOCKS,
        title="What proves the sender is for the domain that readers see",
        why="A signature or a bounce address of somebody else's domain proves nothing about yours, and DMARC fails.",
        source="Gmail's, Yahoo's and Microsoft's sender rules, RFC 9989",
        means=_NETWORK,
    ),
    Rule(
        id="D5",
        severity=_WARNS,
        title="Answers reach somebody",
        why="Readers answer newsletters, and a domain that takes no mail looks like one made for spam.",
        source="Microsoft's sender rules",
        means=_NETWORK,
    ),
    Rule(
        id="D6",
        severity=_BLOCKS,
        title="Mail goes to the relay encrypted",
        why="The list of readers and what they read would be open to everybody on the way, and the password too.",
        source="Gmail's sender rules, RFC 3207",
        means=_NETWORK,
    ),
)
