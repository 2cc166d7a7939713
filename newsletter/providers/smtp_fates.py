"""What an SMTP relay's answers mean for the recipients of a chunk, and for the rest of the broadcast.

A relay answers for one message at a time. Whether a refusal is about the recipient or about us sometimes shows only in
the answers to others, so the answers are counted over all connections to the relay.
"""

from collections import Counter
from collections.abc import Sequence

from msgspec import Struct

from newsletter.model.broadcast import Doubt, Ending, NextStep, Outcome, Recipient, Verdict
from newsletter.providers.base import quoted
from newsletter.providers.smtp_dialogue import Answer, ReplyMeaning
from newsletter.providers.smtp_standing import Refusal, RelayStanding
from newsletter.refusals import Phase, Whose, named_cause

_CUTS_A_CHUNK = 2  # if this many connections break during a message, the rest of a chunk is postponed
_OURS_UNTIL_TRY = 2  # after so many tries, a refusal of one recipient among others who were accepted is not about us

_ENDINGS = {
    ReplyMeaning.ADDRESS: Ending.UNDELIVERABLE,
    ReplyMeaning.RECIPIENT: Ending.INVALID,
    ReplyMeaning.POLICY: Ending.REJECTED,
}
# The next step after an answer that ends a chunk.
_ENDS_THE_CHUNK = {
    ReplyMeaning.MESSAGE: NextStep.STOP,
    ReplyMeaning.US: NextStep.PAUSE,
    ReplyMeaning.CONNECTIONS: NextStep.RETIRE,
    ReplyMeaning.RATE: NextStep.WAIT,
    ReplyMeaning.CLOSED: NextStep.WAIT,
    ReplyMeaning.LOST: NextStep.WAIT,
}
_BETWEEN = "/"  # the parts of a mark
_CHECK_CONNECTION = "check your internet connection, and host and port under [provider.smtp] in newsletter.toml"
_CHECK_LOGIN = "check host and username under [provider.smtp] in newsletter.toml, and NEWSLETTER_SMTP_PASSWORD"


_ACCEPTED = Answer(ReplyMeaning.ACCEPTED, "")


class _Fate(Struct, frozen=True):
    """The relay's answer for one recipient, and its place among the relay's refusals."""

    answer: Answer
    refusal: Refusal


