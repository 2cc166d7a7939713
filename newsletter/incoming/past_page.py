"""Remove from the HTML of a sent email what is of no use on a page: trackers, merge tags, hidden parts and widgets.

What remains is cleaned of scripts, styles and unknown tags afterwards, whenever a past issue is read.
"""

import json
import re
from base64 import urlsafe_b64decode
from collections.abc import Iterator
from contextlib import suppress
from html import unescape
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit, urlunsplit

import lxml.html
from lxml import etree
from msgspec import Struct

from newsletter.incoming.html_tree import tree_of

_MOST_CHARACTERS = 5_000_000
_REMOVED = frozenset({"head", "title", "script", "style", "template", "noscript", "iframe", "object", "embed", "form"})
_HIDDEN = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|mso-hide\s*:\s*all|(?:max-height|font-size|opacity)\s*:\s*0(?![.\d])",
    re.IGNORECASE,
)
_TINY = re.compile(r"\s*[01](?:\.\d+)?\s*(?:px)?\s*", re.IGNORECASE)
_TINY_STYLE = re.compile(r"(?<![-\w])(?:width|height)\s*:\s*[01](?:px)?\s*(?:;|$|!)", re.IGNORECASE)
_TRACKING_PICTURE = re.compile(r"/(?:track/)?open(?:[./?]|$)|/wf/open|pixel(?:\.|$)|/beacon", re.IGNORECASE)
# Parts by which the tools ask readers to subscribe, share, comment or leave. Looked for in `class` and `id`.
_WIDGET = re.compile(
    r"subscription-widget|subscribe-widget|captioned-button-wrap|share-dialog|post-ufi|kg-signup-card|kg-cta-card"
    r"|buttondown-subscribe|preheader|previewtext|templatefooter|mcnfollow|canspam|email-footer|formkit-form",
    re.IGNORECASE,
)
_FOOTER_LINK = re.compile(
    r"\b(?:view|read|open|see)\b.{0,30}\b(?:browser|online|webpage)\b|\bunsubscribe\b"
    r"|\b(?:update|manage|change)\b.{0,20}\b(?:preferences|profile|subscription)\b",
    re.IGNORECASE,
)
_LONGEST_FOOTER = 400  # characters of a row that is removed with the link in it
_MOST_FOOTERS = 200  # rows; of further links to leave, only the text stays
_ROWS = frozenset({"tr", "p", "li", "div", "td"})
_WITH_DEFAULT = re.compile(
    r"\{\{[^{}]*?\|\s*default\s*:?\s*\(?\s*[\"'\u201c]([^\"'{}\u201d]{0,100})[\"'\u201d]\s*\)?[^{}]*\}\}"
)
_GHOST_FIELD = re.compile(r"\{(?:first_name|name|email|uuid)\s*(?:,\s*\"([^\"{}]{0,100})\")?\}")
_MERGE_TAG = re.compile(
    r"\{\{[^{}]{0,500}\}\}|\{%[^{}]{0,500}%\}|\*\|[^|*]{0,500}\|\*|%%[\w.:-]{1,60}%%|%(?:recipient|tag)[\w.]{0,60}%"
)
# In place of a merge tag: “Dear *|FNAME|*,” becomes “Dear,”.
_NOTHING = re.compile(r"(?<![ \xa0])[ \xa0]*\0(?=[,.!?:;])|\0")
_SIGNS = re.compile(r"\{\{|\}\}|\{%|%\}|\*\||\|\*|%%")  # of merge tags that are not complete
_REDIRECTS = re.compile(
    r"(?:^|\.)(?:list-manage\.com|convertkit-mail\d*\.com|kit-mail\d*\.com|mailchi\.mp|sendgrid\.net|mandrillapp\.com)$"
    r"|^click\.|^links?\.|^email\.mg\.|^track"
)
_SUBSTACK_REDIRECT = re.compile(r"/redirect(?:/|$)")
_TARGET_KEYS = ("url", "u", "redirect", "target", "to", "link", "r")
_TRACKING_KEY = re.compile(r"(?:utm_|mc_|ck_subscriber|_hs|fbclid|gclid|vero_|token$|r$|isFreemail$)", re.IGNORECASE)
_SCHEMES = frozenset({"http", "https", "mailto"})
_ATTRIBUTES = ("href", "src", "alt", "lang", "dir")  # those that a page keeps and that can contain a merge tag
_GONE = "gone"


