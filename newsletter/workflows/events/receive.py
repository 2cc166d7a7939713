"""Take in what a provider posts: check whose it is, and save what may be saved before the answer."""

from collections.abc import Callable
from datetime import datetime
from hashlib import blake2b

from newsletter.config import Config
from newsletter.model.event import DIGEST_BYTES
from newsletter.providers.sendgrid.posts import Known, mentioned_in, read_post, safe_post
from newsletter.providers.sendgrid.signature import WebhookKeys
from newsletter.store.database import Connection
from newsletter.store.events import add_totals, tracked_since
from newsletter.store.posts import add_post, ids_of, persons_of

SENDGRID = "sendgrid"


def webhook_keys(config: Config) -> WebhookKeys | None:
    """Return the keys of SendGrid's webhook, or None if none are set. Raise InputError if one is not a key."""
    texts = config.settings.provider.sendgrid.webhook_keys
    return WebhookKeys(texts) if texts else None


def keep_post(body: bytes, *, now: datetime) -> Callable[[Connection], bool]:
    """Return the change that saves a post of SendGrid's. It returns False if the same body has been saved before.

    The body has the right signature, but may be anything. Only what says nothing about who people are is saved, and
    opens and clicks only of people who have agreed to tracking.
    """
    entries, digest = read_post(body), blake2b(body, digest_size=DIGEST_BYTES).digest()
    mentioned = mentioned_in(entries)

    def change(connection: Connection) -> bool:
        known = Known(
            tracked_since=tracked_since(connection, mentioned.reacted),
            persons=persons_of(connection, mentioned.bounced),
            ids=ids_of(connection, mentioned.persons),
        )
        safe = safe_post(entries, known)
        if not add_post(connection, SENDGRID, safe.entries, digest=digest, now=now):
            return False
        add_totals(connection, safe.totals)
        return True

    return change
