"""Keep the content of an issue that someone approved, to show later how the issue has changed since then.

An approval itself is only a hash. The content is a file in the workspace's folder of built files, so it can be deleted
at any time: the studio then says that the approved content was not kept.
"""

import logging
import re
import zlib
from contextlib import suppress
from pathlib import Path

import msgspec
from msgspec import Struct

from newsletter.config import Config
from newsletter.model.rendered import RenderedVariant
from newsletter.model.review import LONGEST_WORDS, ReviewPicture, ShownBlock, ShownVariant
from newsletter.store.database import Connection
from newsletter.store.reviews import open_review_of, pictures_of, snapshot_with
from newsletter.system.files import PRIVATE, write_whole
from newsletter.workflows.compose.compose import BUILD_FOLDER, Composed
from newsletter.workflows.compose.placed import BLOCK_ATTRIBUTE, PLACE_ATTRIBUTE, place_blocks
from newsletter.workflows.compose.sample import sample_mail

APPROVED_FOLDER = ".approved"
_MOST_FILES = 60
_MOST_BYTES = 64_000_000  # of one file, unpacked
_PLACE = re.compile(rf'(<[\w:-]+) {PLACE_ATTRIBUTE}="[^"]*"(?= {BLOCK_ATTRIBUTE}=)')
_HASH = re.compile(r"[0-9a-f]{64}")
_log = logging.getLogger(__name__)


class KeptContent(Struct, frozen=True, kw_only=True):
    """The versions of an issue as they were, with their images."""

    variants: tuple[ShownVariant, ...]
    pictures: tuple[ReviewPicture, ...]


def content_now(composed: Composed) -> KeptContent:
    """Return the versions of an issue as they are now, as a reader about whom nothing is known would receive them."""
    pictures = composed.rendered.pictures
    return KeptContent(
        variants=shown_variants(composed),
        pictures=tuple(ReviewPicture(each.name, each.content_type, each.content) for each in pictures),
    )


def shown_variants(composed: Composed) -> tuple[ShownVariant, ...]:
    """Return the versions of an issue with the number of each block in their HTML. The fullest is the first."""
    variants = composed.rendered.variants
    return tuple(_shown(composed, each, is_one_of_many=len(variants) > 1) for each in variants)


def _shown(composed: Composed, variant: RenderedVariant, *, is_one_of_many: bool) -> ShownVariant:
    placed = place_blocks(composed, variant)
    mail = sample_mail(composed.subject.config, placed.variant)
    blocks = (ShownBlock(each.place.path, each.place.line, shortened_words(each.words)) for each in placed.blocks)
    return ShownVariant(
        label=variant.readership.label if is_one_of_many else "",
        subject=mail.subject,
        preheader=mail.preheader,
        html=_PLACE.sub(r"\1", mail.html),
        text=mail.text,
        blocks=tuple(blocks),
    )


def shortened_words(words: str) -> str:
    """Return the words of a block as they are kept. A long one ends with a whole word."""
    if len(words) <= LONGEST_WORDS:
        return words
    return f"{words[:LONGEST_WORDS].rpartition(' ')[0] or words[:LONGEST_WORDS]} …"


def keep_approved(composed: Composed) -> None:
    """Keep the content that is being approved. If it cannot be written, the approval still counts."""
    folder = _folder(composed.subject.config)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        content = zlib.compress(msgspec.msgpack.encode(content_now(composed)))
        write_whole(folder / composed.rendered.content_hash, content, permissions=PRIVATE)
        _delete_oldest(folder)
    except OSError as err:
        _log.info("the approved content was not kept", exc_info=err)


def find_kept(config: Config, connection: Connection, issue: str, content_hash: str) -> KeptContent | None:
    """Return the content with a hash, or None if it was not kept on this machine and reviewers were not shown it."""
    return _in_folder(config, content_hash) or _in_reviews(connection, issue, content_hash)


def _in_folder(config: Config, content_hash: str) -> KeptContent | None:
    path = _folder(config) / content_hash
    if not _HASH.fullmatch(content_hash) or path.is_symlink():
        return None
    try:
        unpacked = zlib.decompressobj().decompress(path.read_bytes(), _MOST_BYTES)
        return msgspec.msgpack.decode(unpacked, type=KeptContent)
    except (OSError, zlib.error, msgspec.DecodeError, ValueError):
        return None


def _in_reviews(connection: Connection, issue: str, content_hash: str) -> KeptContent | None:
    snapshot = snapshot_with(connection, issue, content_hash)
    if snapshot is None:
        return None
    review = open_review_of(connection, issue)
    is_same = review is not None and review.content_hash == content_hash
    pictures = pictures_of(connection, review.id) if review is not None and is_same else []
    return KeptContent(variants=snapshot.variants, pictures=tuple(pictures))


def _delete_oldest(folder: Path) -> None:
    files = sorted(folder.iterdir(), key=lambda path: path.lstat().st_mtime_ns)
    for path in files[:-_MOST_FILES]:
        with suppress(OSError):
            path.unlink()


def _folder(config: Config) -> Path:
    return config.root / BUILD_FOLDER / APPROVED_FOLDER
