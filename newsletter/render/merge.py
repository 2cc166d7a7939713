"""Turn merge tokens into slots once the email is finished, and write each subscriber's values into them.

A chunk is processed column by column, because one step for a thousand values takes a fraction of the time of a
thousand steps.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from html import escape
from itertools import repeat, takewhile
from typing import cast
from urllib.parse import quote

from newsletter.language.local_times import LocalTextsBy, clock_today
from newsletter.model.broadcast import Envelope, Recipient
from newsletter.model.ledger import ClaimedDelivery
from newsletter.model.person_names import without_deceit
from newsletter.model.return_paths import ReturnPurpose, return_path
from newsletter.model.slots import MERGE_TOKEN, ChunkColumns, Escape, Link, LocalTexts, Slot, SlotSource, Template
from newsletter.model.web_address import WEB_ADDRESS
from newsletter.render.breaks import whole_dates

_CONTROL = re.compile(r"[\x00-\x1f\x7f\u0085\u2028\u2029]+")
# Matches up to a position inside a URL in an attribute, where a value must be percent-encoded.
_LINK_ATTRIBUTE = re.compile(r"""(?:href|src)\s*=\s*["'](?P<before>(?:(?<=")[^"]*|(?<=')[^']*))\Z""", re.IGNORECASE)
_OTHER_ADDRESS = re.compile(r"(?:mailto|tel|sms):[^\s<>\"]*\Z", re.IGNORECASE)
_WHOLE_ADDRESS = re.compile(r"(?:https?://|mailto:)\S", re.IGNORECASE)
_LONGEST_ADDRESS = 2_000
_SIGNS_OF_ADDRESSES = ";/?:@&=+$,#%!*'()[]~"


class SlotTable:
    """The slots of a variant, numbered in the order in which they first appear."""

    def __init__(self, sources: Iterable[SlotSource]) -> None:
        self._sources = {source.token: source for source in sources}
        self._numbers: dict[Slot, int] = {}

    @property
    def slots(self) -> tuple[Slot, ...]:
        """The slots found so far."""
        return tuple(self._numbers)

    def template(self, text: str, escape_at: Callable[[str, int], Escape]) -> Template:
        """Return the text, cut at its tokens. `escape_at` returns how a value must be escaped at a position."""
        parts: list[str] = []
        slots: list[int] = []
        last = 0
        for match in MERGE_TOKEN.finditer(text):
            source = self._sources.get(match[0])
            if source is None:
                continue
            slot = Slot(source, source.escape or escape_at(text, match.start()))
            parts.append(text[last : match.start()])
            slots.append(self._numbers.setdefault(slot, len(self._numbers)))
            last = match.end()
        parts.append(text[last:])
        return Template(tuple(parts), tuple(slots))


def in_html(html: str, position: int) -> Escape:
    """Return how a value must be escaped at a position in an HTML document."""
    opened = html.rfind("<", 0, position)
    if opened > html.rfind(">", 0, position):
        attribute = _LINK_ATTRIBUTE.search(html, opened, position)
        if attribute is None:
            return Escape.HTML
        is_whole = not attribute["before"] and html[_end_of_token(html, position)] in "\"'"
        return Escape.ADDRESS if is_whole else Escape.URL
    return Escape.URL if _is_in_address(html, position) else Escape.HTML


def in_text(text: str, position: int) -> Escape:
    """Return how a value must be escaped at a position in the plain text: percent-encoded if it is inside a URL."""
    return Escape.URL if _is_in_address(text, position) else Escape.TEXT


def _is_in_address(text: str, position: int) -> bool:
    """Return whether a token is inside an address that is written out, whatever stands before the address."""
    first = max(position - _LONGEST_ADDRESS, 0)
    start = max(first, *(text.rfind(sign, first, position) + 1 for sign in ' \n<>"'))
    if ":" not in text[start:position]:  # as before most tokens
        return False
    found = WEB_ADDRESS.finditer(text, start, position + _LONGEST_ADDRESS)
    is_web = any(match.start() < position < match.end() for match in takewhile(lambda m: m.start() < position, found))
    return is_web or _OTHER_ADDRESS.search(text, start, position) is not None


def _end_of_token(text: str, position: int) -> int:
    token = MERGE_TOKEN.match(text, position)
    return position if token is None else min(token.end(), len(text) - 1)


def in_header(text: str, position: int) -> Escape:  # noqa: ARG001 - the three functions share a signature
    """Return how a value must be escaped in a header."""
    return Escape.HEADER


def _text(value: str) -> str:
    return value if value.isalnum() else _CONTROL.sub(" ", value)


def _html(value: str) -> str:
    # Letters and digits need no escaping. There may be millions of values, and most of them are a single word.
    return value if value.isalnum() else escape(_text(value))


def _address(value: str) -> str:
    # Anything else, such as `javascript:` or a word, would be a link that harms the reader or leads nowhere.
    value = value.strip()
    return escape(quote(value, safe=_SIGNS_OF_ADDRESSES)) if _WHOLE_ADDRESS.match(value) else ""


