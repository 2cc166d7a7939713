"""SendGrid as its tests need it: reached at the API on loopback, and asked about a chunk."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from newsletter.model.broadcast import Outcome, OutgoingChunk
from newsletter.model.ledger import UnknownChunk
from newsletter.providers.base import MessageLog, Provider, Scheduler, SuppressionLists
from tests.fakes.sendgrid_api import SendGridApi
from tests.providers.workspace import NOW, opened, sendgrid_settings

API_KEY = "SG.secret-key-of-the-tests"


@contextmanager
def standing_api() -> Iterator[SendGridApi]:
    """The API on loopback, at a standing clock."""
    with SendGridApi(api_key=API_KEY) as running:
        running.now = NOW
        yield running


def sendgrid(folder: Path, url: str, *, more: str = "") -> Provider:
    """The provider, with the key of the tests."""
    return opened(folder, sendgrid_settings(url, more=more), {"SENDGRID_API_KEY": API_KEY})


def scheduler_of(provider: Provider) -> Scheduler:
    """Its scheduler."""
    assert provider.scheduler is not None
    return provider.scheduler


def log_of(provider: Provider) -> MessageLog:
    """Its log of messages."""
    assert provider.message_log is not None
    return provider.message_log


def suppression_lists_of(provider: Provider) -> SuppressionLists:
    """Its lists of whom it does not mail."""
    assert provider.suppression_lists is not None
    return provider.suppression_lists


def submit(provider: Provider, handed: OutgoingChunk) -> Outcome:
    """Hands over a chunk in a session of its own."""
    with provider.session() as session:
        return session.submit(handed)


def unknown(*sample: str, number: int = 1, attempt: int = 1, since: datetime = NOW) -> UnknownChunk:
    """A chunk that may have been taken."""
    return UnknownChunk(
        number=number,
        attempt=attempt,
        deliveries=len(sample),
        since=since,
        reason="no answer",
        hold_until=None,
        sample=sample,
    )
