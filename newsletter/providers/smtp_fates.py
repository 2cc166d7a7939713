"""What an SMTP relay's answers mean for the recipients of a chunk, and for the rest of the broadcast.

A relay answers for one message at a time. Whether a refusal is about the recipient or about us sometimes shows only in
the answers to others, so the answers are counted over all connections to the relay.
"""

from collections import Counter
from collections.abc import Sequence
from threading import Lock

from msgspec import Struct, field

from newsletter.model.broadcast import Doubt, Ending, NextStep, Outcome, Recipient, Verdict
from newsletter.providers.base import quoted
from newsletter.providers.smtp_dialogue import Answer, ReplyMeaning
from newsletter.refusals import Phase, Whose, named_cause

_CUTS_A_CHUNK = 2  # if this many connections break during a message, the rest of a chunk is postponed
_REFUSALS_IN_A_ROW = 5  # by policy or temporary; after these, the rest of a chunk is not tried
_REFUSED_PEOPLE_IN_A_ROW = 20  # for any reason; no list is that bad, so the cause must be us or the relay
_OURS_UNTIL_TRY = 2  # after so many tries, a refusal of one recipient is not about us

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


class RelayStanding(Struct):
    """How the relay has answered lately, over all connections to it."""

    accepted: int = 0  # messages
    policy: int = 0  # refusals by policy since the last acceptance
    for_good: int = 0  # refusals for any reason about recipients since the last acceptance
    for_now: int = 0  # temporary refusals since the last acceptance
    _lock: Lock = field(default_factory=Lock)

    def note(self, meaning: ReplyMeaning) -> None:
        """Count an answer."""
        with self._lock:
            if meaning is ReplyMeaning.ACCEPTED:
                self.accepted += 1
                self.policy = self.for_good = self.for_now = 0
            elif meaning in _ENDINGS:
                self.for_good += 1
                self.policy += meaning is ReplyMeaning.POLICY
            elif meaning is ReplyMeaning.LATER:
                self.for_now += 1

    def is_against_us(self, meaning: ReplyMeaning) -> bool:
        """Whether so many such answers came in a row that the next recipients would get them too."""
        if meaning is ReplyMeaning.LATER:
            return self.for_now >= _REFUSALS_IN_A_ROW
        if meaning not in _ENDINGS:
            return False
        by_policy = meaning is ReplyMeaning.POLICY and self.policy >= _REFUSALS_IN_A_ROW
        return by_policy or self.for_good >= _REFUSED_PEOPLE_IN_A_ROW


class _Fate(Struct, frozen=True):
    """The relay's answer for one recipient, and how many messages it had accepted before."""

    answer: Answer
    accepted_before: int


class ChunkFates:
    """Collects the relay's answers for a chunk, and derives the outcome of the chunk from them."""

    def __init__(
        self,
        recipients: Sequence[Recipient],
        standing: RelayStanding,
        *,
        tries: int = 0,
        relay: str = "",
        secrets: tuple[str, ...] = (),
    ) -> None:
        self._recipients = recipients
        self._standing = standing
        self._tries = tries
        self._relay = f"the relay {relay}".rstrip()
        self._place = relay or self._relay
        self._secrets = secrets
        self._answered: set[int] = set()  # the deliveries
        self._fates: dict[int, _Fate] = {}  # by delivery
        self._counts: Counter[ReplyMeaning] = Counter()
        self._last = _ACCEPTED

    def note(self, recipient: Recipient, answer: Answer) -> Answer:
        """Record the answer for one recipient. Return it as it was judged, with its words as they may be shown.

        People who were refused before say nothing new about us. The words of an acceptance are not needed.
        """
        meaning = answer.meaning
        self._answered.add(recipient.delivery)
        if meaning is ReplyMeaning.ACCEPTED:  # the hot path
            self._standing.note(meaning)
            self._counts[meaning] += 1
            self._last = _ACCEPTED
            return _ACCEPTED
        if meaning is ReplyMeaning.US and self._tries >= _OURS_UNTIL_TRY and _names_a_recipient(answer):
            meaning = ReplyMeaning.POLICY
        if not self._tries and answer.cause is not None:
            self._standing.note(meaning)
        words = quoted(answer.words, without=self._secrets)
        self._last = Answer(meaning, words, answer.phase, answer.cause)
        self._counts[meaning] += 1
        self._fates[recipient.delivery] = _Fate(self._last, self._standing.accepted)
        return self._last

    @property
    def is_hopeless(self) -> bool:
        """Whether the rest of the chunk would fail as well."""
        meaning = self._last.meaning
        if meaning is ReplyMeaning.ACCEPTED:
            return False
        if meaning in _ENDS_THE_CHUNK or self._counts[ReplyMeaning.UNCERTAIN] >= _CUTS_A_CHUNK:
            return True
        return not self._tries and self._standing.is_against_us(meaning)

    def outcome(self) -> Outcome:
        """Return what is known about every recipient.

        A refusal for good is certain to be about the recipient once the relay has accepted another message after it.
        Until then, it is a doubt. A refusal by policy stays one.
        """
        accepted, against_us = self._standing.accepted, self.is_hopeless
        invalid: dict[int, str] = {}
        undeliverable: set[int] = set()
        uncertain: dict[int, str] = {}
        deferred: dict[int, str] = {}
        blameless: dict[int, str] = {}
        doubted: dict[int, Doubt] = {}
        unsent = {recipient.delivery for recipient in self._recipients} - self._answered
        for who, fate in self._fates.items():
            meaning, words, is_last = fate.answer.meaning, fate.answer.words, fate.accepted_before == accepted
            is_certain = meaning is not ReplyMeaning.POLICY and (not is_last or fate.answer.cause is None)
            if meaning in _ENDINGS and not is_certain:
                doubted[who] = Doubt(words=words, ending=_ENDINGS[meaning], is_last_word=is_last)
            elif meaning in _ENDINGS:
                invalid[who] = words
                undeliverable |= {who} if meaning is ReplyMeaning.ADDRESS and accepted else set()
            elif meaning is ReplyMeaning.UNCERTAIN:
                uncertain[who] = self._broken(fate.answer)
            elif meaning is ReplyMeaning.MESSAGE or not _names_a_recipient(fate.answer):
                unsent.add(who)
            elif _is_ours(fate.answer) or (against_us and is_last and meaning is ReplyMeaning.LATER):
                blameless[who] = words
            else:
                deferred[who] = words
        step, reason = self._next_step(doubted)
        verdict = self._verdict(unsent, uncertain)
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
            retry_after_seconds=_seconds_until_passed(self._last) if step is NextStep.PAUSE else None,
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
    return answer.cause is not None and answer.cause.whose is Whose.OURS


def _seconds_until_passed(answer: Answer) -> float | None:
    minutes = answer.cause.passes_after_minutes if answer.cause is not None else None
    return None if minutes is None else minutes * 60.0
