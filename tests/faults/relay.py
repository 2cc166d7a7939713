"""An SMTP relay as a run meets it: each email has its misfortune, and things happen while it is handled.

It also keeps the truth: which addresses it took email for, and which it refused.
"""

import re
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from tests.faults.eventlog import EventLog
from tests.faults.misfortunes import Mishap
from tests.faults.post import NO_VISIT, TakenMail, Visit
from tests.faults.smtp_relay import Answer, Break, Dialogue, SmtpRelay

_MESSAGE_ID = re.compile(rb"^Message-ID: <(b\d+-[0-9a-f]+)\.\d+@", re.MULTILINE)
_NOWHERE = 1  # a port on which no server listens
_AFTER_MAIL = {
    Mishap.CLOSING: "421 4.3.2 shutting down",
    Mishap.SENDER: "550 5.7.1 sender not allowed",
}
_AFTER_RCPT: Mapping[Mishap, Answer] = {
    Mishap.NO_SUCH_USER: "550 5.1.1 no such user",
    Mishap.DEFERRED: "450 4.2.0 greylisted, come back later",
    Mishap.QUOTA: "550 5.4.5 daily user sending quota exceeded",
    Mishap.BLOCKED: "550 5.7.1 not accepted",
    Mishap.RESET_EARLY: Break.RESET,
}
_AFTER_CONTENT: Mapping[Mishap, Answer] = {
    Mishap.POLICY: "550 5.7.1 not accepted by policy",
    Mishap.DEFERRED_LATE: "451 4.3.0 try again later",
    Mishap.CLOSING_LATE: "421 4.3.2 shutting down",
    Mishap.MESSAGE: "554 5.6.0 malformed message",
    Mishap.RESET: Break.RESET,
    Mishap.RESET_BUT_TAKEN: Break.RESET,
    Mishap.GARBAGE_BUT_TAKEN: "what?",
    Mishap.HANG_BUT_TAKEN: Break.HANG,
}
_TAKEN = frozenset({Mishap.NONE, Mishap.RESET_BUT_TAKEN, Mishap.GARBAGE_BUT_TAKEN, Mishap.HANG_BUT_TAKEN})
_TO_EVERYONE = frozenset({Mishap.QUOTA, Mishap.BLOCKED})
_EMAILS_REFUSED = 30  # one after the other, for any recipients
_BY_POLICY = frozenset({Mishap.POLICY, Mishap.BLOCKED})


class FaultyRelay(SmtpRelay):
    """The relay of one run. A request is an email."""

    name = "smtp"

    def __init__(
        self,
        *,
        misfortune: Callable[[int], Mishap],
        deferrals: Callable[[str], int],
        is_calm: Callable[[], bool],
        log: EventLog,
        timeout_seconds: float,
    ) -> None:
        super().__init__()
        self.visit: Visit = NO_VISIT
        self._misfortune = misfortune
        self._timeout_seconds = timeout_seconds  # of the client
        self._deferrals = deferrals  # how often someone is deferred before their mailbox takes the email
        self._log = log
        self._taken: list[TakenMail] = []
        self._strangers: set[str] = set()
        self._deferred: Counter[str] = Counter()
        self._is_calm = is_calm
        self._ours: Mishap | None = None  # what all emails are refused for
        self._left_to_refuse = 0
        self._refusals: Counter[str] = Counter()  # by person, for whatever reason
        # People who were refused by policy at their first try, a list for the time between two that were taken.
        self._in_a_row: list[list[str]] = [[]]

    @property
    def settings(self) -> Mapping[str, Any]:
        """The relay's table in the settings."""
        return {"host": "127.0.0.1", "port": self.port, "security": "none", "timeout_seconds": self._timeout_seconds}

    @property
    def elsewhere(self) -> Mapping[str, Any]:
        """The table of a relay that cannot be reached."""
        return {**self.settings, "port": _NOWHERE}

    @property
    def refused(self) -> frozenset[str] | None:
        """Whom the relay has refused in person."""
        with self.lock:
            return frozenset(self._strangers)

    @property
    def refused_in_a_row(self) -> list[list[str]]:
        """People who were refused once, by policy, with nothing taken between them."""
        with self.lock:
            return [[each for each in people if self._refusals[each] == 1] for people in self._in_a_row]

    def mails(self) -> list[TakenMail]:
        """All that was taken so far."""
        with self.lock:
            return list(self._taken)

    def on_mail(self, dialogue: Dialogue) -> Answer:
        """Answer MAIL FROM."""
        self.visit(dialogue.number, False)
        return _AFTER_MAIL.get(self._mishap(dialogue), super().on_mail(dialogue))

    def on_rcpt(self, dialogue: Dialogue) -> Answer:
        """Answer RCPT TO. An address that does not exist never will, and most deferrals end after a while."""
        email, mishap = dialogue.recipient, self._mishap(dialogue)
        with self.lock:
            if mishap in _TO_EVERYONE:
                self._ours, self._left_to_refuse = mishap, _EMAILS_REFUSED
            if self._ours is not None and self._left_to_refuse and not self._is_calm():
                self._left_to_refuse -= 1
                return self._refuse(email, self._ours)
            if mishap is Mishap.NO_SUCH_USER:
                self._strangers.add(email)
            elif self._deferred[email] < self._deferrals(email):
                self._deferred[email] += 1
                return self._refuse(email, Mishap.DEFERRED)
            if mishap in _AFTER_RCPT:
                return self._refuse(email, mishap)
        return super().on_rcpt(dialogue)

    def on_content(self, dialogue: Dialogue) -> Answer:
        """Answer the final dot, and take the email unless it is refused."""
        mishap = self._mishap(dialogue)
        if mishap in _TAKEN:
            found = _MESSAGE_ID.search(dialogue.content)
            mailing = found[1].decode() if found else ""
            with self.lock:
                self._taken.append(TakenMail(email=dialogue.recipient, mailing=mailing))
                self._in_a_row.append([])
            self._log.write("taken", number=dialogue.number, email=dialogue.recipient, answer=mishap)
            self.visit(dialogue.number, True)
        elif mishap in _AFTER_CONTENT:
            with self.lock:
                self._refuse(dialogue.recipient, mishap)
        return _AFTER_CONTENT.get(mishap, super().on_content(dialogue))

    def _refuse(self, email: str, mishap: Mishap) -> Answer:
        """Take note of a refusal, and return its words."""
        self._refusals[email] += 1
        if mishap in _BY_POLICY and self._refusals[email] == 1:
            self._in_a_row[-1].append(email)
        return _AFTER_RCPT.get(mishap) or _AFTER_CONTENT[mishap]

    def _mishap(self, dialogue: Dialogue) -> Mishap:
        return self._misfortune(dialogue.number)
