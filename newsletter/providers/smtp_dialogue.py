"""The dialogue with an SMTP relay: open a connection, send a message, and interpret the answer.

Each command (MAIL, RCPT, DATA, content) has its own reply, so the phase of a failure is known. If a connection breaks
after the content has begun, it is unknown whether the relay accepted the message (RFC 1047).
"""

import re
import smtplib
from enum import StrEnum

from msgspec import Struct

from newsletter.providers.smtp_connection import SmtpConnection, SmtpReply, connect
from newsletter.settings.provider import SmtpSettings

END_OF_CONTENT = b".\r\n"

_ENHANCED = re.compile(r"\s*5\.([0-7])\.(\d{1,3})\b")  # RFC 3463: class, subject, detail
_SUBJECTS = ("", "address", "mailbox", "system", "network", "protocol", "content", "policy")  # by their digit
_CLOSING = 421
_BAD_COMMANDS = frozenset({500, 502, 503, 504})
_AUTHENTICATION_NEEDED = 530
_TOO_LARGE = 552
_TRANSACTION_FAILED = 554
_NO_SUCH_ADDRESS = frozenset({"1", "2", "3", "6", "10"})  # details of subject 1: mailbox, domain, syntax, moved, no MX
_BAD_SENDER = frozenset({"7", "8"})
# Servers often check the sender and the client only after RCPT, and quotas have no code of their own. So the words
# of the reply count.
_ABOUT_US = re.compile(r"\b(?:relay|sender|client host|quota|limit|rate|too many|authenti)", re.IGNORECASE)


class Phase(StrEnum):
    """The phase of the dialogue in which the relay answered."""

    OPENING = "opening"  # greeting, encryption, login
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    CONTENT = "content"


class ReplyMeaning(StrEnum):
    """What an answer says about the message, its recipient or the connection."""

    ACCEPTED = "accepted"  # the relay accepted the message
    ADDRESS = "address"  # the address does not exist
    RECIPIENT = "recipient"  # this recipient is refused, but another relay may accept them, or this one on another day
    POLICY = "policy"  # a policy of the relay refuses us or this recipient
    MESSAGE = "message"  # the message is refused for any recipient
    US = "us"  # the relay refuses to work for us: login, permission, encryption
    LATER = "later"  # this recipient is refused temporarily
    CLOSED = "closed"  # the relay accepts nothing at the moment
    LOST = "lost"  # the connection broke before the content
    UNCERTAIN = "uncertain"  # the connection broke after the content had begun
    HALTED = "halted"  # the work was halted before this message


class Answer(Struct, frozen=True):
    """The result of one step, and the words of the relay or the operating system."""

    meaning: ReplyMeaning
    words: str


def open_connection(settings: SmtpSettings, password: str) -> SmtpConnection | Answer:
    """Return a connection that is ready for messages, or the reason why it could not be opened."""
    try:
        return connect(settings, password)
    except (OSError, ValueError) as err:  # including smtplib's errors, an invalid host name, an undecodable challenge
        return _answer_to_opening(err)


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
        relay.send(content)
        reply = relay.reply()
    except OSError as err:
        relay.close()
        return Answer(ReplyMeaning.UNCERTAIN if phase is Phase.CONTENT else ReplyMeaning.LOST, str(err))
    return _judge(relay, phase, reply)


def meaning_of(phase: Phase, code: int, words: str) -> ReplyMeaning:
    """Return the meaning of a negative reply, given its code (RFC 5321) and any enhanced code (RFC 3463)."""
    if not 400 <= code <= 599:
        return ReplyMeaning.UNCERTAIN if phase is Phase.CONTENT else ReplyMeaning.LOST
    if code == _CLOSING:
        return ReplyMeaning.CLOSED
    if code < 500:
        return ReplyMeaning.CLOSED if phase in {Phase.OPENING, Phase.MAIL} else ReplyMeaning.LATER
    enhanced = _ENHANCED.match(words)
    subject, detail = (_SUBJECTS[int(enhanced[1])], enhanced[2]) if enhanced else ("", "")
    if _is_about_the_message(phase, code, subject):
        return ReplyMeaning.MESSAGE
    is_bad_dialogue = subject == "protocol" or (not subject and code in _BAD_COMMANDS)
    if phase in {Phase.OPENING, Phase.MAIL} or code == _AUTHENTICATION_NEEDED or is_bad_dialogue:
        return ReplyMeaning.US
    return _about_a_recipient(phase, code, subject, detail, words)


