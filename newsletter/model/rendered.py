"""A rendered issue, from which every subscriber's email is made."""

import re
from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping
from hashlib import sha256
from typing import Self

from msgspec import Struct
from msgspec.structs import replace

from newsletter.model.axes import Axis, readership_of
from newsletter.model.readership import Reader, Readership
from newsletter.model.site_addresses import PICTURES
from newsletter.model.slots import Slot, Template
from newsletter.model.told import ToldEvent


class Picture(Struct, frozen=True, kw_only=True):
    """One image of the email, named after its content."""

    name: str  # a file name that contains a hash of the content: `portrait-1f0c2a9b77e1.png`
    content_type: str
    content: bytes
    width: int
    height: int
    sharp_width: int = 0  # the width that it would have if the original were large enough
    original: str = ""  # the path of the user's file; empty in a frozen broadcast

    @property
    def content_id(self) -> str:
        """Return the id by which the HTML refers to the image if it is part of the email (RFC 2392)."""
        return f"{self.name}@newsletter"


class RenderedVariant(Struct, frozen=True, kw_only=True):
    """One rendering, shared by all subscribers who see the same content."""

    readership: Readership  # the readers who get it
    language: str
    subject: Template
    preheader: Template
    html: Template
    text: Template
    slots: tuple[Slot, ...]
    pictures: tuple[Picture, ...]  # the images in the email itself; empty if images are hosted
    told: tuple[ToldEvent, ...] = ()  # what it tells about events; not saved with it, but in tables of its own

    @property
    def content_hash(self) -> str:
        """Return a SHA-256 of everything that a subscriber can see. Any edit changes it."""
        digest = sha256()
        for template in (self.subject, self.preheader, self.html, self.text):
            digest.update(repr((template.parts, template.slots)).encode())
        digest.update(repr([(slot.source.data, slot.escape) for slot in self.slots]).encode())
        for picture in self.pictures:
            digest.update(picture.content)
        return digest.hexdigest()


class RenderedIssue(Struct, frozen=True, kw_only=True):
    """An issue, rendered for the readerships to check. Other readerships are rendered on demand."""

    issue: str
    axes: tuple[Axis, ...]
    fullest: RenderedVariant  # the variant that shows every section
    variants: tuple[RenderedVariant, ...]  # those to check, with the fullest first, or those that people get
    pictures: tuple[Picture, ...]  # all images that the issue needs, hosted or not
    judged: tuple[RenderedVariant, ...]  # one for every value of the axes, so that they contain everything
    variant_for: Callable[[Readership], RenderedVariant]  # renders each variant once
    topics: tuple[str, ...] = ()  # subscribers who left all of these do not get it

    @property
    def content_hash(self) -> str:
        """Return the hash of everything that the issue is made from, without the subscribers."""
        return content_hash_of(self.judged, self.pictures, self.topics)

    def judged_for(self, readerships: Iterable[Readership]) -> Self:
        """Return the same issue, but with the variants of these readerships as the ones to check."""
        return replace(self, variants=tuple(self.variant_for(readership) for readership in readerships))

    def variant_of(self, reader: Reader) -> RenderedVariant:
        """Return the variant that a reader gets."""
        return self.variant_for(readership_of(reader, self.axes))


def content_hash_of(variants: Iterable[RenderedVariant], pictures: Iterable[Picture], topics: Iterable[str]) -> str:
    """Return a SHA-256 of an issue, given the variants for every value of its axes.

    Each section is in at least one of these variants, and the frame is in all of them, so any edit changes the hash.
    The list does not affect it: a new subscriber may need a new variant, but no new content.
    """
    digest = sha256()
    for variant in variants:
        digest.update(repr((variant.readership.values, variant.content_hash)).encode())
    for picture in pictures:
        digest.update(picture.name.encode())
    digest.update(repr(sorted(topics)).encode())
    return digest.hexdigest()


# The image URLs that the renderer writes: `cid:NAME@newsletter`, or `https://…/i/NAME` if images are hosted.
_PICTURE_ADDRESS = re.compile(
    rf"""cid:(?P<inside>[A-Za-z0-9.-]+)@newsletter
      | https://[^\s"'()<>]+/{PICTURES}/(?P<hosted>[A-Za-z0-9.-]+)""",
    re.VERBOSE,
)


def with_local_pictures(html: str, pictures: Iterable[Picture], prefix: str) -> str:
    """Return the HTML with the URL of each of these images replaced by `prefix` and the image's name.

    The URLs of other images are not changed.
    """
    return with_picture_addresses(html, {picture.name: f"{prefix}{picture.name}" for picture in pictures})


def with_picture_addresses(html: str, addresses: Mapping[str, str]) -> str:
    """Return the HTML with the URL of each image that has an address here, by its name, replaced by that address."""
    return _PICTURE_ADDRESS.sub(lambda url: addresses.get(url["inside"] or url["hosted"], url[0]), html)


def data_address(content_type: str, content: bytes) -> str:
    """Return the address (RFC 2397) that contains an image itself."""
    return f"data:{content_type};base64,{b64encode(content).decode()}"
