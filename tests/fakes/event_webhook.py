"""SendGrid's Event Webhook as it posts: signed with a key of its own, as its documentation describes."""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import orjson
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat


@dataclass(frozen=True, slots=True)
class EventWebhook:
    """A webhook and its pair of keys."""

    key: EllipticCurvePrivateKey = field(default_factory=lambda: generate_private_key(SECP256R1()))

    @property
    def public_key(self) -> str:
        """The text that SendGrid shows for `webhook_keys`."""
        encoded = self.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return b64encode(encoded).decode()

    def headers(self, body: bytes, *, at: datetime) -> Mapping[str, str]:
        """The headers of a post at a moment."""
        timestamp = f"{int(at.timestamp())}"
        signature = self.key.sign(timestamp.encode() + body, ECDSA(SHA256()))
        return {
            "Content-Type": "application/json;charset=utf-8",
            "User-Agent": "SendGrid Event API",
            "X-Twilio-Email-Event-Webhook-Signature": b64encode(signature).decode(),
            "X-Twilio-Email-Event-Webhook-Timestamp": timestamp,
        }


def body_of(*entries: object) -> bytes:
    """A body as SendGrid writes it: one event a line, and a line break at the end."""
    return b"[" + b",\r\n".join(map(orjson.dumps, entries)) + b"]\r\n"
