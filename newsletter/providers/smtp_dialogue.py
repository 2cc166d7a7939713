"""The dialogue with an SMTP relay: open a connection, send a message, and interpret the answer.

Each command (MAIL, RCPT, DATA, content) has its own reply, so the phase of a failure is known. If a connection breaks
after the content has begun, it is unknown whether the relay accepted the message (RFC 1047).
"""

from enum import StrEnum

from msgspec import Struct

from newsletter.refusals import Cause, Phase, Reaction, Whose, cause_of, enhanced_code_in
from newsletter.settings.provider import SmtpSettings
from newsletter.system.smtp_connection import (
    NotOfferedError,
    RefusedError,
    SmtpConnection,
    SmtpLimits,
    SmtpReply,
    connect,
    log_in,
)

END_OF_CONTENT = b".\r\n"

_CLOSING = 421


class ReplyMeaning(StrEnum):
    """What an answer says about the message, its recipient or the connection."""

    ACCEPTED = "accepted"  # the relay accepted the message
    ADDRESS = "address"  # the address does not exist
    RECIPIENT = "recipient"  # this recipient is refused, but another relay may accept them, or this one on another day
    POLICY = "policy"  # a policy of the relay refuses us or this recipient
    MESSAGE = "message"  # the message is refused for any recipient
    US = "us"  # the relay refuses to work for us: login, permission, quota, reputation
    RATE = "rate"  # the relay accepts only so much email from us in a given time
    CONNECTIONS = "connections"  # the relay allows fewer connections at the same time
    LATER = "later"  # this recipient is refused temporarily
    CLOSED = "closed"  # the relay accepts nothing at the moment
    LOST = "lost"  # the connection broke before the content
    UNCERTAIN = "uncertain"  # the connection broke after the content had begun
    HALTED = "halted"  # the work was halted before this message


# After these, the next message needs a new connection. A limit may hold for each connection.
_ENDS_THE_CONNECTION = frozenset(
    {
        ReplyMeaning.RATE,
        ReplyMeaning.CONNECTIONS,
        ReplyMeaning.CLOSED,
        ReplyMeaning.LOST,
        ReplyMeaning.UNCERTAIN,
    }
)


class Answer(Struct, frozen=True):
    """The result of one step, and the words of the relay or the operating system."""

    meaning: ReplyMeaning
    words: str
    phase: Phase = Phase.OPENING
    cause: Cause | None = None  # of a refusal

    @property
    def is_closing(self) -> bool:
        """Whether the relay closes the connection, which other connections need not share (RFC 5321, 4.2.3)."""
        return self.words.startswith(str(_CLOSING))


def open_connection(settings: SmtpSettings, password: str) -> SmtpConnection | Answer:
    """Return a connection that is ready for messages, or the reason why it could not be opened."""
    try:
        limits = SmtpLimits().within(settings.timeout_seconds)
        relay = connect(settings.host, settings.port, settings.security, limits)
    except Exception as err:  # an error of a library is an answer too
        return _answer_to_opening(err)
    try:
        if settings.username is not None:
            log_in(relay, settings.username, password)
    except Exception as err:
        relay.close()
        return _answer_to_opening(err)
    return relay


def hand_over(relay: SmtpConnection, *, sender: str, address: str, content: bytes) -> Answer:
    """Send the relay one message for one recipient.

    `content` must end with END_OF_CONTENT, a line with a single dot. No other line may begin with a dot.
    """
    phase = Phase.MAIL
    try:
        if relay.has_unasked:
            # It may be a notice that the relay is closing the connection. Later replies would not match their commands.
            raise ConnectionError("the relay sent an unexpected reply")
        mail = _mail_command(relay, sender, address, len(content) - len(END_OF_CONTENT))
        if isinstance(mail, Answer):
            return mail
        refusal = _give_envelope(relay, mail, address)
        if refusal is not None:
            return refusal
        phase = Phase.CONTENT
        relay.send_content(content)
        reply = relay.reply(relay.limits.content)
    except Exception as err:  # a broken connection, or anything else that a library may raise
        relay.close()
        return Answer(ReplyMeaning.UNCERTAIN if phase is Phase.CONTENT else ReplyMeaning.LOST, _words_of(err), phase)
    return _judge(relay, phase, reply)


def meaning_of(phase: Phase, code: int, words: str) -> ReplyMeaning:
    """Return the meaning of a negative reply, given its code (RFC 5321) and any enhanced code (RFC 3463)."""
    if not 400 <= code <= 599:
        return ReplyMeaning.UNCERTAIN if phase is Phase.CONTENT else ReplyMeaning.LOST
    cause, is_for_now = cause_of(code, words, phase=phase), code < 500
    if cause.whose is not Whose.OURS:
        return _about_a_recipient(cause, code, words)
    if cause.is_about_the_message:
        return ReplyMeaning.LATER if is_for_now else ReplyMeaning.MESSAGE
    if cause.then is Reaction.RETIRE:
        return ReplyMeaning.CONNECTIONS
    if cause.then is Reaction.FOLLOW and is_for_now:
        return ReplyMeaning.RATE
    is_passing = cause.then is Reaction.WAIT or (is_for_now and cause.passes_after_minutes is None)
    return ReplyMeaning.CLOSED if is_passing else ReplyMeaning.US


