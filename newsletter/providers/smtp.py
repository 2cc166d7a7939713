"""SMTP: one message after the other through a relay, over a connection that is kept between chunks.

DKIM signatures are the relay's work. Bounces go to the sender's address.
"""

from base64 import b64encode
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from newsletter.model.broadcast import NextStep, Outcome, OutgoingChunk, Recipient, Verdict
from newsletter.providers.base import Clock, quoted
from newsletter.providers.headers import wire_address
from newsletter.providers.mime import CompiledMessage, MessageCompiler
from newsletter.providers.smtp_connection import SmtpConnection
from newsletter.providers.smtp_dialogue import END_OF_CONTENT, Answer, Meaning, hand_over, open_connection
from newsletter.settings.provider import SmtpSettings

_SECURITY = {"starttls": "STARTTLS", "tls": "TLS", "none": "unencrypted"}
_CUTS_A_CHUNK = 2  # connections that may break in the middle of a message before the rest of a chunk is put off
_REFUSALS_IN_A_ROW = 3  # by policy or for now, before the rest of a chunk is spared the same
_REFUSED_PEOPLE_IN_A_ROW = 20  # of whatever kind: no list is that bad, so it is the relay

_FOR_GOOD = frozenset({Meaning.ADDRESS, Meaning.RECIPIENT, Meaning.POLICY})
_ENDS_THE_CHUNK = frozenset({Meaning.MESSAGE, Meaning.US, Meaning.CLOSED, Meaning.LOST})
# What follows from unsent mail, the gravest reason first.
_NEXT_STEPS = (
    (Meaning.MESSAGE, NextStep.STOP),
    (Meaning.US, NextStep.PAUSE),
    (Meaning.POLICY, NextStep.PAUSE),
    (Meaning.LOST, NextStep.WAIT),
    (Meaning.CLOSED, NextStep.WAIT),
    (Meaning.LATER, NextStep.WAIT),
)
_REMEDIES = {
    Meaning.POLICY: "ask its operator what it lets you send, check [provider.smtp], then resume",
    Meaning.US: "check [provider.smtp] and NEWSLETTER_SMTP_PASSWORD, then resume",
    Meaning.LOST: "check the network, and host and port in [provider.smtp]",
    Meaning.MESSAGE: "change the issue, then send it again",
}


class SmtpRelay:
    """The provider that hands mail to an SMTP relay."""

    name = "smtp"
    chunk_size = 100
    scheduler = None
    message_log = None
    suppression_lists = None

    def __init__(self, settings: SmtpSettings, *, password: str, clock: Clock) -> None:
        self._settings = settings
        self._password = password
        self._clock = clock

    @property
    def concurrency(self) -> int:
        """How many connections the relay is given at the same time."""
        return self._settings.concurrency

    def describe(self) -> str:
        """What carries the mail, for a person who is about to say yes."""
        settings = self._settings
        return f"SMTP relay {settings.host}:{settings.port}, {_SECURITY[settings.security]}"

    @contextmanager
    def session(self) -> Iterator["SmtpSession"]:
        """A session for one thread; its connection opens with the first chunk."""
        session = SmtpSession(self._settings, password=self._password, clock=self._clock)
        try:
            yield session
        finally:
            session.close()


class SmtpSession:
    """One connection to the relay, opened again where it has idled out."""

    def __init__(self, settings: SmtpSettings, *, password: str, clock: Clock) -> None:
        self._settings = settings
        self._password = password
        self._clock = clock
        self._messages = MessageCompiler()
        self._relay: SmtpConnection | None = None
        self._has_delivered = False

    def submit(self, chunk: OutgoingChunk) -> Outcome:
        """Hands over one message a recipient; stops early where going on would only repeat a failure."""
        message = self._messages.compiled(chunk.mailing, self._clock())
        sender = wire_address(chunk.mailing.envelope.from_email)
        fates = _Fates(relay=f"{self._settings.host}:{self._settings.port}", secrets=self._secrets())
        for recipient in chunk.recipients:
            fates.note(recipient, self._deliver(message, sender, recipient))
            if fates.is_hopeless:
                break
        self._has_delivered = self._has_delivered or bool(fates.accepted)
        return fates.outcome(chunk.recipients, relay_takes_our_mail=self._has_delivered)

    def close(self) -> None:
        """Says good-bye to the relay."""
        if self._relay is not None and self._relay.is_open:
            self._relay.quit()
        self._relay = None

    def _deliver(self, message: CompiledMessage, sender: str, recipient: Recipient) -> Answer:
        try:
            address = wire_address(recipient.email)
        except ValueError as err:
            return Answer(Meaning.ADDRESS, str(err))
        content = message.render(recipient, end=END_OF_CONTENT)
        is_kept = self._relay is not None and self._relay.is_open
        answer = self._hand_over(sender, address, content)
        if is_kept and answer.meaning in {Meaning.LOST, Meaning.CLOSED}:
            # The relay ended a connection that has idled or carried enough; it has not taken this message.
            answer = self._hand_over(sender, address, content)
        return answer

    def _hand_over(self, sender: str, address: str, content: bytes) -> Answer:
        if self._relay is None or not self._relay.is_open:
            opened = open_connection(self._settings, self._password)
            if isinstance(opened, Answer):
                return opened
            self._relay = opened
        return hand_over(self._relay, sender=sender, address=address, content=content)

    def _secrets(self) -> tuple[str, ...]:
        """The password as it is and as it travels in AUTH PLAIN, lest a relay repeat it."""
        if not self._password:
            return ()
        plain = f"\0{self._settings.username}\0{self._password}"
        return (self._password, *(b64encode(text.encode()).decode() for text in (plain, self._password)))


