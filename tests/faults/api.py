"""SendGrid's API as a run meets it: each request has its misfortune, and things happen while it is handled.

It also keeps the truth: what it took of whom, which no process of the run can know for sure.
"""

import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from random import Random
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

from tests.fakes.sendgrid_api import Answer, Fault, SendGridApi
from tests.faults.eventlog import EventLog
from tests.faults.misfortunes import Misfortune
from tests.faults.post import NO_VISIT, TakenMail, Visit

API_KEY = "SG.test-key"
_NOWHERE = "http://127.0.0.1:1"  # a port on which no server listens
_FAULTS = {
    Misfortune.NONE: Fault.NONE,
    Misfortune.BROKEN_BUT_QUEUED: Fault.QUEUE_THEN_500,
    Misfortune.RESET: Fault.RESET,
    Misfortune.RESET_BUT_QUEUED: Fault.QUEUE_THEN_RESET,
    Misfortune.TRUNCATED: Fault.TRUNCATE,
    Misfortune.HANG: Fault.HANG,
}
_PAGE = b"<html><body>upstream</body></html>"


class FaultyApi(SendGridApi):
    """The API of one run. A request is a chunk, or a call about schedules or the log."""

    name = "sendgrid"
    refused: frozenset[str] | None = None
    refused_in_a_row: list[list[str]] | None = None

    def __init__(
        self,
        *,
        misfortune: Callable[[int], Misfortune],
        log: EventLog,
        clock: Callable[[], datetime],
        timeout_seconds: float,
    ) -> None:
        super().__init__(api_key=API_KEY)
        self.schedules.name = log.path.stem  # no other run has such batches in the same database
        self.visit: Visit = NO_VISIT
        self.clock = clock
        self._misfortune = misfortune
        self._timeout_seconds = timeout_seconds  # of the client
        self._log = log
        self._request = threading.local()
        self._busy = 0
        self._changed = threading.Condition()

    def __enter__(self) -> "FaultyApi":
        super().__enter__()
        accept, serve = self._server.process_request, self._server.process_request_thread

        def counted_accept(request: Any, client: Any) -> None:
            self._count(1)
            accept(request, client)

        def counted_serve(request: Any, client: Any) -> None:
            self._request.hangs = False
            try:
                serve(request, client)
            finally:
                if not self._request.hangs:
                    self._count(-1)

        self._server.process_request = counted_accept
        self._server.process_request_thread = counted_serve
        return self

    @property
    def settings(self) -> Mapping[str, Any]:
        """The API's table in the settings."""
        return {"api_url": self.url, "timeout_seconds": self._timeout_seconds}

    @property
    def elsewhere(self) -> Mapping[str, Any]:
        """The table of an API that cannot be reached."""
        return {**self.settings, "api_url": _NOWHERE}

    def next_step(self) -> Fault | Answer:
        """What the plan has for the next request."""
        with self.lock:
            self.requests += 1
            number = self.requests
        self._request.number = number
        self.visit(number, False)
        misfortune = self._misfortune(number)
        self._log.write("request", number=number, answer=misfortune)
        return _FAULTS[misfortune] if misfortune in _FAULTS else _answer(misfortune, number)

    def hang(self) -> None:
        """Keeps the client waiting until the run ends; nothing comes of it."""
        self._request.hangs = True
        self._count(-1)
        super().hang()

    def queue(self, request: Mapping[str, Any], body: bytes) -> str:
        """Take the emails of a valid request."""
        message_id = super().queue(request, body)
        first = request["personalizations"][0]["custom_args"]
        self._log.write(
            "queued",
            number=self._request.number,
            broadcast=first["nl_broadcast"],
            chunk=first["nl_chunk"],
            attempt=first["nl_attempt"],
            size=len(request["personalizations"]),
        )
        self.visit(self._request.number, True)
        return message_id

    def settle(self) -> None:
        """Waits until no request is on its way or being handled, but those that hang.

        A killed process may have left requests behind that are still to be read. Requests are accepted in their order,
        so that all of them are known once one of our own has its answer.
        """
        with suppress(HTTPError):  # there is nothing at this address
            urlopen(self.url, timeout=30)
        with self._changed:
            if not self._changed.wait_for(lambda: self._busy == 0, 30):
                raise TimeoutError("the API is still at work")

    def mails(self) -> list[TakenMail]:
        """All that was queued so far."""
        with self.lock:
            return [
                TakenMail(
                    email=mail.email,
                    mailing=mail.custom_args["nl_broadcast"],
                    request=(int(mail.custom_args["nl_chunk"]), int(mail.custom_args["nl_attempt"])),
                    leaves_at=mail.leaves_at if mail.is_held else None,
                    is_given_back=not self.schedules.leaves(mail),
                )
                for mail in self.accepted
            ]

    def _count(self, change: int) -> None:
        with self._changed:
            self._busy += change
            self._changed.notify_all()


def _answer(misfortune: Misfortune, number: int) -> Answer:
    """An answer of the API, none of which says that mail was queued."""
    draw = Random(number)
    return _ANSWERS[misfortune](draw)


def _of(*indices: int) -> bytes:
    errors = [
        f'{{"message": "Does not contain a valid address.", "field": "personalizations.{index}.to.0.email"}}'
        for index in indices
    ]
    return f'{{"errors": [{", ".join(errors)}]}}'.encode()


_ANSWERS: dict[Misfortune, Callable[[Random], Answer]] = {
    Misfortune.INVALID_ONE: lambda _: Answer(status=400, body=_of(0)),
    Misfortune.INVALID_SEVERAL: lambda draw: Answer(status=400, body=_of(*range(draw.randint(2, 3)))),
    Misfortune.REFUSED: lambda _: Answer.error(400, "The from address does not match a verified Sender.", of="from"),
    Misfortune.NOT_JSON: lambda _: Answer.error(415, "Content-Type should be application/json."),
    Misfortune.TOO_LARGE: lambda _: Answer.error(413, "Payload too large"),
    Misfortune.NO_CREDITS: lambda _: Answer.error(401, "Maximum credits exceeded"),
    Misfortune.FORBIDDEN: lambda _: Answer.error(403, "access forbidden"),
    Misfortune.NOT_FOUND: lambda _: Answer(status=404, body=_PAGE),
    Misfortune.NOT_ALLOWED: lambda _: Answer(status=405, body=_PAGE),
    Misfortune.MOVED: lambda _: Answer(status=302, headers={"Location": "http://127.0.0.1:1/"}),
    Misfortune.SLOW_DOWN: lambda _: Answer.error(429, "too many requests"),
    Misfortune.SLOW_DOWN_UNTIL: lambda _: Answer.error(
        429, "too many requests", X_RateLimit_Reset=str(int(time.time()) + 1)
    ),
    Misfortune.BROKEN: lambda draw: Answer(status=draw.choice((500, 502, 503, 504)), body=_PAGE),
    Misfortune.NOT_202: lambda _: Answer(status=200, body=_PAGE),
}
