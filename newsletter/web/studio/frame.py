"""The email as a frame of the studio shows it: in the reader's colors and text size, with the studio's notes.

Only the frame's copy has these notes. The email itself is not changed.
"""

import re
from collections.abc import Iterable
from datetime import UTC, datetime, time
from html import escape

from markupsafe import Markup

from newsletter.model.issue import Issue
from newsletter.model.rendered import with_local_pictures
from newsletter.web.studio.proofs import IssueProof
from newsletter.web.studio.views import DeviceScheme, Letters, Notes, StudioView
from newsletter.web.studio.whom import Whom
from newsletter.workflows.compose.compose import Composed
from newsletter.workflows.compose.marking import MarkedMail, MarkedText, MergeDoubt, Piece, marked_mail
from newsletter.workflows.compose.placed import PLACE_ATTRIBUTE

_DARK_QUERY = re.compile(r"\(\s*prefers-color-scheme\s*:\s*(dark|light)\s*\)")
_SCHEME_META = re.compile(r"""(<meta\s+name="(?:supported-)?color-schemes?"\s+content=")[^"]*""")
_SCHEME_PROPERTY = re.compile(
    r"color-scheme(?<![\w-]color-scheme)\s*:\s*[^;}\"]+"
)  # begins with what can be searched fast
_ALWAYS, _NEVER = "(min-width:0)", "(max-width:0)"
_LETTER_SIZE = re.compile(r"(?<![\w-])((?:font-size|line-height)\s*:\s*)(\d+(?:\.\d+)?)(?=px)")
_PLACE = re.compile(rf' {PLACE_ATTRIBUTE}="([^"]*?)(?::\d+)?"')
# The second inversion gives images their own colors back, as phones leave images unchanged.
_INVERTED = "html{background:#fff;filter:invert(1) hue-rotate(180deg)}img,video{filter:invert(1) hue-rotate(180deg)}"
# Notes have the accent color of light or dark pages. Labels have a background, so that they stand out from the email.
_ACCENTS = {DeviceScheme.LIGHT: ("#9C3353", "#fff"), DeviceScheme.DARK: ("#F2A7BA", "#2A0F18")}
_NOTES = """
[data-doubt]{outline:1.5px dashed ACCENT;outline-offset:1px;border-radius:2px}
[data-doubt=missing]::before{content:attr(data-field) " is missing"}
[data-only]{position:relative}
[data-only]::after{content:"";position:absolute;inset:0 auto 0 -12px;width:3px;background:ACCENT}
img[data-only]{outline:2px solid ACCENT}
[data-first]::before{content:attr(data-first);display:table;margin-bottom:4px}
[data-doubt=missing]::before,[data-first]::before{background:ACCENT;color:TEXT;font:600 12px/16px sans-serif;
letter-spacing:normal;border-radius:3px;padding:1px 6px}
"""
# The studio's script keeps what is in view in its place, so the browser must not do it too.
_STATES = """
html{overflow-anchor:none}
[data-changed]{position:relative;background-image:linear-gradient(CHANGED 0 0)}
[data-changed]::after{content:"";position:absolute;inset:0 auto 0 -12px;width:3px;background:ACCENT}
img[data-changed]{outline:3px solid ACCENT}
[data-marked],[data-editing]{outline:2px solid ACCENT;outline-offset:4px}
[data-dropping],[data-place]:focus-visible{outline:2px dashed ACCENT;outline-offset:4px}
"""


def shown_mail(proof: IssueProof, seen: Whom, *, now: datetime) -> MarkedMail:
    """Return the email that the reader gets, with its blocks marked with their places.

    Links that expire are those of an email sent at the start of the day, so that they are the same after each save.
    """
    made_at = datetime.combine(now.astimezone(UTC), time.min, UTC)
    return marked_mail(proof.config, proof.placed(seen.variant).variant, seen.reader, made_at=made_at)


