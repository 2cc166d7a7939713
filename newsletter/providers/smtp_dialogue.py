"""The dialogue with an SMTP relay: opens a connection, hands over one message, and says what the answer means.

Commands are given apart (MAIL, RCPT, DATA, content), so that the phase of a failure is known. Once the content has
begun, a connection that breaks leaves it open whether the relay took the message (RFC 1047).
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
# Servers judge sender and client only when they hear a recipient, and quotas have no code of their own.
_ABOUT_US = re.compile(r"\b(?:relay|sender|client host|quota|limit|rate|too many|authenti)", re.IGNORECASE)


class Phase(StrEnum):
    """How far a message had come when the relay answered."""

    OPENING = "opening"  # greeting, encryption, login
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    CONTENT = "content"


class ReplyMeaning(StrEnum):
    """What an answer says about the message, its recipient or the connection."""

    ACCEPTED = "accepted"  # the relay has taken the message
    ADDRESS = "address"  # there is no such address
    RECIPIENT = "recipient"  # this recipient is refused, for a reason that another day or relay may not have
    POLICY = "policy"  # refused by a rule of the relay: about us, or about this recipient
    MESSAGE = "message"  # the message itself is refused, whoever it is for
    US = "us"  # the relay will not work for us: login, permission, encryption
    LATER = "later"  # this recipient is refused for now
    CLOSED = "closed"  # the relay takes nothing now
    LOST = "lost"  # the connection broke before the content
    UNCERTAIN = "uncertain"  # the connection broke after the content had begun


class Answer(Struct, frozen=True):
    """What came of one step, and the relay's or the system's own words."""

    meaning: ReplyMeaning
    words: str


def open_connection(settings: SmtpSettings, password: str) -> SmtpConnection | Answer:
    """Return a greeted, encrypted and logged-in connection, or the reason why there is none."""
    try:
        return connect(settings, password)
    except (OSError, ValueError) as err:  # smtplib's; a host that cannot be a name, a challenge that cannot be read
        return _answer_to_opening(err)


def hand_over(relay: SmtpConnection, *, sender: str, address: str, content: bytes) -> Answer:
    """Give the relay one message for one recipient.

    `content` ends in the line with one dot that ends a message; no other line begins with a dot.
    """
    phase = Phase.MAIL
    try:
        if relay.has_unasked:
            raise ConnectionError("the relay spoke unasked")  # such as of its end; its replies would be out of step
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
    """Return what a reply means that is not the one hoped for: RFC 5321 for the code, RFC 3463 for the enhanced one."""
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
    """Return what a refusal for good means that names neither message nor dialogue. In doubt, it is not the address."""
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
    # Relays that give no enhanced code refuse strangers with a bare 554, and mail that they dislike after its content.
    return ReplyMeaning.RECIPIENT if phase is Phase.RCPT and code != _TRANSACTION_FAILED else ReplyMeaning.POLICY


def _is_about_the_message(phase: Phase, code: int, subject: str) -> bool:
    is_too_large = code == _TOO_LARGE and subject in {"", "system"}  # with subject 2, one mailbox is full
    if phase is Phase.MAIL:
        return is_too_large
    return phase in {Phase.DATA, Phase.CONTENT} and (is_too_large or subject in {"system", "content"})


def _answer_to_opening(error: OSError | ValueError) -> Answer:
    if isinstance(error, smtplib.SMTPResponseException):
        words = error.smtp_error.decode("utf-8", "replace") if isinstance(error.smtp_error, bytes) else error.smtp_error
        return Answer(meaning_of(Phase.OPENING, error.smtp_code, words), f"{error.smtp_code} {words}")
    if isinstance(error, smtplib.SMTPNotSupportedError | ValueError):  # a certificate's error is a ValueError as well
        return Answer(ReplyMeaning.US, str(error))
    return Answer(ReplyMeaning.LOST, str(error))


def _mail_command(relay: SmtpConnection, sender: str, address: str, size_bytes: int) -> str | Answer:
    options = f" SIZE={size_bytes}" if "size" in relay.extensions else ""
    if not address.isascii():
        if "smtputf8" not in relay.extensions:
            return Answer(ReplyMeaning.RECIPIENT, "the relay carries no address with letters outside ASCII")
        options += " BODY=8BITMIME SMTPUTF8"
    return f"MAIL FROM:<{sender}>{options}"


def _give_envelope(relay: SmtpConnection, mail: str, address: str) -> Answer | None:
    """Say who sends to whom, and open the content. Return the first refusal, or None where the relay waits for it.

    A relay that announces PIPELINING gets the three commands in one write (RFC 2920).
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
            # The relay waits for content though it knows no recipient: end the empty message (RFC 2920, 3.1).
            relay.send(END_OF_CONTENT)
            relay.reply()
        refusal = refusal or _judge(relay, phase, reply)
        if not pipelined or not relay.is_open:
            break
    if refusal is not None and relay.is_open:
        _reset(relay)
    return refusal


def _reset(relay: SmtpConnection) -> None:
    """Have the relay forget the message. Where this finds the connection gone, the next message opens another."""
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
