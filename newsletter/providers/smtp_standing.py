"""How an SMTP relay has answered lately, over all connections to it: whether so many refusals in a row are about us."""

from threading import Lock

from msgspec import Struct, field

from newsletter.providers.smtp_dialogue import ReplyMeaning

_REFUSALS_IN_A_ROW = 5  # by policy or temporary; after these, the rest of a chunk is not tried
_REFUSED_PEOPLE_IN_A_ROW = 20  # for any reason; no list is that bad, so the cause must be us or the relay
_REMEMBERED = 256  # refusals; more are kept only if nothing was accepted since
_FOR_GOOD = frozenset({ReplyMeaning.ADDRESS, ReplyMeaning.RECIPIENT, ReplyMeaning.POLICY})


class Refusal(Struct):
    """One refusal by the relay."""

    number: int  # the refusals are numbered as they come in
    meaning: ReplyMeaning
    is_stall: bool = False  # whether so many were refused for now that the next would be, too
    in_a_row: int = 0  # how many were refused for good in a row, if they are so many that it is about us


class Turn(Struct, frozen=True):
    """What was known of the relay when a message began."""

    refusals: int  # how many had come in
    past: int  # the number of the last one that does not count anymore


class RelayStanding(Struct):
    """How the relay has answered lately, over all connections to it.

    While connections work at the same time, no one knows in which order the relay answered. An acceptance shows that a
    refusal was not about us only if its message began after the refusal had come in. So refusals that the relay gave in
    a row are always counted as such, whichever thread hears of them first.
    """

    has_accepted: bool = False
    _number: int = 0  # of the last refusal
    _refuted: int = 0  # refusals up to this number came before a message that was accepted
    _told: int = 0  # refusals up to this number led to a pause, or came before one
    _refusals: list[Refusal] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)

    def begin(self) -> Turn:
        """Return what must be known at the end of a message that begins now."""
        past = max(self._refuted, self._told)  # read first, because these have come in before
        return Turn(self._number, past)

    def accept(self, turn: Turn) -> None:
        """Note that the message of this turn was accepted."""
        if self.has_accepted and turn.refusals <= self._refuted:  # nearly always, and it takes no lock
            return
        with self._lock:
            self.has_accepted = True
            self._refuted = max(self._refuted, turn.refusals)

    def refuse(self, meaning: ReplyMeaning, turn: Turn, *, counts: bool) -> Refusal:
        """Note that the message of this turn was refused. If the refusal does not count, it says nothing about us."""
        with self._lock:
            self._number += 1
            refusal = Refusal(self._number, meaning)
            if counts and (meaning in _FOR_GOOD or meaning is ReplyMeaning.LATER):
                if len(self._refusals) >= _REMEMBERED:
                    self._refusals = [each for each in self._refusals if each.number > self._refuted]
                self._refusals.append(refusal)
                self._judge(refusal, [each for each in self._refusals if each.number > turn.past])
        return refusal

    def is_last_word(self, refusal: Refusal) -> bool:
        """Whether the relay has accepted nothing since, as far as is known."""
        return refusal.number > self._refuted

    def _judge(self, last: Refusal, in_a_row: list[Refusal]) -> None:
        """Note whether the refusals that came in a row, with this one as the last, are about us."""
        if last.meaning is ReplyMeaning.LATER:
            for_now = sum(each.meaning is ReplyMeaning.LATER for each in in_a_row)
            last.is_stall = for_now >= _REFUSALS_IN_A_ROW
            return
        for_good = [each for each in in_a_row if each.meaning in _FOR_GOOD]
        by_policy = sum(each.meaning is ReplyMeaning.POLICY for each in for_good)
        if by_policy >= _REFUSALS_IN_A_ROW or len(for_good) >= _REFUSED_PEOPLE_IN_A_ROW:
            for each in for_good:
                each.in_a_row = len(for_good)
            self._told = last.number
