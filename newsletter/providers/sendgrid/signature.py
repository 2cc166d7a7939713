"""The signature of SendGrid's Event Webhook.

It is made with ECDSA on the curve P-256 over SHA-256 of the timestamp's digits and the body, with nothing between them
(https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/getting-started-event-webhook-security-features).
"""

import re
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from newsletter.errors import InputError

SIGNATURE_HEADER = "X-Twilio-Email-Event-Webhook-Signature"
TIMESTAMP_HEADER = "X-Twilio-Email-Event-Webhook-Timestamp"
# SendGrid repeats a post for 24 hours, and does not say whether it then signs it again.
OLDEST, FURTHEST_AHEAD = timedelta(hours=25), timedelta(minutes=10)
_TIMESTAMP = re.compile(r"[0-9]{10}", re.ASCII)  # with fewer digits, the last one could be moved into the body
_LONGEST_SIGNATURE = 200  # characters; this curve needs at most 96
_SCHEME = ECDSA(SHA256())


class WebhookKeys:
    """The public keys of a webhook. While a key is being replaced, there are two."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._keys = tuple(_public_key(text) for text in texts)

    def have_signed(self, body: bytes, *, signature: str, timestamp: str, now: datetime) -> bool:
        """Return whether one of the keys signed the body, and at a time that is not too far from now."""
        if not _TIMESTAMP.fullmatch(timestamp) or len(signature) > _LONGEST_SIGNATURE:
            return False
        if not -FURTHEST_AHEAD <= now - datetime.fromtimestamp(int(timestamp), UTC) <= OLDEST:
            return False
        try:
            signed = b64decode(signature, validate=True)
        except ValueError:  # also for what is not base64, or not ASCII
            return False
        text = timestamp.encode() + body
        return any(_has_signed(key, signed, text) for key in self._keys)


def _has_signed(key: EllipticCurvePublicKey, signed: bytes, text: bytes) -> bool:
    try:
        key.verify(signed, text, _SCHEME)
    except InvalidSignature:
        return False
    return True


def _public_key(text: str) -> EllipticCurvePublicKey:
    """Return a key from the base64 text that SendGrid shows. Raise InputError if it is not one."""
    try:
        key = load_der_public_key(b64decode(text, validate=True))
    except (ValueError, Base64Error) as err:
        raise _not_a_key(text) from err
    if not isinstance(key, EllipticCurvePublicKey) or not isinstance(key.curve, SECP256R1):
        raise _not_a_key(text)
    return key


def _not_a_key(text: str) -> InputError:
    return InputError(
        f"webhook_keys under [provider.sendgrid] in newsletter.toml: {text[:20]}… is not a public key of SendGrid's "
        "Event Webhook; copy the verification key from the webhook's page in SendGrid, without spaces"
    )