ESCAPES: Mapping[Escape, Callable[[str], str]] = {
    Escape.HTML: _html,
    Escape.URL: partial(quote, safe=""),
    Escape.ADDRESS: _address,
    Escape.LINK: str,
    Escape.TEXT: _text,
    Escape.HEADER: lambda value: _CONTROL.sub(" ", value).strip(),
}


# This takes a third of the time that calling the class takes, because a named tuple's constructor is written in Python.
_recipient = cast("Callable[[tuple[object, ...]], Recipient]", partial(tuple.__new__, Recipient))


class Personalizer:
    """Makes the recipients of one variant from claimed deliveries, whose values are in the order of `fields`."""

    def __init__(
        self,
        slots: Sequence[Slot],
        fields: Sequence[str],
        envelope: Envelope,
        *,
        made_at: datetime,
        broadcast: int = 0,
        nonce: str = "",
        local_texts: LocalTexts | None = None,
    ) -> None:
        """Take the time from which links that expire are valid: that of the broadcast, so that a repeat is the same.

        `broadcast` and `nonce` are those of the broadcast. Without one, no slot needs them. `local_texts` tells local
        times; by default, it is by the clocks of today.
        """
        self._local_texts = local_texts or LocalTextsBy(clock_today)
        self._broadcast, self._nonce = broadcast, nonce
        self._slots, self._fields, self._envelope = slots, fields, envelope
        self._links = {link for slot in slots for link in slot.source.links}
        self._made_at = made_at

    @staticmethod
    def fields_of(slots: Iterable[Slot]) -> tuple[str, ...]:
        """Return the columns and attributes that the slots need, sorted."""
        return tuple(sorted({name for slot in slots for name in slot.source.fields}))

    def recipients(self, deliveries: Sequence[ClaimedDelivery]) -> tuple[Recipient, ...]:
        """Return one recipient per delivery, in the same order."""
        if not deliveries:
            return ()
        subscribers, emails, first_names, last_names, tokens, values = zip(*deliveries, strict=True)
        names = [
            f"{first} {last}" if first and last else first or last
            for first, last in zip(without_deceit(first_names), without_deceit(last_names), strict=True)
        ]
        urls = list(map(self._envelope.unsubscribe_url, subscribers, tokens))
        columns = dict(zip(self._fields, zip(*values, strict=True), strict=False))
        chunk = ChunkColumns(
            fields=columns,
            links=self._links_of(subscribers, tokens, urls),
            local_texts=self._local_texts,
            people=tuple(zip(subscribers, tokens, strict=True)),
            broadcast=self._broadcast,
            nonce=self._nonce,
        )
        written = [_written(slot, chunk) for slot in self._slots]
        slot_values = zip(*written, strict=True) if written else repeat((), len(deliveries))
        return_paths = self._addresses(ReturnPurpose.BOUNCE, subscribers, tokens)
        leave_addresses = self._addresses(ReturnPurpose.LEAVE, subscribers, tokens)
        # The columns of addresses may be endless.
        rows = zip(subscribers, emails, names, urls, slot_values, return_paths, leave_addresses, strict=False)
        return tuple(map(_recipient, rows))

    def _addresses(self, purpose: ReturnPurpose, subscribers: Sequence[int], tokens: Sequence[str]) -> Iterable[str]:
        """Return the address in the newsletter's own mailbox for each delivery, or empty strings if there are none."""
        if not (self._broadcast and self._envelope.names_deliveries):
            return repeat("")
        pattern, broadcast = self._envelope.mailbox, self._broadcast
        return [
            return_path(pattern, purpose, subscriber, broadcast, token)
            for subscriber, token in zip(subscribers, tokens, strict=True)
        ]

    def _links_of(
        self, subscribers: Sequence[int], tokens: Sequence[str], urls: Sequence[str]
    ) -> Mapping[Link, Sequence[str]]:
        """Return the personal links. Those that need a digest for each person are made only if a slot shows them."""
        links = {Link.UNSUBSCRIBE: urls}
        if Link.PREFERENCES in self._links:
            url = partial(self._envelope.preferences_url, made_at=self._made_at)
            links[Link.PREFERENCES] = list(map(url, subscribers, tokens))
        if Link.CONFIRM in self._links:
            links[Link.CONFIRM] = list(map(self._envelope.confirm_url, subscribers, tokens))
        if Link.TRACKING in self._links:
            links[Link.TRACKING] = list(map(self._envelope.tracking_url, subscribers, tokens))
        if Link.ASKED in self._links:
            links[Link.ASKED] = list(map(self._envelope.asked_url, subscribers, tokens))
        return links


def _written(slot: Slot, chunk: ChunkColumns) -> Sequence[str]:
    """Return the values of a slot, each escaped for its place."""
    values = slot.source.column(chunk)
    if slot.escape is Escape.LINK:
        return values
    escape = ESCAPES[slot.escape]
    if slot.source.is_shared:  # dates and times, which the theme keeps whole where it knows them too
        escape = whole_dates if slot.escape is Escape.HTML else escape
        written = {value: escape(value) for value in set(values)}
        return list(map(written.__getitem__, values))
    if slot.escape is Escape.ADDRESS:
        return list(map(escape, values))
    # ASCII letters and digits never need escaping, and most values are a single plain word.
    return [value if value.isalnum() and value.isascii() else escape(value) for value in values]
