"""What a workspace can demand before a broadcast, besides mail that is in order."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """One demand: the id by which it is waived, the setting that turns it on, what it asks, and why."""

    id: str
    setting: str  # the key in `[delivery]`
    title: str
    why: str


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