class PastPage(Struct, frozen=True, kw_only=True):
    """The HTML of a past issue, and the number of parts that it lost."""

    html: str
    merge_tags: int = 0
    links: int = 0  # that led through a tool that does not say where to
    pictures: int = 0  # that are neither on the web nor in the export
    is_broken: bool = False


class _Losses(Struct):
    merge_tags: int = 0
    links: int = 0


def stripped(text: str) -> PastPage:
    """Return what is worth a page in the HTML of a sent email."""
    losses = _Losses()
    try:
        fit = text[:_MOST_CHARACTERS].replace("\0", "").encode(errors="replace").decode()  # half characters become `?`
        tree = tree_of(fit)
        for element in list(tree.iter(etree.Element)):
            if element is not tree and _is_removed(element):
                element.tag = _GONE
        # All at once: after each removal alone, the text around it would be copied.
        etree.strip_elements(tree, _GONE, etree.Comment, etree.ProcessingInstruction, with_tail=False)
        _remove_footers(tree)
        _unwrap_layout(tree)
        for element in list(tree.iter()):
            _without_merge_tags(element, losses)
        for link in list(tree.iter("a")):
            _lead_directly(link, losses)
        written = str(lxml.html.tostring(tree, encoding="unicode"))
    except (etree.LxmlError, ValueError, RecursionError, AssertionError):
        return PastPage(html="", is_broken=True)
    return PastPage(html=written, merge_tags=losses.merge_tags, links=losses.links)


def without_signs(html: str) -> str:
    """Set the signs of merge tags apart in finished HTML, because parts of one may have come together."""
    return _SIGNS.sub(lambda found: " ".join(found[0]), _SIGNS.sub(lambda found: " ".join(found[0]), html))


def words_of(text: str) -> str:
    """Return a subject or a preheader without merge tags and character references."""
    return without_signs(_filled(unescape(text))[0]).strip()


def _is_removed(element: Any) -> bool:
    names = f"{element.get('class', '')} {element.get('id', '')}"
    if element.tag in _REMOVED or _HIDDEN.search(element.get("style", "")) or "hidden" in element.attrib:
        return True
    return bool(_WIDGET.search(names)) or (element.tag == "img" and _is_tracker(element))


def _is_tracker(image: Any) -> bool:
    sizes = (image.get("width", ""), image.get("height", ""))
    is_tiny = any(_TINY.fullmatch(size) for size in sizes) or _TINY_STYLE.search(image.get("style", ""))
    return bool(is_tiny) or bool(_TRACKING_PICTURE.search(image.get("src", "")))


def _remove_footers(tree: Any) -> None:
    """Remove the row around each link to the browser view, to the preferences or for leaving."""
    removed = 0
    for link in list(tree.iter("a")):
        address = link.get("href", "")
        is_for_reader = re.search(r"unsub|preferences_url|update_profile|\*\|(?:ARCHIVE|UNSUB)|%%\w+%%", address, re.I)
        if not is_for_reader and not _FOOTER_LINK.search(link.text_content()[:200]):
            continue
        if removed == _MOST_FOOTERS:
            link.attrib.pop("href", None)
            continue
        _drop(_row_of(link, tree))
        removed += 1


def _row_of(link: Any, tree: Any) -> Any:
    """Return the short row that a link is in, and the elements around it if they contain nothing else."""
    row = link
    for above in link.iterancestors():
        text = _beginning_of(above)
        if above is tree or len(text) > _LONGEST_FOOTER or above.find(".//img") is not None:
            break
        is_first_row = row is link and above.tag in _ROWS
        if is_first_row or (row is not link and text.split() == row.text_content().split()):
            row = above
        elif row is not link:
            break
    return row


def _beginning_of(element: Any) -> str:
    """Return the text of an element, or a part of it that is too long for a row."""
    found = ""
    for text in element.itertext():
        found += text
        if len(found) > _LONGEST_FOOTER:
            break
    return found


