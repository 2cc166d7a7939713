"""The SMTP provider, which sends messages one by one through a relay. Its connection stays open between chunks.

The relay adds DKIM signatures. Bounces go to the sender's address.
"""

from base64 import b64encode
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial

from newsletter.config import Config
from newsletter.errors import ProviderError
from newsletter.model.broadcast import NextStep, Outcome, OutgoingChunk, Recipient, Verdict
from newsletter.model.diagnosis import HealthItem, error, not_judged, ok
from newsletter.model.replies import Reply
from newsletter.providers.base import UNRECORDED, Clock, ProviderFacts, Replies, quoted, require_secret
from newsletter.providers.headers import wire_address
from newsletter.providers.mime import CompiledMessage, MessageCompiler
from newsletter.providers.smtp_connection import SmtpConnection
from newsletter.providers.smtp_dialogue import END_OF_CONTENT, Answer, ReplyMeaning, hand_over, open_connection
from newsletter.settings.provider import SmtpSettings

_SECURITY = {"starttls": "STARTTLS", "tls": "TLS", "none": "unencrypted"}
_CUTS_A_CHUNK = 2  # if this many connections break during a message, the rest of a chunk is postponed
_REFUSALS_IN_A_ROW = 3  # by policy or temporary; after these, the rest of a chunk is not tried
_REFUSED_PEOPLE_IN_A_ROW = 20  # for any reason; no list is that bad, so the cause must be us or the relay

_FOR_GOOD = frozenset({ReplyMeaning.ADDRESS, ReplyMeaning.RECIPIENT, ReplyMeaning.POLICY})
_ENDS_THE_CHUNK = frozenset(
    {ReplyMeaning.MESSAGE, ReplyMeaning.US, ReplyMeaning.CLOSED, ReplyMeaning.LOST, ReplyMeaning.HALTED}
)
_MEANINGS = {meaning.value: meaning for meaning in ReplyMeaning}
# The next step if some email was not sent, by the reason. The most serious reason is first.
_NEXT_STEPS = {
    ReplyMeaning.MESSAGE: NextStep.STOP,
    ReplyMeaning.US: NextStep.PAUSE,
    ReplyMeaning.POLICY: NextStep.PAUSE,
    ReplyMeaning.LOST: NextStep.WAIT,
    ReplyMeaning.CLOSED: NextStep.WAIT,
    ReplyMeaning.LATER: NextStep.WAIT,
}
_REMEDIES = {
    ReplyMeaning.MESSAGE: "change the issue, then send it again",
    ReplyMeaning.US: "check host and username under [provider.smtp] in newsletter.toml, and NEWSLETTER_SMTP_PASSWORD",
    ReplyMeaning.POLICY: "ask the operator of your mail server what you may send",
    ReplyMeaning.LOST: "check your internet connection, and host and port under [provider.smtp] in newsletter.toml",
}


def open_provider(config: Config, environ: Mapping[str, str], clock: Clock) -> "SmtpRelay":
    """Return the provider. Raise ProviderError if a setting or the password is missing or cannot be used."""
    settings = config.settings.provider.smtp
    if settings is None:
        raise ProviderError(
            'smtp has no settings; in newsletter.toml, add the lines [provider.smtp] and host = "smtp.example.org"'
        )
    if settings.username is None:
        return SmtpRelay(settings, password="", clock=clock)
    if not settings.username.isascii():
        raise ProviderError(
            "username under [provider.smtp] in newsletter.toml contains an accented letter or another special character"
            "; write it exactly as your mail server expects it"
        )
    password = require_secret(
        environ, "NEWSLETTER_SMTP_PASSWORD", "the password for the username under [provider.smtp]"
    )
    return SmtpRelay(settings, password=password, clock=clock)


class SmtpRelay:
    """The provider that sends email through an SMTP relay."""

    name = "smtp"
    chunk_size = 100
    notes_replies = True
    scheduler = None
    message_log = None
    suppression_lists = None

    def __init__(self, settings: SmtpSettings, *, password: str, clock: Clock) -> None:
        self.settings = settings
        self.password = password
        self.clock = clock
        self.concurrency = settings.concurrency
        self.place = f"{settings.host}:{settings.port}"

    def describe(self) -> str:
        """Return the relay's address, and whether the connection is encrypted."""
        return f"SMTP relay {self.place}, {_SECURITY[self.settings.security]}"

    def examine(self, *, is_online: bool) -> ProviderFacts:
        """Return whether the password is set, and whether the relay accepts the login."""
        key = ok("key", "NEWSLETTER_SMTP_PASSWORD is set" if self.password else "the relay needs no password")
        login = self._login() if is_online else not_judged("login", "the login was not checked (--without network)")
        return ProviderFacts(items=(key, login))

    def _login(self) -> HealthItem:
        """Connect as a broadcast would, then disconnect. Return whether that succeeded."""
        settings, where = self.settings, self.place
        opened = open_connection(settings, self.password)
        if isinstance(opened, Answer):
            did = "cannot be reached" if opened.meaning is ReplyMeaning.LOST else "cannot be used"
            said = quoted(opened.words, without=self.secrets)
            return error(
                "login", f"{where} {did} ({said})", _REMEDIES.get(opened.meaning, "run `newsletter doctor` again later")
            )
        opened.quit()
        how = f"with {_SECURITY[settings.security]}" if settings.security != "none" else "on this machine"
        return ok("login", f"{where} accepts the login, {how}" if settings.username else f"{where} answers, {how}")

    @property
    def secrets(self) -> tuple[str, ...]:
        """The password as plain text and as it is encoded for the login. A relay may repeat either in an answer."""
        if not self.password:
            return ()
        plain = f"\0{self.settings.username}\0{self.password}"
        return (self.password, *(b64encode(text.encode()).decode() for text in (plain, self.password)))

    @contextmanager
    def session(self) -> Iterator["SmtpSession"]:
        """Open a session for one thread. The session connects when it gets its first chunk."""
        session = SmtpSession(self)
        try:
            yield session
        finally:
            session.close()