def frame_html(composed: Composed, mail: MarkedMail, view: StudioView) -> str:
    """Return the HTML of the email for a frame. Links open in new tabs, and images come from the studio."""
    html, notes = str(mail.html), ""
    if view.notes is Notes.ON:
        html, notes = with_readers_marked(_with_doubts(mail.html), composed.issue), _NOTES
    html = html_for_frame(html, view.scheme)
    if view.letters is Letters.LARGE:
        html = _LETTER_SIZE.sub(lambda found: f"{found[1]}{float(found[2]) * 2:g}", html)
    html = with_local_pictures(html, composed.rendered.pictures, "pictures/")
    accent, on_accent = _ACCENTS.get(view.scheme, _ACCENTS[DeviceScheme.LIGHT])
    styles = (_STATES + notes).replace("CHANGED", f"{accent}1f").replace("ACCENT", accent).replace("TEXT", on_accent)
    styles += _INVERTED if view.scheme is DeviceScheme.FORCED else ""
    return html.replace("</head>", f"<style>{styles}</style></head>", 1)


def html_for_frame(html: str, scheme: DeviceScheme) -> str:
    """Return the email's HTML as a device with this color scheme shows it. Links open in new tabs.

    A page cannot set the preferred color scheme of a frame. So each media query for the scheme is replaced by one that
    is always or never true. If the email declares support for both schemes, it now declares only this one. A device
    that inverts all colors inverts the light ones.
    """
    asked = DeviceScheme.LIGHT if scheme is DeviceScheme.FORCED else scheme

    def answer(match: re.Match[str]) -> str:
        return _ALWAYS if match[1] == asked else _NEVER

    html = _DARK_QUERY.sub(answer, html)
    html = _SCHEME_META.sub(rf"\g<1>{asked}", html)
    html = _SCHEME_PROPERTY.sub(f"color-scheme:{asked}", html)
    return re.sub(r"<head\b[^>]*>", r'\g<0><base target="_blank">', html, count=1)


def with_readers_marked(html: str, issue: Issue) -> str:
    """Return the HTML with two more attributes on the blocks that only some readers see: who they are.

    `data-only` is on each of these blocks, and `data-first` on the first of each section.
    """
    readers = {path: (section, label) for path, section, label in _readers_of(issue)}
    labeled: set[str] = set()

    def marked(match: re.Match[str]) -> str:
        if match[1] not in readers:
            return match[0]
        section, label = readers[match[1]]
        first = "" if section in labeled else f' data-first="{label}"'
        labeled.add(section)
        return f'{match[0]} data-only="{label}"{first}'

    return _PLACE.sub(marked, html) if readers else html


def _readers_of(issue: Issue) -> Iterable[tuple[str, str, str]]:
    """Yield each file whose blocks only some readers see, its section, and a label that says who they are."""
    for section in issue.sections:
        said = [f"only for {section.only}"] if section.only else []
        said += ["differs by mailbox"] if section.differs_by_mailbox else []
        label = escape(", ".join(said).capitalize())
        for path in {section.source.path, *(item.source.path for item in section.items)} if said else ():
            yield escape(path), section.name, label


def _with_doubts(html: MarkedText) -> str:
    """Return the HTML with a mark around each doubtful merge value that is text, not part of a tag or of the head."""
    done: list[str] = []
    is_in_tag, is_in_body = False, False
    for piece in html.pieces:
        if piece.doubt and is_in_body and not is_in_tag:
            done.append(f'<span data-doubt="{piece.doubt}" data-field="{piece.field}">{piece.text}</span>')
            continue
        done.append(piece.text)
        is_in_body = is_in_body or "<body" in piece.text
        opens, closes = piece.text.rfind("<"), piece.text.rfind(">")
        is_in_tag = opens > closes if max(opens, closes) >= 0 else is_in_tag
    return "".join(done)


def marked_up(text: MarkedText, view: StudioView) -> Markup:
    """Return a subject or plain text for the page, with a mark around each doubtful merge value."""
    pieces = (_marked_up(piece, with_notes=view.notes is Notes.ON) for piece in text.pieces)
    return Markup("").join(pieces)


def _marked_up(piece: Piece, *, with_notes: bool) -> Markup:
    if piece.doubt is None or not with_notes:
        return Markup(escape(piece.text, quote=False))  # noqa: S704 - escaped
    shown = f"{piece.field} is missing" if piece.doubt is MergeDoubt.MISSING else piece.text
    return Markup('<mark data-doubt="{}">{}</mark>').format(piece.doubt, shown)
