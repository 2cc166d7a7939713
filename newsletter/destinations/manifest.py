"""The list of what we have written to a place. Only what it names is ever deleted.

It lies beside the pages, where everyone can read it. So it names each file by a digest of its path: otherwise it would
list the addresses of issues that only people with a link shall find.
"""

from collections.abc import Iterable, Mapping
from functools import cached_property
from hashlib import blake2b

import msgspec
from msgspec import Struct

from newsletter.destinations.site_kinds import headers_of, is_picture, order_of
from newsletter.errors import InputError
from newsletter.model.site_files import SiteFile
from newsletter.system.contained import plain_parts

MANIFEST = ".newsletter-site.json"
_PENDING = ""  # the digest of a file that is about to be written or deleted
_DIGEST_BYTES = 16
_IMAGE = "image "


class Manifest(Struct, frozen=True):
    """What we have written: the digests of each path, and of its content with its headers."""

    files: Mapping[str, str] = {}
    format: int = 1

    def written(self) -> bytes:
        """Return the file."""
        return msgspec.json.format(msgspec.json.encode(self, order="sorted"), indent=0)


class WantedFile:
    """A file that the site shall have."""

    def __init__(self, file: SiteFile) -> None:
        self.path, self.content, self.headers = file.path, file.content, headers_of(file.path)
        self.key = key_of(file.path)

    @cached_property
    def digest(self) -> str:
        """The digest of the content and the headers."""
        head = f"{self.headers.content_type}\n{self.headers.cache_control}\n".encode()
        return blake2b(head + self.content, digest_size=_DIGEST_BYTES).hexdigest()


class SiteChange(Struct, frozen=True, kw_only=True):
    """What is to be done at a place, in this order."""

    manifest: Manifest  # as it is there now
    added: tuple[WantedFile, ...] = ()
    changed: tuple[WantedFile, ...] = ()
    unchanged: tuple[WantedFile, ...] = ()
    removed: tuple[str, ...] = ()  # paths
    forgotten: frozenset[str] = frozenset()  # what the manifest need not name any more

    @property
    def writes(self) -> tuple[WantedFile, ...]:
        """The files to write: new ones first, because a changed page may lead to a new one."""
        return self.added + self.changed

    def claimed(self) -> Manifest:
        """Return the manifest before anything is written: it names all that will be there, so nothing gets lost."""
        return Manifest({**self.manifest.files, **dict.fromkeys((each.key for each in self.writes), _PENDING)})

    def published(self) -> Manifest:
        """Return the manifest after everything is written, which still names what is to be deleted."""
        return Manifest({**self.manifest.files, **{each.key: each.digest for each in self.writes}})

    def settled(self) -> Manifest:
        """Return the manifest at the end."""
        return Manifest({key: value for key, value in self.published().files.items() if key not in self.forgotten})


def read_manifest(content: bytes, shown: str) -> Manifest:
    """Return the manifest of a place. Raise InputError if it is not one that this version can read."""
    try:
        manifest = msgspec.json.decode(content, type=Manifest)
        if manifest.format == 1:
            return manifest
    except msgspec.MsgspecError:
        pass
    raise InputError(
        f"{MANIFEST} in {shown} cannot be read, so what may be replaced there is not known; restore it, or publish to "
        "an empty place"
    )


def wanted_files(files: Iterable[SiteFile]) -> tuple[WantedFile, ...]:
    """Return the files in the order in which they are written. Raise InputError if a path is used twice."""
    wanted: dict[str, WantedFile] = {}
    for file in files:
        if "/".join(plain_parts(file.path)) != file.path or file.path in wanted:
            raise InputError(f"two files of the archive would be {file.path}; rename an issue or an event")
        wanted[file.path] = WantedFile(file)
    return tuple(sorted(wanted.values(), key=lambda each: (order_of(each.path), each.path)))


def compared(wanted: tuple[WantedFile, ...], manifest: Manifest, *, again: bool = False) -> SiteChange:
    """Return what differs from the manifest. With `again`, every file counts as changed. Nothing is removed yet."""
    before = manifest.files
    return SiteChange(
        manifest=manifest,
        added=tuple(each for each in wanted if each.key not in before),
        changed=tuple(each for each in wanted if each.key in before and (again or before[each.key] != each.digest)),
        unchanged=tuple(each for each in wanted if not again and before.get(each.key) == each.digest),
        forgotten=frozenset(key for key in before.keys() - {each.key for each in wanted} if not _is_image(key)),
    )


def key_of(path: str) -> str:
    """Return how the manifest names a path. An image has another prefix, because it is never deleted."""
    digest = blake2b(path.encode(), digest_size=_DIGEST_BYTES).hexdigest()
    return f"{_IMAGE}{digest}" if is_picture(path) else digest


def _is_image(key: str) -> bool:
    return key.startswith(_IMAGE)