class ChunkFates:
    """Collects the relay's answers for a chunk, and derives the outcome of the chunk from them."""

    def __init__(
        self,
        recipients: Sequence[Recipient],
        standing: RelayStanding,
        *,
        tries: int = 0,
        are_others_accepted: bool = False,
        relay: str = "",
        secrets: tuple[str, ...] = (),
    ) -> None:
        self._recipients = recipients
        self._standing = standing
        self._tries = tries
        self._are_others_accepted = are_others_accepted
        self._relay = f"the relay {relay}".rstrip()
        self._place = relay or self._relay
        self._secrets = secrets
        self._answered: set[int] = set()  # the deliveries
        self._fates: dict[int, _Fate] = {}  # by delivery
        self._counts: Counter[ReplyMeaning] = Counter()
        self._last = _ACCEPTED
        self._last_refusal: Refusal | None = None
        self._turn = standing.begin()

    def begin(self) -> None:
        """Note that the next message begins."""
        self._turn = self._standing.begin()

    def note(self, recipient: Recipient, answer: Answer) -> Answer:
        """Record the answer for one recipient. Return it as it was judged, with its words as they may be shown.

        The words of an acceptance are not needed.
        """
        meaning = answer.meaning
        self._answered.add(recipient.delivery)
        if meaning is ReplyMeaning.ACCEPTED:  # the hot path
            self._standing.accept(self._turn)
            self._counts[meaning] += 1
            self._last, self._last_refusal = _ACCEPTED, None
            return _ACCEPTED
        if self._is_theirs_after_all(answer):
            meaning = ReplyMeaning.LATER if _passes(answer) else ReplyMeaning.POLICY
        words = quoted(answer.words, without=self._secrets)
        self._last = Answer(meaning, words, answer.phase, answer.cause)
        self._last_refusal = self._standing.refuse(meaning, self._turn, counts=self._counts_against_us(self._last))
        self._counts[meaning] += 1
        self._fates[recipient.delivery] = _Fate(self._last, self._last_refusal)
        return self._last

    def _is_theirs_after_all(self, answer: Answer) -> bool:
        """Whether the words are about us, but the relay says so to these people only.

        As long as it has accepted no one else since it first said so, it stays about us, however often they are tried.
        """
        is_ours = answer.meaning is ReplyMeaning.US and _names_a_recipient(answer)
        return is_ours and self._are_others_accepted and self._tries >= _OURS_UNTIL_TRY

    def _counts_against_us(self, answer: Answer) -> bool:
        """Whether a refusal says something about us. It does not if it is known to be about these people."""
        if answer.cause is None:
            return False
        if answer.meaning is ReplyMeaning.LATER:
            return not self._tries and answer.cause.whose is not Whose.THEIRS
        return not self._are_others_accepted

    @property
    def is_hopeless(self) -> bool:
        """Whether the rest of the chunk would fail as well."""
        if self._last_refusal is None:
            return False
        is_cut = self._counts[ReplyMeaning.UNCERTAIN] >= _CUTS_A_CHUNK
        is_refused = self._last_refusal.is_stall or self._last_refusal.in_a_row > 0
        return self._last.meaning in _ENDS_THE_CHUNK or is_cut or is_refused

    def outcome(self) -> Outcome:
        """Return what is known about every recipient.

        A refusal for good is certain to be about the recipient once the relay has accepted another message after it.
        Until then, it is a doubt. A refusal by policy stays one. If so many came in a row that they are about us, no
        one is at fault, and the broadcast pauses.
        """
        standing, is_stalled = self._standing, self.is_hopeless
        invalid: dict[int, str] = {}
        undeliverable: set[int] = set()
        uncertain: dict[int, str] = {}
        deferred: dict[int, str] = {}
        blameless: dict[int, str] = {}
        doubted: dict[int, Doubt] = {}
        unsent = {recipient.delivery for recipient in self._recipients} - self._answered
        for who, fate in self._fates.items():
            meaning, words = fate.answer.meaning, fate.answer.words
            is_last = standing.is_last_word(fate.refusal)
            is_certain = meaning is not ReplyMeaning.POLICY and (not is_last or fate.answer.cause is None)
            if fate.refusal.in_a_row:
                blameless[who] = words
            elif meaning in _ENDINGS and not is_certain:
                doubted[who] = Doubt(words=words, ending=_ENDINGS[meaning], is_last_word=is_last)
            elif meaning in _ENDINGS:
                invalid[who] = words
                undeliverable |= {who} if meaning is ReplyMeaning.ADDRESS and standing.has_accepted else set()
            elif meaning is ReplyMeaning.UNCERTAIN:
                uncertain[who] = self._broken(fate.answer)
            elif meaning is ReplyMeaning.MESSAGE or not _names_a_recipient(fate.answer):
                unsent.add(who)
            elif _is_ours(fate.answer) or (is_stalled and is_last and _may_be_ours(fate.answer)):
                blameless[who] = words
            else:
                deferred[who] = words
        step, reason = self._next_step(doubted)
        verdict = self._verdict(unsent, uncertain)
        in_a_row = max((fate.refusal.in_a_row for fate in self._fates.values()), default=0)
        return Outcome(
            verdict=verdict,
            next_step=step,
            reason=reason,
            invalid=invalid,
            undeliverable=frozenset(undeliverable),
            unsent=frozenset(unsent) if verdict is Verdict.ACCEPTED else frozenset(),
            uncertain={} if verdict is Verdict.UNKNOWN else uncertain,
            deferred=deferred,
            blameless=blameless,
            doubted=doubted,
            refused_in_a_row=in_a_row if step is NextStep.PAUSE else 0,
            retry_after_seconds=_seconds_until_passed(self._last) if step is NextStep.PAUSE and not in_a_row else None,
            may_wait_long=self._last.meaning is ReplyMeaning.RATE,
        )

    def _verdict(self, unsent: set[int], uncertain: dict[int, str]) -> Verdict:
        """Return the verdict for those whom the outcome does not name."""
        if self._counts[ReplyMeaning.ACCEPTED]:
            return Verdict.ACCEPTED
        if self._counts[ReplyMeaning.MESSAGE]:
            return Verdict.REJECTED
        return Verdict.UNKNOWN if len(uncertain) == len(self._recipients) and not unsent else Verdict.READY

    def _next_step(self, doubted: dict[int, Doubt]) -> tuple[NextStep, str]:
        last = self._last
        ours = [fate.answer for fate in self._fates.values() if fate.refusal.in_a_row]
        if ours and last.meaning is not ReplyMeaning.MESSAGE:
            return NextStep.PAUSE, self._told(ours[-1])
        if last.meaning in _ENDS_THE_CHUNK:
            return _ENDS_THE_CHUNK[last.meaning], self._told(last)
        if last.meaning is ReplyMeaning.LATER and self.is_hopeless:
            return NextStep.WAIT, self._told(last)
        first = next((self._fates[who].answer for who, each in doubted.items() if each.is_last_word), None)
        if first is not None:
            return NextStep.GO_ON, self._told(first)
        broken = (fate.answer for fate in self._fates.values() if fate.answer.meaning is ReplyMeaning.UNCERTAIN)
        return NextStep.GO_ON, next(map(self._broken, broken), "")

    def _told(self, answer: Answer) -> str:
        """Return the relay's words, what they mean and what to do, for people to read."""
        did = "could not be reached" if answer.meaning is ReplyMeaning.LOST else "did not accept the email"
        says = f" ({answer.cause.says})" if answer.cause is not None else ""
        # How many connections are possible is known only to the program that opens them.
        text = remedy_of(answer) if answer.meaning is not ReplyMeaning.CONNECTIONS else ""
        remedy = f"; {text}" if text else ""
        then = ", then run `newsletter resume`" if answer.meaning in {ReplyMeaning.US, ReplyMeaning.POLICY} else ""
        return f"{self._relay} {did}: {answer.words}{says}{remedy}{then}"

    def _broken(self, answer: Answer) -> str:
        return f"the connection to {self._place} broke while the email was being sent: {answer.words}"


