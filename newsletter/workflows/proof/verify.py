"""Verify a proof from its files alone: no workspace, no database, no internet."""

from pathlib import Path

from msgspec import Struct

from newsletter.errors import NotProvedError
from newsletter.model.merkle import HASH_BYTES, SALT_BYTES, leaf_of, root_from
from newsletter.model.proof import BUNDLE_FORMAT, LINE_FORMAT, Bundle, ProofLine
from newsletter.workflows.proof.encoding import NotAsWrittenError, as_bytes, canonical, read_bounded, read_canonical
from newsletter.workflows.proof.signing import is_signed

_LARGEST_BUNDLE, _LARGEST_LINE = 200_000_000, 100_000  # bytes


class VerifiedProof(Struct, frozen=True, kw_only=True):
    """A bundle whose signature is right, and perhaps a line that belongs to it."""

    bundle: Bundle
    line: ProofLine | None


def verify_proof(bundle: Path, line: Path | None, *, fingerprint: str = "") -> VerifiedProof:
    """Return what the files say if all of it is proved.

    With a `fingerprint`, the key must have it. Raise NotProvedError if anything was altered or does not belong
    together, and InputError if a file cannot be read.
    """
    stated = _bundle(read_bounded(bundle, most=_LARGEST_BUNDLE), str(bundle))
    if fingerprint and "".join(fingerprint.split()).lower() != "".join(stated.fingerprint.split()):
        raise NotProvedError(
            f"{bundle} was signed with another key, whose fingerprint is {stated.fingerprint}; ask the sender of the "
            "newsletter which of the two is theirs"
        )
    if line is None:
        return VerifiedProof(bundle=stated, line=None)
    return VerifiedProof(bundle=stated, line=_line(read_bounded(line, most=_LARGEST_LINE), str(line), stated))


def _bundle(content: bytes, shown: str) -> Bundle:
    try:
        found = read_canonical(content, Bundle)
        if found.format == BUNDLE_FORMAT and is_signed(found):
            return found
    except NotAsWrittenError:
        pass
    raise NotProvedError(f"{shown} is not a bundle as it was signed; it was altered or damaged, so ask for it again")


def _line(content: bytes, shown: str, bundle: Bundle) -> ProofLine:
    try:
        found = read_canonical(content, ProofLine)
        leaf = leaf_of(as_bytes(found.salt, SALT_BYTES), canonical(found.fields))
        path = [as_bytes(each, HASH_BYTES) for each in found.path]
        root = root_from(leaf, found.number, bundle.lines, path)
        if found.format == LINE_FORMAT and root == as_bytes(bundle.root, HASH_BYTES) and found.root == bundle.root:
            return found
    except NotAsWrittenError:
        pass
    raise NotProvedError(
        f"{shown} does not belong to this bundle as it is; it was altered, or opens a line of another one, so ask for "
        "both again"
    )
