"""A finished issue: what every subscriber's mail is made from."""

import re
from dataclasses import dataclass, field
from hashlib import sha256

from newsletter.model.mailbox import MailboxProvider, mailbox_provider_of
from newsletter.model.merge import Slot, Template
from newsletter.model.readership import Readership

_NO_CERTAIN_MAILBOX = frozenset({None, MailboxProvider.OTHER})


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """One picture of the mail, named by its content."""

    name: str  # file name with a hash of the content in it: `portrait-1f0c2a9b77e1.png`
    content_type: str
    content: bytes = field(repr=False)
    width: int
    height: int
    sharp_width: int = field(default=0, compare=False)  # that it would have if its source were large enough

    @property
    def content_id(self) -> str:
        """The id under which the HTML refers to the picture when it travels inside the mail (RFC 2392)."""
        return f"{self.name}@newsletter"


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedVariant:
    """One rendering, shared by all subscribers who see the same."""

    segments: frozenset[str]  # the `only:` segments whose sections it shows
    language: str
    subject: Template
    preheader: Template
    html: Template
    text: Template
    slots: tuple[Slot, ...]
    pictures: tuple[Picture, ...]  # those that travel inside the mail; empty where they are hosted
    mailbox: MailboxProvider | None = None  # whose readers see it; None where all see the same

    @property
    def readership(self) -> Readership:
        """Who shares it."""
        return Readership(segments=self.segments, mailbox=self.mailbox)

    @property
    def content_hash(self) -> str:
        """A SHA-256 over all that a subscriber can see, so that any edit changes it."""
        digest = sha256()
        for template in (self.subject, self.preheader, self.html, self.text):
            digest.update(repr((template.parts, template.slots)).encode())
        digest.update(repr([(slot.field.name, slot.field.default, slot.escape) for slot in self.slots]).encode())
        for picture in self.pictures:
            digest.update(picture.content)
        return digest.hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedIssue:
    """All variants of an issue, and the pictures that it needs wherever they are kept."""

    issue: str
    variants: tuple[RenderedVariant, ...]
    pictures: tuple[Picture, ...]
    topics: tuple[str, ...] = ()  # what it is about: who gets it depends on them

    @property
    def content_hash(self) -> str:
        """A SHA-256 over all variants, the readers who see each, all pictures, and the topics."""
        digest = sha256()
        for variant in self.variants:
            seen_by = (sorted(variant.segments), str(variant.mailbox or ""))
            digest.update(repr((seen_by, variant.content_hash)).encode())
        for picture in self.pictures:
            digest.update(picture.name.encode())
        if self.topics:
            digest.update(repr(sorted(self.topics)).encode())
        return digest.hexdigest()

    def variants_for(self, email: str) -> tuple[RenderedVariant, ...]:
        """Those that a reader of this address can get; which of them it is, their segments decide."""
        mailbox = mailbox_provider_of(email)
        own = tuple(variant for variant in self.variants if variant.mailbox in {None, mailbox})
        return own or tuple(variant for variant in self.variants if variant.mailbox is MailboxProvider.OTHER)

    @property
    def fullest(self) -> RenderedVariant:
        """The variant that shows every section; of those for single mailbox providers, the one for all others."""
        return max(self.variants, key=lambda variant: (len(variant.segments), variant.mailbox in _NO_CERTAIN_MAILBOX))


# What the renderer writes: `cid:NAME@newsletter`, or `https://…/images/NAME` where pictures are hosted.
_PICTURE_ADDRESS = re.compile(
    r"""cid:(?P<inside>[A-Za-z0-9.-]+)@newsletter
      | https://[^\s"'()<>]+/images/(?P<hosted>[A-Za-z0-9.-]+)""",
    re.VERBOSE,
)


def with_local_pictures(html: str, rendered: RenderedIssue, prefix: str) -> str:
    """The HTML with the address of each picture of the issue replaced by `prefix` and the picture's name.

    Addresses of pictures that are not the issue's own stay as they are.
    """
    own = {picture.name for picture in rendered.pictures}

    def local(match: re.Match[str]) -> str:
        name = match["inside"] or match["hosted"]
        return f"{prefix}{name}" if name in own else match[0]

    return _PICTURE_ADDRESS.sub(local, html)