def _about_a_recipient(phase: Phase, code: int, subject: str, detail: str, words: str) -> ReplyMeaning:
    """Return the meaning of a permanent refusal that is about neither the message nor the dialogue.

    In doubtful cases, do not blame the address.
    """
    if subject == "address" and detail in _BAD_SENDER:
        return ReplyMeaning.US
    if subject == "address" and detail in _NO_SUCH_ADDRESS:
        return ReplyMeaning.ADDRESS
    is_full = subject == "mailbox" and detail == "2"
    if _ABOUT_US.search(words) and not is_full:
        return ReplyMeaning.POLICY
    if subject:
        is_theirs = subject in {"address", "mailbox"} or (phase is Phase.RCPT and subject == "content")
        return ReplyMeaning.RECIPIENT if is_theirs else ReplyMeaning.POLICY
    # Relays without enhanced codes refuse unknown senders with a plain 554, and unwanted email only after its content.
    return ReplyMeaning.RECIPIENT if phase is Phase.RCPT and code != _TRANSACTION_FAILED else ReplyMeaning.POLICY


def _is_about_the_message(phase: Phase, code: int, subject: str) -> bool:
    is_too_large = code == _TOO_LARGE and subject in {"", "system"}  # if the subject is mailbox, the mailbox is full
    if phase is Phase.MAIL:
        return is_too_large
    return phase in {Phase.DATA, Phase.CONTENT} and (is_too_large or subject in {"system", "content"})


def _answer_to_opening(error: OSError | ValueError) -> Answer:
    if isinstance(error, smtplib.SMTPResponseException):
        words = error.smtp_error.decode("utf-8", "replace") if isinstance(error.smtp_error, bytes) else error.smtp_error
        return Answer(meaning_of(Phase.OPENING, error.smtp_code, words), f"{error.smtp_code} {words}")
    if isinstance(error, smtplib.SMTPNotSupportedError | ValueError):  # certificate errors are also ValueErrors
        return Answer(ReplyMeaning.US, str(error))
    return Answer(ReplyMeaning.LOST, str(error))


def _mail_command(relay: SmtpConnection, sender: str, address: str, size_bytes: int) -> str | Answer:
    options = f" SIZE={size_bytes}" if "size" in relay.extensions else ""
    if not address.isascii():
        if "smtputf8" not in relay.extensions:
            return Answer(ReplyMeaning.RECIPIENT, "the relay cannot send to an address with non-ASCII characters")
        options += " BODY=8BITMIME SMTPUTF8"
    return f"MAIL FROM:<{sender}>{options}"


def _give_envelope(relay: SmtpConnection, mail: str, address: str) -> Answer | None:
    """Send MAIL, RCPT and DATA. Return the first refusal, or None if the relay is ready for the content.

    If the relay announces PIPELINING, send the three commands in one write (RFC 2920).
    """
    commands = ((Phase.MAIL, mail), (Phase.RCPT, f"RCPT TO:<{address}>"), (Phase.DATA, "DATA"))
    pipelined = "pipelining" in relay.extensions
    if pipelined:
        relay.send(f"{mail}\r\nRCPT TO:<{address}>\r\nDATA\r\n".encode())
    refusal: Answer | None = None
    for phase, command in commands:
        if not pipelined:
            relay.send(f"{command}\r\n".encode())
        reply = relay.reply()
        hoped_for = reply.code == 354 if phase is Phase.DATA else 200 <= reply.code <= 299
        if hoped_for and refusal is None:
            continue
        if hoped_for and phase is Phase.DATA:
            # The relay expects content although it accepted no recipient, so end the empty message (RFC 2920, 3.1).
            relay.send(END_OF_CONTENT)
            relay.reply()
        refusal = refusal or _judge(relay, phase, reply)
        if not pipelined or not relay.is_open:
            break
    if refusal is not None and relay.is_open:
        _reset(relay)
    return refusal


def _reset(relay: SmtpConnection) -> None:
    """Reset the dialogue. Close the connection if that fails, so that the next message opens a new one."""
    try:
        relay.send(b"RSET\r\n")
        if not 200 <= relay.reply().code <= 299:
            relay.close()
    except OSError:
        relay.close()


def _judge(relay: SmtpConnection, phase: Phase, reply: SmtpReply) -> Answer:
    text = reply.words.decode("utf-8", "replace")
    if phase is Phase.CONTENT and 200 <= reply.code <= 299:
        return Answer(ReplyMeaning.ACCEPTED, text)
    meaning = meaning_of(phase, reply.code, text)
    if meaning in {ReplyMeaning.CLOSED, ReplyMeaning.LOST, ReplyMeaning.UNCERTAIN}:
        relay.close()
    return Answer(meaning, f"{reply.code} {text}")
