"""Every provider with what it hands mail to, for the contract suite: one entry in `CARRIERS` for each."""

import base64
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from newsletter.providers.base import Provider
from tests.fakes.sendgrid_api import AcceptedMail, SendGridApi
from tests.providers.mailings import Received, received
from tests.providers.smtp_server import PASSWORD, Behavior, SmtpServer
from tests.providers.workspace import opened, sendgrid_settings, smtp_settings

API_KEY = "SG.contract-key"


@dataclass(frozen=True, kw_only=True)
class Carrier:
    """A provider, and the way to read what has arrived: in the order of arrival, or of the file names."""

    provider: Provider
    arrived: Callable[[], list[Received]]
    mark: str = "Message-ID"  # the header that is the same if an email is submitted again


# Given the test's fixtures and a folder for the workspace, an entry opens the provider for the length of a block.
Entry = Callable[[pytest.FixtureRequest, Path], AbstractContextManager[Carrier]]


# The entries:


@contextmanager
def _outbox(_request: pytest.FixtureRequest, folder: Path) -> Iterator[Carrier]:
    provider = opened(folder, '[provider]\nuse = "outbox"\n')
    yield Carrier(
        provider=provider,
        arrived=lambda: [received(path.read_bytes()) for path in sorted((folder / "outbox").rglob("*.eml"))],
    )


@contextmanager
def _smtp(_request: pytest.FixtureRequest, folder: Path, *, extensions: tuple[str, ...] = ()) -> Iterator[Carrier]:
    with SmtpServer(behavior=Behavior(extensions=extensions)) as server:
        provider = opened(folder, smtp_settings(server.port))
        yield Carrier(provider=provider, arrived=lambda: [received(mail.content) for mail in server.taken])


@contextmanager
def _smtp_starttls(request: pytest.FixtureRequest, folder: Path) -> Iterator[Carrier]:
    request.getfixturevalue("trusted")
    with SmtpServer(tls=request.getfixturevalue("server_tls"), demands_login=True) as server:
        settings = smtp_settings(server.port, host="localhost", security="starttls", more='username = "letter"')
        provider = opened(folder, settings, {"NEWSLETTER_SMTP_PASSWORD": PASSWORD})
        yield Carrier(provider=provider, arrived=lambda: [received(mail.content) for mail in server.taken])
        assert all(mail.was_encrypted and mail.was_authenticated for mail in server.taken)


@contextmanager
def _sendgrid(_request: pytest.FixtureRequest, folder: Path) -> Iterator[Carrier]:
    with SendGridApi(api_key=API_KEY) as api:
        provider = opened(folder, sendgrid_settings(api.url), {"SENDGRID_API_KEY": API_KEY})
        # SendGrid makes its own message ids; the delivery's number comes back with every event.
        yield Carrier(
            provider=provider, arrived=lambda: [_received_of(mail) for mail in api.accepted], mark="nl_delivery"
        )


def _received_of(mail: AcceptedMail) -> Received:
    return Received(
        to=mail.email,
        to_name=mail.name,
        sender=mail.sender,
        reply_to=mail.reply_to,
        subject=mail.subject,
        html=mail.html.replace("\r\n", "\n"),
        text=mail.text.replace("\r\n", "\n"),
        headers={**mail.headers, **mail.custom_args},
        pictures={part["content_id"]: base64.b64decode(part["content"]) for part in mail.attachments},
    )


# The provider's name, with a word after a dash if it is tested in several ways.
CARRIERS: dict[str, Entry] = {
    "outbox": _outbox,
    "smtp": _smtp,
    "smtp-pipelined": partial(_smtp, extensions=("PIPELINING",)),
    "smtp-starttls": _smtp_starttls,
    "sendgrid": _sendgrid,
}