class SmtpSession:
    """Sends the chunks of one thread over one connection, which it opens again if the relay closes it."""

    def __init__(self, provider: SmtpRelay) -> None:
        self._provider = provider
        self._messages = MessageCompiler()
        self._relay: SmtpConnection | None = None
        self._has_delivered = False

    def submit(self, chunk: OutgoingChunk, replies: Replies = UNRECORDED) -> Outcome:
        """Send one message per recipient. Stop early if the remaining messages would fail in the same way."""
        message = self._messages.compiled(chunk.mailing, self._provider.clock())
        sender = wire_address(chunk.mailing.envelope.from_email)
        fates = _Fates(relay=self._provider.place, secrets=self._provider.secrets)
        for recipient in chunk.recipients:
            answer = fates.note(recipient, self._deliver(message, sender, recipient, replies))
            if answer.meaning is not ReplyMeaning.HALTED:
                replies.note(recipient.delivery, answer.meaning, answer.words)
            if fates.is_hopeless:
                break
        self._has_delivered = self._has_delivered or fates.has_accepted
        return fates.outcome(chunk.recipients, relay_takes_our_mail=self._has_delivered)

    def close(self) -> None:
        """Disconnect from the relay."""
        if self._relay is not None and self._relay.is_open:
            self._relay.quit()
        self._relay = None

    def _deliver(self, message: CompiledMessage, sender: str, recipient: Recipient, replies: Replies) -> Answer:
        try:
            address = wire_address(recipient.email)
        except ValueError as err:
            return Answer(ReplyMeaning.ADDRESS, str(err))
        content = message.render(recipient, end=END_OF_CONTENT)
        is_kept = self._relay is not None and self._relay.is_open
        may_begin = partial(replies.may_begin, recipient.delivery)
        answer = self._hand_over(sender, address, content, may_begin)
        if is_kept and answer.meaning in {ReplyMeaning.LOST, ReplyMeaning.CLOSED}:
            # The relay closed a connection that was idle or had carried many messages. It did not accept this message.
            answer = self._hand_over(sender, address, content, may_begin)
        return answer

    def _hand_over(self, sender: str, address: str, content: bytes, may_begin: Callable[[], bool]) -> Answer:
        if self._relay is None or not self._relay.is_open:
            opened = open_connection(self._provider.settings, self._provider.password)
            if isinstance(opened, Answer):
                return opened
            self._relay = opened
        if not may_begin():  # asked only now, because opening a connection can take a while and sends nothing
            return Answer(ReplyMeaning.HALTED, "")
        return hand_over(self._relay, sender=sender, address=address, content=content)


def outcome_of_replies(replies: Sequence[Reply]) -> Outcome:
    """Return the outcome of a chunk that was interrupted, by the rules for one that was not.

    A message that was begun and has no known reply may have been accepted.
    """
    fates = _Fates(relay="", secrets=())
    recipients = [Recipient(reply.delivery, "", "", "", ()) for reply in replies]
    for recipient, reply in zip(recipients, replies, strict=True):
        if reply.was_begun:
            fates.note(recipient, Answer(_MEANINGS.get(reply.meaning, ReplyMeaning.UNCERTAIN), reply.words))
    return fates.outcome(recipients, relay_takes_our_mail=fates.has_accepted)


