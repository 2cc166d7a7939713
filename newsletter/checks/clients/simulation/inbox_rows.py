"""How the lists of email apps show an email before it is opened: sender, subject and preview, and where each is cut.

No app counts characters. Each cuts at the edge of its column, so the numbers published are those of one sentence. A row
is therefore drawn with `text-overflow: ellipsis`, as wide as that many letters of `MEASURE`.
"""

from collections.abc import Sequence
from enum import StrEnum
from itertools import islice

from msgspec import Struct
from msgspec.structs import replace

# The sentence with which emailtooltester.com measured. Others state their numbers without saying how they got them.
MEASURE = "The quick brown fox jumps over the lazy dog "
WRITTEN_BY_THE_PHONE = "(a summary written by the phone)"
_MOST_PREVIEW_LETTERS = 400  # more than any app shows


class Device(StrEnum):
    """What an email app runs on."""

    PHONE = "phone"
    DESKTOP = "desktop"


class Cut(Struct, frozen=True, kw_only=True):
    """Where one part of a row is cut: after this many letters of `MEASURE`, on this many lines."""

    letters: int | None  # None if no number is published, so that the column's own width decides
    lines: int = 1
    published: str = ""  # the numbers published, where they differ: `60–78`

    @property
    def measure(self) -> str:
        """Text that is as wide as one line of this part. Show it invisibly to give the part its width."""
        letters = (self.letters or 0) // self.lines
        return (MEASURE * (letters // len(MEASURE) + 1))[:letters]


class InboxApp(Struct, frozen=True, kw_only=True):
    """How one app lists emails, and where that was published."""

    key: str
    name: str
    device: Device
    sender: Cut
    subject: Cut
    preview: Cut
    is_one_line: bool = False  # whether the preview follows the subject on its line, and shares that line's letters
    has_summaries: bool = False  # whether the app can put its own summary in the place of the preview
    sources: tuple[str, ...]


_LC, _EE, _NX = "lettercounter.org", "emailens/engine, constants.ts", "cf-newsletrix"
_ET, _CN, _TC = "emailtooltester.com", "campaign.name", "typecount.com"
INBOX_APPS = (
    InboxApp(
        key="gmail-phone",
        name="Gmail on a phone",
        device=Device.PHONE,
        sender=Cut(letters=22, published="20–25"),
        subject=Cut(letters=38, published="37–40"),
        preview=Cut(letters=45),
        sources=(_LC, _EE, _CN),
    ),
    InboxApp(
        key="apple-mail-ios",
        name="Apple Mail on an iPhone",
        device=Device.PHONE,
        sender=Cut(letters=22, published="20–25"),
        subject=Cut(letters=48, published="35–48"),
        preview=Cut(letters=99, lines=2),
        has_summaries=True,
        sources=(_ET, _CN),
    ),
    InboxApp(
        key="outlook-phone",
        name="Outlook on a phone",
        device=Device.PHONE,
        sender=Cut(letters=22, published="20–25"),
        subject=Cut(letters=38),
        preview=Cut(letters=76, lines=2),
        sources=(_TC,),
    ),
    InboxApp(
        key="gmail-web",
        name="Gmail in a browser",
        device=Device.DESKTOP,
        sender=Cut(letters=None),
        subject=Cut(letters=70),
        preview=Cut(letters=90),
        is_one_line=True,
        sources=(_EE, _LC, _NX),
    ),
    InboxApp(
        key="apple-mail-macos",
        name="Apple Mail on a Mac",
        device=Device.DESKTOP,
        sender=Cut(letters=None),
        subject=Cut(letters=69, published="60–78"),
        preview=Cut(letters=140, lines=2),
        has_summaries=True,
        sources=(_EE, _NX),
    ),
    InboxApp(
        key="outlook-com",
        name="Outlook in a browser, new Outlook for Windows",
        device=Device.DESKTOP,
        sender=Cut(letters=None),
        subject=Cut(letters=60),
        preview=Cut(letters=90),
        sources=(_EE,),
    ),
    InboxApp(
        key="outlook-windows",
        name="Outlook for Windows, classic",
        device=Device.DESKTOP,
        sender=Cut(letters=None),
        subject=Cut(letters=55, published="55–73"),
        preview=Cut(letters=35, published="35–55"),
        sources=(_EE, _NX),
    ),
)


class InboxRow(Struct, frozen=True, kw_only=True):
    """One email in the list of one app, before it is cut."""

    app: InboxApp
    sender: str
    subject: str
    preview: str  # empty if the subject leaves no room
    preview_cut: Cut
    is_summary: bool = False  # whether the preview stands for a summary that the phone writes


def inbox_rows(*, sender: str, subject: str, preheader: str, first_words: Sequence[str] = ()) -> tuple[InboxRow, ...]:
    """Return an email as each app lists it, the phones first.

    `first_words` are the first pieces of the visible body in reading order, the descriptions of images included. Apps
    fill up a short preview with them.
    """
    preview = preview_of(preheader, first_words)
    rows = []
    for app in INBOX_APPS:
        cut = app.preview
        if app.is_one_line:
            is_full = len(subject) >= (app.subject.letters or 0)
            cut = Cut(letters=0 if is_full else (cut.letters or 0) - len(subject))
        shown = preview if cut.letters else ""
        row = InboxRow(app=app, sender=sender, subject=subject, preview=shown, preview_cut=cut)
        rows.append(row)
        if app.has_summaries:
            rows.append(replace(row, preview=WRITTEN_BY_THE_PHONE, is_summary=True))
    return tuple(rows)


def preview_of(preheader: str, first_words: Sequence[str]) -> str:
    """Return the preheader, filled up with the first words of the body as email apps do, in one line."""
    words = (word for piece in (preheader, *first_words) for word in piece.split())
    return " ".join(islice(words, _MOST_PREVIEW_LETTERS))[:_MOST_PREVIEW_LETTERS].rstrip()
