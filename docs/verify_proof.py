"""Verify the proof of a broadcast, and one person's line in it. It needs Python and the package `cryptography`.

    python verify_proof.py BUNDLE [LINE]

This file is independent of the program that makes proofs, and short enough to be read before it is trusted.
"""

import base64
import hashlib
import json
import sys
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


class AlteredError(Exception):
    """Something is not as it was signed."""


def require(is_so: object, what: str) -> None:
    """Raise AlteredError unless something is so."""
    if not is_so:
        raise AlteredError(what)


def written(value: object) -> bytes:
    """Return the only bytes in which a value may be written."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def read(path: str) -> dict[str, Any]:
    """Return what is in a file, if it is written in the only way."""
    content = Path(path).read_bytes()

    def refuse(number: str) -> None:
        raise ValueError(number)

    try:
        value: Any = json.loads(content, parse_float=refuse, parse_constant=refuse)
        is_written_so = written(value) == content
    except (ValueError, RecursionError):
        value, is_written_so = {}, False
    require(is_written_so and isinstance(value, dict), f"{path} is not in the form in which proofs are written")
    return dict(value)


def binary(text: Any, length: int) -> bytes:
    """Return the bytes that a text in Base64 stands for, if there is no other way to write them."""
    try:
        value = base64.b64decode(text, validate=True)
    except (TypeError, ValueError):
        value = b""
    require(len(value) == length and base64.b64encode(value).decode() == text, "a hash, salt or key is malformed")
    return value


def verify_bundle(bundle: dict[str, Any]) -> None:
    """Check the signature of a bundle, and the fingerprint of its key."""
    require(bundle.get("format") == "newsletter-proof/1", "this is not a bundle")
    key = binary(bundle.get("key"), 32)
    fingerprint = hashlib.sha256(key).hexdigest()[:32]
    require(bundle.get("fingerprint", "").replace(" ", "") == fingerprint, "the fingerprint is not that of the key")
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(
            binary(bundle.get("signature"), 64), b"newsletter-proof/1\n" + written({**bundle, "signature": ""})
        )
    except InvalidSignature as err:
        raise AlteredError("the bundle is not as it was signed") from err


def verify_line(line: dict[str, Any], bundle: dict[str, Any]) -> None:
    """Check that a line is one of those under the root of a bundle."""
    expected = {"fields", "format", "number", "path", "root", "salt"}
    require(set(line) == expected and line["format"] == "newsletter-proof-line/1", "this is not a line")
    require(line["root"] == bundle["root"], "the line belongs to another bundle")
    number, count, path = line["number"], bundle["lines"], [binary(each, 32) for each in line["path"]]
    require(type(number) is int and 0 <= number < count, "there is no such line")
    found = hashlib.sha256(b"\0" + binary(line["salt"], 16) + written(line["fields"])).digest()
    while count > 1:
        if number ^ 1 < count:  # there is a node beside it
            require(path, "the path is too short")
            beside = path.pop(0)
            pair = beside + found if number % 2 else found + beside
            found = hashlib.sha256(b"\1" + pair).digest()
        number, count = number // 2, (count + 1) // 2
    require(not path and found == binary(bundle["root"], 32), "the line is not as it was sealed")


def main(paths: list[str]) -> int:
    """Print what is proved. Return 0, or 1 if something was altered."""
    if len(paths) not in {1, 2}:
        print(__doc__)
        return 2
    try:
        bundle = read(paths[0])
        verify_bundle(bundle)
        print("The proof is exactly as it was signed, with the key whose fingerprint is", bundle["fingerprint"])
        print(json.dumps(bundle["broadcast"], indent=2, ensure_ascii=False))
        if paths[1:]:
            line = read(paths[1])
            verify_line(line, bundle)
            print("The line belongs to this proof, and is exactly as it was sealed.")
            print(json.dumps(line["fields"], indent=2, ensure_ascii=False))
    except (AlteredError, OSError, AttributeError, KeyError, TypeError) as err:
        print(f"NOT PROVED: {err}")
        return 1
    print("Compare the fingerprint with the one that the sender publishes: anyone can sign with a key of their own.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