class _Fates:
    """Collects the relay's answers for a chunk, and derives the outcome of the chunk from them."""

    def __init__(self, *, relay: str, secrets: tuple[str, ...]) -> None:
        self._relay = relay
        self._secrets = secrets
        self._answers: dict[int, Answer] = {}  # by delivery
        self._counts: Counter[ReplyMeaning] = Counter()
        self._reasons: dict[ReplyMeaning, str] = {}  # the words of the first answer with each meaning
        self._last = ReplyMeaning.ACCEPTED
        self._in_a_row = 0
        self._refused_run: list[int] = []  # deliveries refused permanently since the last answer of another kind

    @property
    def has_accepted(self) -> bool:
        """Whether the relay accepted any message."""
        return self._counts[ReplyMeaning.ACCEPTED] > 0

    def note(self, recipient: Recipient, answer: Answer) -> Answer:
        """Record the answer for one recipient. Return it with its words as they may be shown."""
        meaning, words = answer.meaning, quoted(answer.words, without=self._secrets)
        self._in_a_row = self._in_a_row + 1 if meaning is self._last else 1
        self._last = meaning
        noted = self._answers[recipient.delivery] = Answer(meaning, words)
        self._counts[meaning] += 1
        self._reasons.setdefault(meaning, words)
        if meaning in _FOR_GOOD:
            self._refused_run.append(recipient.delivery)
        else:
            self._refused_run.clear()
        return noted

    @property
    def is_hopeless(self) -> bool:
        """Whether the rest of the chunk would fail as well."""
        if self._last in _ENDS_THE_CHUNK or self._counts[ReplyMeaning.UNCERTAIN] >= _CUTS_A_CHUNK:
            return True
        return self._refuses_everybody or (self._last is ReplyMeaning.LATER and self._in_a_row >= _REFUSALS_IN_A_ROW)

    @property
    def _refuses_everybody(self) -> bool:
        """Whether the relay refuses every recipient, so that the cause must be us or the relay."""
        by_policy = self._last is ReplyMeaning.POLICY and self._in_a_row >= _REFUSALS_IN_A_ROW
        return by_policy or len(self._refused_run) >= _REFUSED_PEOPLE_IN_A_ROW

    def outcome(self, recipients: Sequence[Recipient], *, relay_takes_our_mail: bool) -> Outcome:
        """Return what is known about every recipient.

        If the relay accepts other email from us, a refusal by policy is about the recipient. Otherwise, it is about us.
        An address is reported as undeliverable only if the relay accepts other email from us.
        """
        blameless = set(self._refused_run) if self._refuses_everybody else set()
        if not relay_takes_our_mail:
            blameless |= self._whose(ReplyMeaning.POLICY)
        invalid = {who: self._answers[who].words for who in self._whose(*_FOR_GOOD) - blameless}
        uncertain = self._whose(ReplyMeaning.UNCERTAIN)
        settled = self._whose(ReplyMeaning.ACCEPTED) | invalid.keys() | uncertain
        unsent = frozenset(recipient.delivery for recipient in recipients) - settled
        verdict = self._verdict(unsent)
        next_step, reason = self._next_step(blameless) if unsent or uncertain else (NextStep.GO_ON, "")
        nonexistent = self._whose(ReplyMeaning.ADDRESS) & invalid.keys()
        return Outcome(
            verdict=verdict,
            next_step=next_step,
            reason=reason,
            invalid=invalid,
            undeliverable=nonexistent if relay_takes_our_mail else frozenset(),
            unsent=frozenset() if verdict in {Verdict.READY, Verdict.REJECTED} else unsent,
            uncertain=frozenset() if verdict is Verdict.UNKNOWN else uncertain,
        )

    def _whose(self, *meanings: ReplyMeaning) -> frozenset[int]:
        """Return the deliveries whose answer has one of these meanings."""
        return frozenset(who for who, answer in self._answers.items() if answer.meaning in meanings)

    def _verdict(self, unsent: frozenset[int]) -> Verdict:
        """Return the verdict for the chunk as a whole, given the deliveries that were not sent."""
        if self.has_accepted:
            return Verdict.ACCEPTED
        if unsent:
            return Verdict.REJECTED if ReplyMeaning.MESSAGE in self._reasons else Verdict.READY
        return Verdict.UNKNOWN if ReplyMeaning.UNCERTAIN in self._reasons else Verdict.ACCEPTED

    def _next_step(self, blameless: set[int]) -> tuple[NextStep, str]:
        reasons = {meaning: words for meaning, words in self._reasons.items() if meaning not in _FOR_GOOD}
        if blameless:
            reasons[ReplyMeaning.POLICY] = self._answers[min(blameless)].words
        for meaning, step in _NEXT_STEPS.items():
            if meaning in reasons:
                did = "could not be reached" if meaning is ReplyMeaning.LOST else "did not accept the email"
                remedy = f"; {_REMEDIES[meaning]}" if meaning in _REMEDIES else ""
                then = ", then run `newsletter resume`" if step is NextStep.PAUSE else ""
                return step, f"the relay {self._relay} {did}: {reasons[meaning]}{remedy}{then}"
        if ReplyMeaning.UNCERTAIN not in self._reasons:  # the work was halted
            return NextStep.GO_ON, ""
        words = self._reasons[ReplyMeaning.UNCERTAIN]
        return NextStep.GO_ON, f"the connection to {self._relay} broke while an email was being sent: {words}"
