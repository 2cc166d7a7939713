"""What is asked of a broadcast besides mail that is in order: what a workspace can demand, and what always holds."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """One demand: the id by which it is waived, the setting that turns it on, what it asks, and why."""

    id: str
    setting: str  # the key in `[delivery]`
    title: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AudienceRule:
    """What holds for everybody who is mailed: whoever it does not hold for is left out, and it cannot be waived."""

    id: str
    title: str
    why: str
    source: str  # who asks for it


APPROVAL = Requirement(
    id="R1",
    setting="require_approval",
    title="Somebody approved exactly this content",
    why="A yes holds for what was looked at. Any edit after it, of a word, a picture or the theme, asks for a new one.",
)
TEST = Requirement(
    id="R2",
    setting="require_test",
    title="A test copy of exactly this content was sent",
    why="A preview is not a mail program. What nobody has had in an inbox goes to everybody's at once.",
)
REQUIREMENTS = (APPROVAL, TEST)

CONSENT = AudienceRule(
    id="L3",
    title="Of everybody who is mailed it is on record why they may be",
    why="When they said yes and where, or the basis that was stated for the list that they came with. Whoever has "
    "neither is left out, and `send` says how many they are.",
    source="GDPR, article 7; CASL; CAN-SPAM; Gmail's sender rules",
)
AUDIENCE_RULES = (CONSENT,)
