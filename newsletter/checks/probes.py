"""The probes: what judges a rule by a browser, by the network, or by a spam filter.

Each is loaded when it is used, since what it works with is heavy.
"""

from newsletter.checks.base import Probe, Rule
from newsletter.model.finding import Means, Severity

RULES: tuple[Rule, ...] = (
    Rule(
        id="A6",
        title="axe finds nothing serious or critical, by day or by night",
        why="A browser shows what the files cannot: which colors meet, and what a screen reader makes of it. The mail "
        "is looked at on a desktop, on a phone, and in dark colors.",
        source="axe-core, WCAG 2.2; Email Markup Consortium's accessibility report",
    ),
    Rule(
        id="S13",
        title="Nothing scrolls sideways on a phone",
        why="One thing that is too wide, a long word or a table, makes every line of the mail too wide to read. It is "
        "measured on screens of 360 and of 320 pixels.",
    ),
    Rule(
        id="J1",
        title="A spam filter has little to say",
        why="SpamAssassin's rules are those that many filters began with. Above 0.5 points is a warning, 2 hold the "
        "mail back: a server adds points for what cannot be judged here, and at 5 it is called spam.",
        source="SpamAssassin's rules",
    ),
    Rule(
        id="E3",
        title="Links answer",
        why="A page that was moved or never published is found by the first thousand readers, unless somebody asks it "
        "before. Each is asked once, and its answer kept for a day.",
        severity=Severity.WARNING,
    ),
    Rule(
        id="H4",
        title="One click is enough to leave",
        why="Mail programs show a button of their own, and press it in the reader's name with a POST that brings no "
        "login and no cookie, and follows no redirect. Whoever cannot leave marks the mail as spam.",
        source="Gmail's and Yahoo's sender rules, RFC 8058",
    ),
    Rule(
        id="D1",
        title="SPF covers the provider",
        why="By this record a domain says who may send in its name. There must be exactly one, and it may need ten "
        "look-ups at most; otherwise receivers act as if there were none.",
        source="Gmail's, Yahoo's, Microsoft's and Apple's sender rules, RFC 7208",
    ),
    Rule(
        id="D2",
        title="The DKIM keys are published",
        why="Each mail is signed, and the key in the DNS verifies it. One of fewer than 1024 bits is not accepted, "
        "and 2048 are asked for today.",
        source="Gmail's and Yahoo's sender rules, RFC 6376",
    ),
    Rule(
        id="D3",
        title="The domain has a DMARC record",
        why="It says what becomes of mail that only claims to be yours. Bulk mail is turned away without it; p=none "
        "is enough to begin with, and reports (rua) tell who sends in your name.",
        source="Gmail's, Yahoo's and Microsoft's sender rules, RFC 9989",
    ),
    Rule(
        id="D4",
        title="What proves the sender is for the domain that readers see",
        why="A signature or a bounce address of somebody else's domain proves nothing about yours, and DMARC fails.",
        source="Gmail's, Yahoo's and Microsoft's sender rules, RFC 9989",
    ),
    Rule(
        id="D5",
        title="Answers reach somebody",
        why="Readers answer newsletters, and a domain that takes no mail looks like one made for spam.",
        source="Microsoft's sender rules",
        severity=Severity.WARNING,
    ),
    Rule(
        id="D6",
        title="Mail goes to the relay encrypted",
        why="The list of readers and what they read would be open to everybody on the way, and the password too.",
        source="Gmail's sender rules, RFC 3207",
    ),
)


_OF_SENDER = ("D1", "D2", "D3", "D4", "D5", "D6")
PROBES: tuple[Probe, ...] = (
    Probe(title="look in a browser", means=Means.BROWSER, rules=("A6", "S13"), module="browser.examine"),
    Probe(title="ask SpamAssassin", means=Means.SPAMASSASSIN, rules=("J1",), module="spamassassin"),
    Probe(title="ask the links", means=Means.NETWORK, rules=("E3",), module="network.link_checker"),
    Probe(title="leave by one click", means=Means.NETWORK, rules=("H4",), module="network.endpoint"),
    Probe(title="look up the sender's domain", means=Means.NETWORK, rules=_OF_SENDER, module="network.sender_rules"),
)
