"""A finished issue: what every subscriber's mail is made from."""

import re
from collections.abc import Callable, Iterable
from hashlib import sha256
from typing import Self

from msgspec import Struct
from msgspec.structs import replace

from newsletter.model.axes import Axis, readership_of
from newsletter.model.readership import Reader, Readership
from newsletter.model.slots import Slot, Template


class Picture(Struct, frozen=True, kw_only=True):
    """One picture of the mail, named by its content."""

    name: str  # file name with a hash of the content in it: `portrait-1f0c2a9b77e1.png`
    content_type: str
    content: bytes
    width: int
    height: int
    sharp_width: int = 0  # that it would have if its source were large enough

    @property
    def content_id(self) -> str:
        """The id under which the HTML refers to the picture when it travels inside the mail (RFC 2392)."""
        return f"{self.name}@newsletter"


class RenderedVariant(Struct, frozen=True, kw_only=True):
    """One rendering, shared by all subscribers who see the same."""

    readership: Readership  # those who share it
    language: str
    subject: Template
    preheader: Template
    html: Template
    text: Template
    slots: tuple[Slot, ...]
    pictures: tuple[Picture, ...]  # those that travel inside the mail; empty where they are hosted

    @property
    def content_hash(self) -> str:
        """A SHA-256 over all that a subscriber can see, so that any edit changes it."""
        digest = sha256()
        for template in (self.subject, self.preheader, self.html, self.text):
            digest.update(repr((template.parts, template.slots)).encode())
        digest.update(repr([(slot.source.data, slot.escape) for slot in self.slots]).encode())
        for picture in self.pictures:
            digest.update(picture.content)
        return digest.hexdigest()


class RenderedIssue(Struct, frozen=True, kw_only=True):
    """An issue, rendered for those readerships that are to be judged, and for any other on demand."""

    issue: str
    axes: tuple[Axis, ...]
    fullest: RenderedVariant  # the variant that shows every section
    variants: tuple[RenderedVariant, ...]  # those to be judged: the fullest and each single value, or what people get
    pictures: tuple[Picture, ...]  # all that the issue needs, wherever they are kept
    content_hash: str  # over what the issue is made from; never over who is on the list
    variant_for: Callable[[Readership], RenderedVariant]  # renders once each
    topics: tuple[str, ...] = ()  # what it is about: who gets it depends on them

    def judged_for(self, readerships: Iterable[Readership]) -> Self:
        """Return the same issue with the variants of these readerships to be judged."""
        return replace(self, variants=tuple(self.variant_for(readership) for readership in readerships))

    def variant_of(self, reader: Reader) -> RenderedVariant:
        """Return the variant that a reader gets."""
        return self.variant_for(readership_of(reader, self.axes))


def content_hash_of(variants: Iterable[RenderedVariant], pictures: Iterable[Picture], topics: Iterable[str]) -> str:
    """Return a SHA-256 over an issue as it is rendered under every single value of its axes.

    Each section stands in one of these variants at least, and the frame in all of them, so any edit changes the hash.
    Who is on the list does not: a new subscriber may need a new variant, but no new content.
    """
    digest = sha256()
    for variant in variants:
        digest.update(repr((variant.readership.values, variant.content_hash)).encode())
    for picture in pictures:
        digest.update(picture.name.encode())
    digest.update(repr(sorted(topics)).encode())
    return digest.hexdigest()


# What the renderer writes: `cid:NAME@newsletter`, or `https://…/images/NAME` where pictures are hosted.
_PICTURE_ADDRESS = re.compile(
    r"""cid:(?P<inside>[A-Za-z0-9.-]+)@newsletter
      | https://[^\s"'()<>]+/images/(?P<hosted>[A-Za-z0-9.-]+)""",
    re.VERBOSE,
)


def with_local_pictures(html: str, pictures: Iterable[Picture], prefix: str) -> str:
    """Return the HTML with the address of each of the pictures replaced by `prefix` and the picture's name.

    Addresses of other pictures stay as they are.
    """
    own = {picture.name for picture in pictures}

    def local(match: re.Match[str]) -> str:
        name = match["inside"] or match["hosted"]
        return f"{prefix}{name}" if name in own else match[0]

    return _PICTURE_ADDRESS.sub(local, html)