def mark_of(answer: Answer) -> str:
    """Return all that is known about an answer except its words, as one word."""
    if answer is _ACCEPTED:
        return answer.meaning
    return _BETWEEN.join((answer.meaning, answer.phase, answer.cause.name if answer.cause is not None else ""))


def answer_of(mark: str, words: str) -> Answer:
    """Return the answer with this mark. If the mark is not known, the message may have been accepted."""
    if mark == ReplyMeaning.ACCEPTED:
        return _ACCEPTED
    try:
        meaning, phase, cause = mark.split(_BETWEEN)
        return Answer(ReplyMeaning(meaning), words, Phase(phase), named_cause(cause) if cause else None)
    except (ValueError, KeyError):
        return Answer(ReplyMeaning.UNCERTAIN, words, Phase.CONTENT)


def remedy_of(answer: Answer) -> str:
    """Return what to do about an answer, or an empty string if there is nothing to do but wait."""
    if answer.meaning is ReplyMeaning.LOST:
        return _CHECK_CONNECTION
    if answer.cause is None:
        return _CHECK_LOGIN if answer.meaning is ReplyMeaning.US else ""
    return "" if answer.meaning in {ReplyMeaning.LATER, ReplyMeaning.CLOSED} else answer.cause.remedy


def _names_a_recipient(answer: Answer) -> bool:
    """Whether the relay knew the recipient when it answered. If the connection broke, it may have known."""
    return answer.phase not in {Phase.OPENING, Phase.MAIL} or (answer.phase is Phase.MAIL and answer.cause is None)


def _is_ours(answer: Answer) -> bool:
    """Whether a refusal for now is about us. A limit of ours that is met by these people only is theirs after all."""
    is_theirs_after_all = answer.meaning is ReplyMeaning.LATER and _passes(answer)
    return answer.cause is not None and answer.cause.whose is Whose.OURS and not is_theirs_after_all


def _may_be_ours(answer: Answer) -> bool:
    is_theirs = answer.cause is not None and answer.cause.whose is Whose.THEIRS
    return answer.meaning is ReplyMeaning.LATER and not is_theirs


def _passes(answer: Answer) -> bool:
    return answer.cause is not None and answer.cause.passes_after_minutes is not None


def _seconds_until_passed(answer: Answer) -> float | None:
    minutes = answer.cause.passes_after_minutes if answer.cause is not None else None
    return None if minutes is None else minutes * 60.0
