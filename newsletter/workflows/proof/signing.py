"""The key that signs proofs, its fingerprint, and the signature of a bundle (Ed25519, RFC 8032).

The key is made from NEWSLETTER_KEY. So it is in no file, and the same secret always makes the same key.
"""

from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from msgspec.structs import replace

from newsletter.model.proof import BUNDLE_FORMAT, Bundle
from newsletter.workflows.proof.encoding import NotAsWrittenError, as_bytes, as_text, canonical

_FINGERPRINT_BYTES = 16  # no one can make another key with the same 128 bits
_KEY_BYTES, _SIGNATURE_BYTES = 32, 64


def public_key_of(secret: bytes) -> bytes:
    """Return the public key that belongs to the 32 secret bytes."""
    return Ed25519PrivateKey.from_private_bytes(secret).public_key().public_bytes_raw()


def fingerprint_of(public_key: bytes) -> str:
    """Return what people compare to recognize a key: eight groups of four hexadecimal digits."""
    return sha256(public_key).digest()[:_FINGERPRINT_BYTES].hex(" ", 2)


def signed(bundle: Bundle, secret: bytes) -> Bundle:
    """Return a bundle with its signature."""
    return replace(bundle, signature=as_text(Ed25519PrivateKey.from_private_bytes(secret).sign(_message_of(bundle))))


def is_signed(bundle: Bundle) -> bool:
    """Return whether the signature was made with the bundle's own key, and whether the fingerprint is that key's."""
    try:
        key = as_bytes(bundle.key, _KEY_BYTES)
        Ed25519PublicKey.from_public_bytes(key).verify(
            as_bytes(bundle.signature, _SIGNATURE_BYTES), _message_of(bundle)
        )
    except (InvalidSignature, NotAsWrittenError, ValueError):
        return False
    return bundle.fingerprint == fingerprint_of(key)


def _message_of(bundle: Bundle) -> bytes:
    """Return what is signed: the bundle without a signature, after a line that no other signature begins with."""
    return f"{BUNDLE_FORMAT}\n".encode() + canonical(replace(bundle, signature=""))
