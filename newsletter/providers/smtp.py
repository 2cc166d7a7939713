"""The SMTP provider, which sends messages one by one through a relay. Its connection stays open between chunks.

The relay adds DKIM signatures. Bounces go to the newsletter's own mailbox, if it has one, or to the sender's address.
"""

from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial

from newsletter.config import Config
from newsletter.errors import ProviderError
from newsletter.model.broadcast import Outcome, OutgoingChunk, Recipient
from newsletter.model.diagnosis import HealthItem, error, not_judged, ok
from newsletter.model.replies import Reply
from newsletter.providers.base import UNRECORDED, Clock, ProviderFacts, Replies, quoted, require_secret
from newsletter.providers.headers import wire_address
from newsletter.providers.mime import CompiledMessage, MessageCompiler
from newsletter.providers.smtp_dialogue import END_OF_CONTENT, Answer, ReplyMeaning, hand_over, open_connection
from newsletter.providers.smtp_fates import ChunkFates, answer_of, mark_of, remedy_of
from newsletter.providers.smtp_standing import RelayStanding
from newsletter.refusals import Phase
from newsletter.settings.provider import SmtpSettings
from newsletter.system.smtp_connection import SmtpConnection

_DOCTOR_SECONDS = 10.0  # the longest wait for a reply, because a person is waiting for the result
_SECURITY = {"starttls": "STARTTLS", "tls": "TLS", "none": "unencrypted"}


def open_provider(config: Config, environ: Mapping[str, str], clock: Clock) -> "SmtpRelay":
    """Return the provider. Raise ProviderError if a setting or the password is missing or cannot be used."""
    settings = config.settings.provider.smtp
    if settings is None:
        raise ProviderError(
            'smtp has no settings; in newsletter.toml, add the lines [provider.smtp] and host = "smtp.example.org"'
        )
    if settings.username is None:
        return SmtpRelay(settings, password="", clock=clock)
    what = "the password for the username under [provider.smtp]"
    password = require_secret(environ, "NEWSLETTER_SMTP_PASSWORD", what, in_ascii=False)
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
        self.standing = RelayStanding()
        self.place = f"{settings.host}:{settings.port}"
        self.drops_input = False  # whether the relay dropped pipelined commands, so that no more are sent

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
        patience = min(settings.timeout_seconds or _DOCTOR_SECONDS, _DOCTOR_SECONDS)
        opened = open_connection(settings.model_copy(update={"timeout_seconds": patience}), self.password)
        if isinstance(opened, Answer):
            did = "cannot be reached" if opened.meaning is ReplyMeaning.LOST else "cannot be used"
            said = quoted(opened.words, without=self.secrets)
            return error("login", f"{where} {did} ({said})", remedy_of(opened) or "run `newsletter doctor` again later")
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

    def submit(self, chunk: OutgoingChunk, replies: Replies = UNRECORDED) -> Outcome:
        """Send one message per recipient. Stop early if the remaining messages would fail in the same way."""
        message = self._messages.compiled(chunk.mailing, self._provider.clock())
        sender = chunk.mailing.envelope.sent_from
        provider = self._provider
        fates = ChunkFates(
            chunk.recipients,
            provider.standing,
            tries=chunk.tries,
            are_others_accepted=chunk.are_others_accepted,
            relay=provider.place,
            secrets=provider.secrets,
        )
        for recipient in chunk.recipients:
            fates.begin()
            answer = self._deliver(message, sender, recipient, replies)
            if answer.meaning is ReplyMeaning.HALTED:
                break
            answer = fates.note(recipient, answer)
            replies.note(recipient.delivery, mark_of(answer), answer.words)
            if fates.is_hopeless:
                break
        return fates.outcome()

    def close(self) -> None:
        """Disconnect from the relay."""
        if self._relay is not None and self._relay.is_open:
            self._relay.quit()
        self._relay = None

    def _deliver(self, message: CompiledMessage, sender: str, recipient: Recipient, replies: Replies) -> Answer:
        try:
            address = wire_address(recipient.email)
        except ValueError as err:
            return Answer(ReplyMeaning.ADDRESS, str(err), Phase.RCPT)
        sender = wire_address(recipient.return_path or sender)
        content = message.render(recipient, end=END_OF_CONTENT)
        is_kept = self._relay is not None and self._relay.is_open
        may_begin = partial(replies.may_begin, recipient.delivery)
        answer = self._hand_over(sender, address, content, may_begin)
        is_dropped = self._relay is not None and self._relay.drops_input
        is_gone = answer.meaning in {ReplyMeaning.LOST, ReplyMeaning.CLOSED} or answer.is_closing
        if (is_kept or is_dropped) and is_gone:
            # The relay closed a connection that was idle or had carried many messages, or it dropped commands.
            # It did not accept this message.
            answer = self._hand_over(sender, address, content, may_begin)
        return answer

    def _hand_over(self, sender: str, address: str, content: bytes, may_begin: Callable[[], bool]) -> Answer:
        if self._relay is None or not self._relay.is_open:
            opened = open_connection(self._provider.settings, self._provider.password)
            if isinstance(opened, Answer):
                return opened
            if self._provider.drops_input:
                opened.extensions.pop("pipelining", None)
            self._relay = opened
        if not may_begin():  # asked only now, because opening a connection can take a while and sends nothing
            return Answer(ReplyMeaning.HALTED, "")
        answer = hand_over(self._relay, sender=sender, address=address, content=content)
        self._provider.drops_input |= self._relay.drops_input
        return answer


def outcome_of_replies(replies: Sequence[Reply]) -> Outcome:
    """Return the outcome of a chunk that was interrupted, by the rules for one that was not.

    A message that was begun and has no known reply may have been accepted.
    """
    recipients = [Recipient(reply.delivery, "", "", "", ()) for reply in replies]
    fates = ChunkFates(recipients, RelayStanding())
    for recipient, reply in zip(recipients, replies, strict=True):
        if reply.was_begun:
            fates.begin()
            fates.note(recipient, answer_of(reply.meaning, reply.words))
    return fates.outcome()