def _about_a_recipient(cause: Cause, code: int, words: str) -> ReplyMeaning:
    """Return the meaning of a refusal that is, or may be, about a recipient. In doubt, do not blame the address."""
    if code < 500:
        return ReplyMeaning.CLOSED if code == _CLOSING else ReplyMeaning.LATER
    if cause.whose is Whose.EITHER:
        return ReplyMeaning.POLICY
    # Relays without enhanced codes say "no such user" for many reasons.
    return ReplyMeaning.ADDRESS if cause.address_is_gone and enhanced_code_in(words) else ReplyMeaning.RECIPIENT


def _answer_to_opening(error: Exception) -> Answer:
    if isinstance(error, RefusedError):
        return _refusal(Phase.OPENING, error.code, error.words)
    # A ValueError is an invalid host name, a login challenge that cannot be decoded, or an error of a certificate.
    is_us = isinstance(error, NotOfferedError | ValueError)
    return Answer(ReplyMeaning.US if is_us else ReplyMeaning.LOST, _words_of(error))


def _words_of(error: Exception) -> str:
    return str(error) or type(error).__name__


def _mail_command(relay: SmtpConnection, sender: str, address: str, size_bytes: int) -> str | Answer:
    options = f" SIZE={size_bytes}" if "size" in relay.extensions else ""
    if not address.isascii():
        if "smtputf8" not in relay.extensions:
            return Answer(ReplyMeaning.RECIPIENT, "the relay cannot send to an address with non-ASCII characters")
        options += " BODY=8BITMIME SMTPUTF8"
    return f"MAIL FROM:<{sender}>{options}"


def _give_envelope(relay: SmtpConnection, mail: str, address: str) -> Answer | None:
    """Send MAIL, RCPT and DATA. Return the first refusal, or None if the relay is ready for the content.

    If the relay announces PIPELINING, send the three commands in one write (RFC 2920). Some relays announce it but drop
    what arrives after a command that they refuse. The connection then says so, and its next user sends one command at a
    time.
    """
    commands = ((Phase.MAIL, mail), (Phase.RCPT, f"RCPT TO:<{address}>"), (Phase.DATA, "DATA"))
    pipelined = "pipelining" in relay.extensions
    limits = relay.limits
    if pipelined:
        relay.send(f"{mail}\r\nRCPT TO:<{address}>\r\nDATA\r\n".encode())
    refusal: Answer | None = None
    for phase, command in commands:
        if not pipelined:
            relay.send(f"{command}\r\n".encode())
        seconds = limits.data if phase is Phase.DATA else limits.command
        try:
            reply = relay.reply(min(seconds, limits.pipelined) if pipelined and phase is not Phase.MAIL else seconds)
        except OSError as err:
            relay.drops_input = pipelined and (refusal is not None or isinstance(err, TimeoutError))
            if refusal is None:
                raise
            relay.close()
            return refusal
        hoped_for = reply.code == 354 if phase is Phase.DATA else reply.is_positive
        if hoped_for and refusal is None:
            continue
        if hoped_for and phase is Phase.DATA:
            # The relay expects content although it accepted no recipient, so end the empty message (RFC 2920, 3.1).
            relay.send(END_OF_CONTENT)
            relay.reply(limits.content)
        refusal = refusal or _judge(relay, phase, reply)
        if not pipelined or not relay.is_open:
            break
    if refusal is not None and relay.is_open:
        _reset(relay)
    return refusal


def _reset(relay: SmtpConnection) -> None:
    """Reset the dialogue. Close the connection if that fails, so that the next message opens a new one."""
    try:
        if not relay.ask("RSET").is_positive:
            relay.close()
    except OSError:
        relay.close()


def _judge(relay: SmtpConnection, phase: Phase, reply: SmtpReply) -> Answer:
    text = reply.words.decode("utf-8", "replace")
    if phase is Phase.CONTENT and reply.is_positive:
        return Answer(ReplyMeaning.ACCEPTED, text)
    answer = _refusal(phase, reply.code, text)
    if answer.is_closing or answer.meaning in _ENDS_THE_CONNECTION:
        relay.close()
    return answer


def _refusal(phase: Phase, code: int, words: str) -> Answer:
    cause = cause_of(code, words, phase=phase) if 400 <= code <= 599 else None
    return Answer(meaning_of(phase, code, words), f"{code} {words}", phase, cause)
