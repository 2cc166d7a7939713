"""Waves: a part of a broadcast that is drawn by lot leaves first and is watched; then the rest follows, or is held."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum

from msgspec import Struct, field

from newsletter.model.mailbox import MailboxProvider
from newsletter.model.readership import TrackingMode

FIRST, REST = 1, 2  # the numbers of the waves; everyone is in the first if the broadcast does not leave in waves


class Feedback(StrEnum):
    """What can come back about an email that is a reason to stop a broadcast."""

    COMPLAINTS = "complaints"  # someone marked it as spam
    BOUNCES = "bounces"  # the address accepts no email
    LEAVERS = "leavers"  # someone unsubscribed
    REFUSALS = "refusals"  # a server refused it because of its sender or its content


class Baseline(Struct, frozen=True, kw_only=True):
    """How often something is expected to come back, as parts of the emails."""

    usual: float  # up to this, all is well
    worse: float  # this must be found


class Waves(Struct, frozen=True, kw_only=True):
    """How a broadcast leaves in waves. It is decided before the freeze and never changes."""

    seed: str  # of the draw
    shares: Mapping[str, float]  # what is drawn for a person → its part of everyone; the others wait
    axis: str = ""  # the axis whose value is drawn; empty if the email does not depend on the draw
    watch: timedelta  # how long the first wave is watched before the decision
    first_at: datetime | None = None  # when the first wave is due; None: at the same time as the others
    winner: str = ""  # what decides about versions: clicks, opens or me; empty if there is only one
    unclear: str = ""  # the version for the rest if none is clearly better, or `me`
    tracking: TrackingMode = TrackingMode.OFF  # what is known of the reactions to the versions
    is_canary: bool = False  # whether what comes back about the first wave can stop the broadcast
    baselines: Mapping[Feedback, Baseline] = field(default_factory=dict)  # for the canary


class WaveState(StrEnum):
    """How far a broadcast that leaves in waves is."""

    FIRST = "first"  # the first wave is waiting for its time, or being sent
    WATCHING = "watching"  # the first wave was sent, and the rest waits for what comes back
    REST = "rest"  # the rest may be sent; what comes back is still watched
    HELD = "held"  # a person must decide about the rest
    OVER = "over"  # a person let the rest go, so nothing is watched anymore


class Watch(Struct, frozen=True, kw_only=True):
    """The waves of one broadcast, as the ledger has them."""

    broadcast: int
    plan: Waves
    sizes: Mapping[str, tuple[int, int]]  # mailbox provider → people in the first wave, and in the rest
    state: WaveState
    watch_until: datetime | None  # set once the first wave was sent
    decided_at: datetime | None
    reason: str  # of the last decision, in words
    figures: str  # what it was based on, as JSON
    chosen: str = ""  # the version that the rest gets; empty until it is decided, or if there is only one
    chosen_at: datetime | None = None
    chosen_because: str = ""
    chosen_from: str = ""  # what was known of the versions then, as JSON

    @property
    def first(self) -> int:
        """Return how many people were drawn into the first wave."""
        return sum(first for first, _ in self.sizes.values())

    @property
    def rest(self) -> int:
        """Return how many people wait for the decision."""
        return sum(rest for _, rest in self.sizes.values())

    def first_without(self, *providers: MailboxProvider) -> int:
        """Return how many people in the first wave have their mailbox elsewhere."""
        return sum(first for provider, (first, _) in self.sizes.items() if provider not in providers)


class WaveDecision(StrEnum):
    """What a look at the first wave leads to."""

    GO_ON = "go on"  # it is too early to decide
    RELEASE = "release"  # the rest may be sent
    HOLD = "hold"  # a person must decide


class WaveJudgment(Struct, frozen=True, kw_only=True):
    """The result of one look at what came back."""

    decision: WaveDecision = WaveDecision.GO_ON
    reason: str = ""  # in words, for the journal and for people
    figures: str = "{}"  # what it is based on, as JSON
    version: str = ""  # the one for the rest, if this decides about versions