class _Fates:
    """Collects the answers of a chunk, and makes the outcome of them."""

    def __init__(self, *, relay: str, secrets: tuple[str, ...]) -> None:
        self.accepted: set[int] = set()
        self._last = Meaning.ACCEPTED
        self._relay = relay
        self._secrets = secrets
        self._refused: dict[int, str] = {}  # for good, with the relay's words
        self._nonexistent: set[int] = set()
        self._by_policy: set[int] = set()
        self._refused_run: list[int] = []  # who was refused for good since the last other answer
        self._uncertain: set[int] = set()
        self._in_a_row = 0
        self._reasons: dict[Meaning, str] = {}

    def note(self, recipient: Recipient, answer: Answer) -> None:
        """Takes down what came of one recipient; one who is in no set at the end is unsent."""
        words = quoted(answer.words, without=self._secrets)
        self._in_a_row = self._in_a_row + 1 if answer.meaning is self._last else 1
        self._last = answer.meaning
        self._reasons.setdefault(answer.meaning, words)
        if answer.meaning in _FOR_GOOD:
            self._refused[recipient.delivery] = words
            self._refused_run.append(recipient.delivery)
        else:
            self._refused_run.clear()
        match answer.meaning:
            case Meaning.ACCEPTED:
                self.accepted.add(recipient.delivery)
            case Meaning.ADDRESS:
                self._nonexistent.add(recipient.delivery)
            case Meaning.POLICY:
                self._by_policy.add(recipient.delivery)
            case Meaning.UNCERTAIN:
                self._uncertain.add(recipient.delivery)
            case _:
                pass

    @property
    def is_hopeless(self) -> bool:
        """Whether the rest of the chunk would fare no better."""
        if self._last in _ENDS_THE_CHUNK or len(self._uncertain) >= _CUTS_A_CHUNK:
            return True
        return self._refuses_everybody or (self._last is Meaning.LATER and self._in_a_row >= _REFUSALS_IN_A_ROW)

    @property
    def _refuses_everybody(self) -> bool:
        """Whether the relay refuses one after the other: whatever it says of them, that is about us or about itself."""
        by_policy = self._last is Meaning.POLICY and self._in_a_row >= _REFUSALS_IN_A_ROW
        return by_policy or len(self._refused_run) >= _REFUSED_PEOPLE_IN_A_ROW

    def outcome(self, recipients: Sequence[Recipient], *, relay_takes_our_mail: bool) -> Outcome:
        """What is known of every recipient.

        A refusal by policy is the recipient's where the relay takes other mail of ours; otherwise it is ours. What
        it says of addresses counts for more than this broadcast only where it takes mail at all.
        """
        blameless = self._blameless(relay_takes_our_mail=relay_takes_our_mail)
        invalid = {delivery: words for delivery, words in self._refused.items() if delivery not in blameless}
        settled = self.accepted | invalid.keys() | self._uncertain
        unsent = frozenset(recipient.delivery for recipient in recipients) - settled
        verdict = self._verdict(unsent)
        next_step, reason = self._next_step(blameless) if unsent or self._uncertain else (NextStep.GO_ON, "")
        return Outcome(
            verdict=verdict,
            next_step=next_step,
            reason=reason,
            invalid=invalid,
            undeliverable=frozenset(self._nonexistent & invalid.keys()) if relay_takes_our_mail else frozenset(),
            unsent=frozenset() if verdict in {Verdict.READY, Verdict.REJECTED} else unsent,
            uncertain=frozenset() if verdict is Verdict.UNKNOWN else frozenset(self._uncertain),
        )

    def _blameless(self, *, relay_takes_our_mail: bool) -> set[int]:
        """Who was refused for good by a relay that refuses us."""
        blameless = set(self._refused_run) if self._refuses_everybody else set()
        return blameless if relay_takes_our_mail else blameless | self._by_policy

    def _verdict(self, unsent: frozenset[int]) -> Verdict:
        """What holds for the most: where nothing was accepted, what became of the rest."""
        if self.accepted:
            return Verdict.ACCEPTED
        if unsent:
            return Verdict.REJECTED if Meaning.MESSAGE in self._reasons else Verdict.READY
        return Verdict.UNKNOWN if self._uncertain else Verdict.ACCEPTED

    def _next_step(self, blameless: set[int]) -> tuple[NextStep, str]:
        reasons = {meaning: words for meaning, words in self._reasons.items() if meaning not in _FOR_GOOD}
        if blameless:
            reasons[Meaning.POLICY] = self._refused[min(blameless)]
        for meaning, step in _NEXT_STEPS:
            if meaning in reasons:
                did = "could not be reached" if meaning is Meaning.LOST else "refused"
                said = f"the relay {self._relay} {did}: {reasons[meaning]}"
                return step, f"{said}; {_REMEDIES[meaning]}" if meaning in _REMEDIES else said
        words = self._reasons.get(Meaning.UNCERTAIN, "")
        return NextStep.GO_ON, f"the connection to {self._relay} broke while it took a message: {words}"