def _drop(element: Any) -> None:
    """Remove an element with what is in it. The text after it stays."""
    parent = element.getparent()
    if parent is None:
        return
    before, tail = element.getprevious(), element.tail or ""
    if before is not None:
        before.tail = (before.tail or "") + tail
    else:
        parent.text = (parent.text or "") + tail
    parent.remove(element)


def _unwrap_layout(tree: Any) -> None:
    """Replace each table that only places parts beside and below each other: its cells become blocks.

    A table of data has headings, or several columns and a border.
    """
    for table in list(tree.iter("table")):
        rows = table.xpath("./tr|./tbody/tr|./thead/tr|./tfoot/tr")
        is_marked = table.get("role") in {"presentation", "none"} or table.get("border") == "0"
        is_column = all(len(row.xpath("./td|./th")) <= 1 for row in rows)
        has_headings = bool(table.xpath("./tr/th|./*/tr/th|./caption"))
        if has_headings or not (is_marked or is_column or table.find(".//table") is not None):
            continue
        for cell in [cell for row in rows for cell in row.xpath("./td")]:
            cell.tag = "div"
        for part in [*rows, *table.xpath("./tbody|./thead|./tfoot|./colgroup"), table]:
            part.drop_tag()


def _without_merge_tags(element: Any, losses: _Losses) -> None:
    for part in ("text", "tail"):
        if written := getattr(element, part):
            filled, count = _filled(written)
            losses.merge_tags += count
            setattr(element, part, filled)
    for name in _ATTRIBUTES:
        value = element.get(name, "")
        filled, count = _filled(unquote(value) if _MERGE_TAG.search(unquote(value)) else value)
        if count and name in {"href", "src"}:
            del element.attrib[name]
        elif count:
            element.set(name, filled)


def _filled(text: str) -> tuple[str, int]:
    """Return a text with merge tags replaced by their defaults or nothing, and their number."""
    count = 0
    for pattern in (_WITH_DEFAULT, _GHOST_FIELD):
        text, found = pattern.subn(lambda match: match[1] or "", text)
        count += found
    text, found = _MERGE_TAG.subn("\0", text)
    return _NOTHING.sub("", text), count + found


def _lead_directly(link: Any, losses: _Losses) -> None:
    address = "".join(link.get("href", "").split())
    target = _target_of(address)
    if target:
        link.set("href", target)
        return
    if address and not address.startswith("#"):
        losses.links += 1
    link.attrib.pop("href", None)


def _target_of(address: str) -> str:
    """Return where a link leads in the end, without what identifies a reader. Return "" if it cannot be kept."""
    for _ in range(4):
        try:
            parts = urlsplit(address)
            host = (parts.hostname or "").lower()
        except ValueError:
            return ""
        if parts.scheme.lower() not in _SCHEMES:
            return ""
        if parts.scheme.lower() == "mailto":
            return address
        is_substack = host.endswith("substack.com") and _SUBSTACK_REDIRECT.search(parts.path)
        if not is_substack and not _REDIRECTS.search(host):
            return _untracked(parts)
        inner = next(_targets_in(parts), None)
        if inner is None:
            is_page = host.startswith(("link.", "links.")) or (host == "mailchi.mp" and "/track" not in parts.path)
            return _untracked(parts) if is_page and not parts.query else ""
        address = inner
    return ""


def _targets_in(parts: Any) -> Iterator[str]:
    """Yield the addresses within a redirecting one: in its query, or in base64 at the end of its path."""
    query = dict(parse_qsl(parts.query, max_num_fields=100))
    yield from (query[key] for key in _TARGET_KEYS if query.get(key, "").startswith(("http://", "https://")))
    for piece in reversed(parts.path.split("/")):
        with suppress(ValueError):
            inner = urlsafe_b64decode(piece.partition(".")[0] + "=" * (-len(piece.partition(".")[0]) % 4)).decode()
            if inner.startswith("{"):
                inner = str(json.loads(inner).get("e", ""))
            if inner.startswith(("http://", "https://")):
                yield inner


def _untracked(parts: Any) -> str:
    if not parts.query:
        return str(urlunsplit(parts))
    kept = [
        (key, value) for key, value in parse_qsl(parts.query, keep_blank_values=True) if not _TRACKING_KEY.match(key)
    ]
    return str(urlunsplit(parts._replace(query=urlencode(kept))))
