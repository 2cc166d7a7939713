"""The dialogue with an SMTP relay: opens a connection, hands over one message, and says what the answer means.

Commands are given apart (MAIL, RCPT, DATA, content), so that the phase of a failure is known. Once the content has
begun, a connection that breaks leaves it open whether the relay took the message (RFC 1047).
"""

import re
import smtplib
import socket
import ssl
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum

from newsletter.settings.provider import SmtpSettings

_ENHANCED = re.compile(r"\s*5\.(\d{1,3})\.(\d{1,3})\b")  # RFC 3463: class, subject, detail
_SUBJECTS = {
    "1": "address",
    "2": "mailbox",
    "3": "system",
    "4": "network",
    "5": "protocol",
    "6": "content",
    "7": "policy",
}
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


class Meaning(StrEnum):
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


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one step, and the relay's or the system's own words."""

    meaning: Meaning
    words: str


def open_connection(settings: SmtpSettings, password: str) -> smtplib.SMTP | Answer:
    """A greeted, encrypted and logged-in connection, or the reason why there is none."""
    server: smtplib.SMTP | None = None
    try:
        server = _connect(settings)
        if settings.username is not None:
            server.login(settings.username, password)
    except (OSError, UnicodeError) as err:  # smtplib's are OSErrors; a host that cannot be a name is the other
        if server is not None:
            server.close()
        return _answer_to_opening(err)
    return server


def hand_over(server: smtplib.SMTP, *, sender: str, address: str, content: bytes) -> Answer:
    """Gives the relay one message for one recipient; `content` ends in a line break, and no line begins with a dot."""
    phase = Phase.MAIL
    try:
        mail = _mail_command(server, sender, address, len(content))
        if isinstance(mail, Answer):
            return mail
        refusal = _give_envelope(server, mail, address)
        if refusal is not None:
            return refusal
        phase = Phase.CONTENT
        server.send(content + b".\r\n")
        code, words = server.getreply()
    except OSError as err:
        server.close()
        return Answer(Meaning.UNCERTAIN if phase is Phase.CONTENT else Meaning.LOST, str(err))
    return _judge(server, phase, code, words)


def meaning_of(phase: Phase, code: int, words: str) -> Meaning:
    """What a reply means that is not the one hoped for; RFC 5321 for the code, RFC 3463 for the enhanced one."""
    if not 400 <= code <= 599:
        return Meaning.UNCERTAIN if phase is Phase.CONTENT else Meaning.LOST
    if code == _CLOSING:
        return Meaning.CLOSED
    if code < 500:
        return Meaning.CLOSED if phase in {Phase.OPENING, Phase.MAIL} else Meaning.LATER
    enhanced = _ENHANCED.match(words)
    subject, detail = (_SUBJECTS.get(enhanced[1], ""), enhanced[2]) if enhanced else ("", "")
    if _is_about_the_message(phase, code, subject):
        return Meaning.MESSAGE
    is_bad_dialogue = subject == "protocol" or (not subject and code in _BAD_COMMANDS)
    if phase in {Phase.OPENING, Phase.MAIL} or code == _AUTHENTICATION_NEEDED or is_bad_dialogue:
        return Meaning.US
    return _about_a_recipient(phase, code, subject, detail, words)


def _about_a_recipient(phase: Phase, code: int, subject: str, detail: str, words: str) -> Meaning:
    """What a refusal for good means that names neither the message nor the dialogue; in doubt, not the address."""
    if subject == "address" and detail in _BAD_SENDER:
        return Meaning.US
    if subject == "address" and detail in _NO_SUCH_ADDRESS:
        return Meaning.ADDRESS
    is_full = subject == "mailbox" and detail == "2"
    if _ABOUT_US.search(words) and not is_full:
        return Meaning.POLICY
    if subject:
        is_theirs = subject in {"address", "mailbox"} or (phase is Phase.RCPT and subject == "content")
        return Meaning.RECIPIENT if is_theirs else Meaning.POLICY
    # Relays that give no enhanced code refuse strangers with a bare 554, and mail that they dislike after its content.
    return Meaning.RECIPIENT if phase is Phase.RCPT and code != _TRANSACTION_FAILED else Meaning.POLICY


def _is_about_the_message(phase: Phase, code: int, subject: str) -> bool:
    is_too_large = code == _TOO_LARGE and subject in {"", "system"}  # with subject 2, one mailbox is full
    if phase is Phase.MAIL:
        return is_too_large
    return phase in {Phase.DATA, Phase.CONTENT} and (is_too_large or subject in {"system", "content"})


def _connect(settings: SmtpSettings) -> smtplib.SMTP:
    # Our own name for ourselves: smtplib would ask the DNS for it at each connection, which can take seconds.
    hostname = socket.gethostname()
    ourselves = hostname if "." in hostname else "[127.0.0.1]"
    context = ssl.create_default_context()
    server: smtplib.SMTP
    if settings.security == "tls":
        server = smtplib.SMTP_SSL(
            settings.host, settings.port, ourselves, timeout=settings.timeout_seconds, context=context
        )
    else:
        server = smtplib.SMTP(settings.host, settings.port, ourselves, timeout=settings.timeout_seconds)
    try:
        if settings.security == "starttls":
            server.starttls(context=context)
        server.ehlo_or_helo_if_needed()
        if server.sock is not None:
            # A message goes out in one write; waiting to fill a packet would only delay its end.
            server.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except BaseException:
        server.close()
        raise
    return server


def _answer_to_opening(error: OSError | UnicodeError) -> Answer:
    if isinstance(error, smtplib.SMTPResponseException):
        words = error.smtp_error.decode("utf-8", "replace") if isinstance(error.smtp_error, bytes) else error.smtp_error
        return Answer(meaning_of(Phase.OPENING, error.smtp_code, words), f"{error.smtp_code} {words}")
    if isinstance(error, smtplib.SMTPNotSupportedError | ssl.SSLCertVerificationError | UnicodeError):
        return Answer(Meaning.US, str(error))
    return Answer(Meaning.LOST, str(error))


def _mail_command(server: smtplib.SMTP, sender: str, address: str, size_bytes: int) -> str | Answer:
    options = f" SIZE={size_bytes}" if server.has_extn("size") else ""
    if not address.isascii():
        if not server.has_extn("smtputf8"):
            return Answer(Meaning.RECIPIENT, "the relay carries no address with letters outside ASCII")
        options += " BODY=8BITMIME SMTPUTF8"
    return f"MAIL FROM:<{sender}>{options}"


def _give_envelope(server: smtplib.SMTP, mail: str, address: str) -> Answer | None:
    """Says who sends to whom, and opens the content; the first refusal, or None where the relay waits for it.

    A relay that announces PIPELINING gets the three commands in one write (RFC 2920).
    """
    commands = {Phase.MAIL: mail, Phase.RCPT: f"RCPT TO:<{address}>", Phase.DATA: "DATA"}
    pipelined = server.has_extn("pipelining")
    if pipelined:
        server.send("".join(f"{command}\r\n" for command in commands.values()).encode())
    refusal: Answer | None = None
    for phase, command in commands.items():
        if not pipelined:
            server.send(f"{command}\r\n".encode())
        code, words = server.getreply()
        hoped_for = code == 354 if phase is Phase.DATA else 200 <= code <= 299
        if hoped_for and refusal is None:
            continue
        if hoped_for and phase is Phase.DATA:
            # The relay waits for content though it knows no recipient: end the empty message (RFC 2920, 3.1).
            server.send(b".\r\n")
            server.getreply()
        refusal = refusal or _judge(server, phase, code, words)
        if not pipelined or server.sock is None:
            break
    if refusal is not None and server.sock is not None:
        with suppress(OSError):  # where this finds the connection gone, the next message opens another
            server.rset()
    return refusal


def _judge(server: smtplib.SMTP, phase: Phase, code: int, words: bytes) -> Answer:
    text = words.decode("utf-8", "replace")
    if phase is Phase.CONTENT and 200 <= code <= 299:
        return Answer(Meaning.ACCEPTED, text)
    meaning = meaning_of(phase, code, text)
    if meaning in {Meaning.CLOSED, Meaning.LOST, Meaning.UNCERTAIN}:
        server.close()
    return Answer(meaning, f"{code} {text}")
