"""Agree to tracking, and withdraw. Every page and form with which people do so saves the same proof."""

from datetime import datetime

from newsletter.config import Config
from newsletter.model.columns import SubscriberRecord
from newsletter.model.readership import TrackingMode
from newsletter.store.database import Connection
from newsletter.store.preferences import keep_tracking_choice
from newsletter.store.tracking import agree_to_tracking, withdraw_tracking

_WORDING = "1"  # increase it when the words change in which people agree to tracking


def is_tracking_asked(config: Config, record: SubscriberRecord) -> bool:
    """Return whether a page offers someone a choice: if consent is of use, or if there is one to withdraw."""
    return config.settings.tracking.mode is TrackingMode.CONSENTED or record.tracking_consented_at is not None


def wording_of_page(language: str) -> str:
    """Return the version of the words about tracking on the pages for subscribers, in a language."""
    return f"{_WORDING} {language}"


def choose_tracking(connection: Connection, subscriber_id: int, *, agrees: bool, wording: str, now: datetime) -> None:
    """Save that someone agrees to tracking or withdraws, with the proof, if it is not on record already.

    A withdrawal also deletes which broadcasts they opened and clicked. `wording` is the version of the words that they
    saw.
    """
    if agrees:
        has_changed = agree_to_tracking(connection, subscriber_id, now=now)
    else:
        has_changed = withdraw_tracking(connection, subscriber_id)
    if has_changed:
        keep_tracking_choice(connection, subscriber_id, agrees=agrees, wording=wording, now=now)
