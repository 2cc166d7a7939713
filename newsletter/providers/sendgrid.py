"""SendGrid: up to a thousand mails in one request of its Web API, through its own Python library.

The API knows no idempotency key. So only an answer that proves that nothing was taken, or a connection that failed
before the request was handed over, lets a chunk be tried again.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from email.message import Message
from http.client import HTTPException, InvalidURL
from typing import IO, Any
from urllib.error import URLError
from urllib.request import HTTPRedirectHandler, OpenerDirector, build_opener
from urllib.request import Request as WebRequest

from python_http_client.exceptions import HTTPError
from sendgrid import SendGridAPIClient
from sendgrid.base_interface import region_host_dict

from newsletter.model.broadcast import Mailing, Outcome, OutgoingChunk, Verdict
from newsletter.providers.base import Clock
from newsletter.providers.sendgrid_answers import Reply, broken_off, not_handed_over, outcome_of, too_large
from newsletter.providers.sendgrid_request import LARGEST_REQUEST_BYTES, CompiledRequest, Request, compile_request
from newsletter.settings.provider import SendGridSettings

# Any content type but the bare `application/json` has the library send the body as it is given.
_CONTENT_TYPE = "application/json; charset=utf-8"


class SendGrid:
    """The provider that hands mail to SendGrid."""

    name = "sendgrid"
    chunk_size = 1000
    transmits = True

    def __init__(self, settings: SendGridSettings, *, api_key: str, clock: Clock) -> None:
        self._settings = settings
        self._api_key = api_key
        self._clock = clock
        # At DEBUG the library logs every header, and with them the key.
        logging.getLogger("python_http_client").setLevel(logging.INFO)

    @property
    def concurrency(self) -> int:
        """How many requests are under way at the same time."""
        return self._settings.concurrency

    def describe(self) -> str:
        """What carries the mail, for a person who is about to say yes."""
        where = self._settings.api_url or self._settings.region
        sandbox = "sandbox on: requests are validated, nothing is sent" if self._settings.sandbox else "sandbox off"
        return f"SendGrid ({where}), {sandbox}"

    @contextmanager
    def session(self) -> Iterator["SendGridSession"]:
        """A session for one thread; each request has a connection of its own."""
        yield SendGridSession(self._settings, api_key=self._api_key, clock=self._clock)


class SendGridSession:
    """A client of one thread: the library's clients share their headers, so threads must not share a client."""

    def __init__(self, settings: SendGridSettings, *, api_key: str, clock: Clock) -> None:
        self._settings = settings
        self._api_key = api_key
        self._clock = clock
        self._endpoint = _endpoint(api_key, host_of(settings))
        self._last: tuple[Mailing, CompiledRequest] | None = None

    def submit(self, chunk: OutgoingChunk) -> Outcome:
        """Hands over a chunk in one request; the answer holds for all of it."""
        request = self._compiled(chunk.mailing).request(chunk)
        if not request.recipients:
            return Outcome(verdict=Verdict.ACCEPTED, invalid=request.invalid, undeliverable=request.undeliverable)
        if len(request.body) > LARGEST_REQUEST_BYTES:
            outcome = too_large(len(request.recipients))
        else:
            outcome = self._post(request)
        return replace(
            outcome,
            invalid={**request.invalid, **outcome.invalid},
            undeliverable=request.undeliverable | outcome.undeliverable,
        )

    def _compiled(self, mailing: Mailing) -> CompiledRequest:
        if self._last is None or self._last[0] != mailing:
            self._last = (mailing, compile_request(mailing, sandbox=self._settings.sandbox))
        return self._last[1]

    def _post(self, request: Request) -> Outcome:
        secrets = (self._api_key,)
        try:
            answer = self._endpoint.post(
                request_body=request.body,
                request_headers={"Content-Type": _CONTENT_TYPE},
                timeout=self._settings.timeout_seconds,
            )
        except HTTPError as err:  # a status that is not a success
            status, headers, content = err.status_code, err.headers, err.body
        except URLError as err:  # raised while connecting or sending, never while waiting for the answer
            return not_handed_over(err.reason, secrets=secrets)
        except (UnicodeError, InvalidURL) as err:  # the host or the port of api_url cannot be one
            return not_handed_over(err, secrets=secrets)
        except (OSError, HTTPException) as err:
            return broken_off(err, secrets=secrets)
        else:
            status, headers, content = answer.status_code, answer.headers, answer.body
        reply = Reply(status=status, headers=headers, body=content, received_at=self._clock())
        return outcome_of(reply, request.recipients, sandbox=self._settings.sandbox, secrets=secrets)


class _StayingHandler(HTTPRedirectHandler):
    """Takes a redirect as the answer that it is."""

    def redirect_request(
        self, req: WebRequest, fp: IO[bytes], code: int, msg: str, headers: Message, newurl: str
    ) -> None:
        return None


def _endpoint(api_key: str, host: str) -> Any:
    """`POST /v3/mail/send` of the library, which would follow a redirect and take the key along to any host."""
    endpoint = SendGridAPIClient(api_key, host=host).client.mail.send
    opener, make_request = build_opener(_StayingHandler), endpoint._make_request

    def stay(_following: OpenerDirector, request: WebRequest, timeout: float) -> Any:
        return make_request(opener, request, timeout=timeout)

    endpoint._make_request = stay
    return endpoint


def host_of(settings: SendGridSettings) -> str:
    """Where the API is: accounts of the EU region have a host of their own."""
    return settings.api_url or str(region_host_dict[settings.region])
