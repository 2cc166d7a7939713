"""Finds what looks like Markdown within a line but was not taken.

Readers would see the signs. Each loss is a mistake that says what to write instead. A backslash before a sign, or code,
means the sign itself.
"""

import html
import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from functools import lru_cache
from html.entities import html5
from operator import itemgetter

from msgspec import Struct

from newsletter.content.flat_text import (
    ADDRESS,
    EMPHASIS,
    ESCAPED_BRACKET,
    ContentLoss,
    FlatText,
    quoted,
)
from newsletter.content.tags import instead_of_tag, mark_for_tag
from newsletter.errors import Fix
from newsletter.model.typography import shortened

_Words = tuple[str, str, Fix | None]  # what is wrong, what to do, and the exact edit if there is one


class _Sign(Struct, frozen=True):
    """A pattern of text that was not taken, and the words of its loss."""

    pattern: re.Pattern[str]
    words: Callable[[re.Match[str], FlatText], _Words | None]


def _says(what: str, remedy: str, *, new: str = "") -> Callable[[re.Match[str], FlatText], _Words]:
    """Return a function that fills in what was written: {all}, and the groups {0} and {1}.

    `new` is what to write instead, if that is certain.
    """

    def words(match: re.Match[str], flat: FlatText) -> _Words:
        written = [
            flat.written(*match.span(group)) if match[group] is not None else ""
            for group in range(len(match.groups()) + 1)
        ]
        parts = {"all": quoted(written[0])}
        inside = [shortened(part).strip() for part in written[1:]]
        fix = _instead(written[0], new.format(*map(str.strip, written[1:]))) if new else None
        return what.format(*inside, **parts), remedy.format(*inside, **parts), fix

    return words


def _instead(written: str, new: str) -> Fix | None:
    return Fix(old=written, new=new) if "\n" not in written and written != new else None


def _broken_link(match: re.Match[str], flat: FlatText) -> _Words:
    written = flat.written(*match.span())
    words, address = (flat.written(*match.span(group)).strip() for group in (1, 2))
    what = f"the link {quoted(written)} is broken, so readers would see its brackets"
    if not address:
        return what, f"write its address in the round brackets: [{words}](https://…)", None
    whole = re.sub(r"\s+", "%20", address)
    reason = "write %20 for each space in the address:" if whole != address else "write"
    return what, f"{reason} [{words}]({whole})", _instead(written, f"[{words}]({whole})")


def _broken_image(match: re.Match[str], flat: FlatText) -> _Words:
    written = flat.written(*match.span())
    words, name = (flat.written(*match.span(group)).strip() for group in (1, 2))
    what = f"the image {quoted(written)} is broken, so readers would see its brackets"
    if not name:
        return what, f"write ![{words}](images/photo.jpg)", None
    new = f"![{words}](<{name}>)" if re.search(r"\s", name) else f"![{words}]({name})"
    reason = "write the name in angle brackets:" if re.search(r"\s", name) else "write"
    return what, f"{reason} {new}", _instead(written, new)


def _stray_link(match: re.Match[str], flat: FlatText) -> _Words | None:
    before = flat.text[max(match.start() - 300, 0) : flat.text.index("](", match.start())]
    if before.rfind(ESCAPED_BRACKET) > before.rfind("["):
        return None  # a backslash protects the opening bracket
    what = f"{quoted(flat.written(*match.span()))} looks like a link that is not complete"
    return what, f"write [link text](https://…), {_LITERAL}", None


def _tag(match: re.Match[str], flat: FlatText) -> _Words | None:
    if (
        match["closes"]
        and f"<{match['name']}".lower() in flat.text[max(match.start() - 2000, 0) : match.start()].lower()
    ):
        return None  # its opening tag is reported
    if flat.text[match.start() - 1 : match.start()].isalnum() and " " in match[0] and "=" not in match[0]:
        return None  # x<y and z>w
    end = re.compile(rf"</{re.escape(match['name'])}>", re.IGNORECASE).search(flat.text, match.end(), match.end() + 300)
    inside = None if end is None else flat.written(match.end(), end.start())  # if it is short
    written = flat.written(*match.span())
    what, remedy = instead_of_tag(match["name"], match["closes"] is not None, written, inside)
    new = None if inside is None or match["closes"] else mark_for_tag(match["name"], written, inside)
    return what, remedy, None if end is None or new is None else _instead(flat.written(match.start(), end.end()), new)


def _entity(match: re.Match[str], flat: FlatText) -> _Words:
    written = flat.written(*match.span())
    what = f"readers would see {quoted(written)}, because it is not a complete HTML entity"
    character = html.unescape(written if written.endswith(";") else f"{written};")
    return what, "type the character itself", _instead(written, character) if len(character) == 1 else None


_LITERAL = "or write a backslash before the sign to show it"
# The names of entities that browsers take without a semicolon, and that people therefore write without one.
_ENTITIES = "|".join(sorted((name for name in html5 if not name.endswith(";")), key=len, reverse=True))
_MARKS = "so readers would see the signs"
_EVEN = r"write the same signs before and after the words: *words* or **words**; or \* to show the sign"
# In this order: text that one pattern has claimed is not judged by the next.
_SIGNS = (
    _Sign(re.compile(r"<(?P<closes>/)?(?P<name>[A-Za-z][A-Za-z0-9:_-]*)(?:[\s/][^<>]*)?>"), _tag),
    _Sign(
        re.compile(r"<([\w-]+(?:\.[\w-]+)+[^\s<>]*)>"),
        _says(
            "{all} is not a link, because its address is not complete",
            "write <https://{0}>",
            new="<https://{0}>",
        ),
    ),
    _Sign(
        re.compile(r"<(?:!DOCTYPE|!\[CDATA\[|\?[a-z])[^<>]{0,200}>?", re.IGNORECASE),
        _says("readers would see {all}, because HTML is not taken", f"delete it, {_LITERAL}"),
    ),
    _Sign(
        re.compile(
            r"\[(b|i|u|s|url|img|color|size|quote)(?:=[^\[\]\n]{0,80})?\]([^\[\]\n]{0,200})\[/\1\]", re.IGNORECASE
        ),
        _says("{all} is the markup of a forum, so readers would see its brackets", "write **{1}** for bold words"),
    ),
    _Sign(re.compile(r"!\[([^\[\]]{0,200})\] {0,3}\(([^()\n]{0,300})\)"), _broken_image),
    _Sign(
        re.compile(r"!\[[^\[\]\n]{0,60}\]?"),
        _says(
            "{all} looks like an image that is not complete", f"write ![what it shows](images/photo.jpg), {_LITERAL}"
        ),
    ),
    _Sign(re.compile(r"\[([^\[\]]{1,200})\]\(([^()]{0,300})\)"), _broken_link),
    _Sign(re.compile(rf"\[([^\[\]]{{1,200}})\] {{1,3}}\(({ADDRESS}|#[\w-]+|[\w./-]+\.[\w/-]+)\)"), _broken_link),
    _Sign(re.compile(rf"\[([^\[\]()]{{1,200}})\(({ADDRESS})[^()]{{0,100}}\)"), _broken_link),
    _Sign(re.compile(rf"\(([^()\n{ADDRESS}]{{1,200}})\)\[({ADDRESS})\]"), _broken_link),
    _Sign(re.compile(rf"\(([^()\n{ADDRESS}]{{1,200}})\)\(({ADDRESS})\)"), _broken_link),
    _Sign(re.compile(rf"\[([^\[\]]{{1,200}})\]({ADDRESS})\)?"), _broken_link),
    _Sign(
        re.compile(rf"<{ADDRESS}(?!>)|(?<!<){ADDRESS}>"),
        _says("a bracket in {all} has no partner, so readers would see it", "delete it, or write both: <https://…>"),
    ),
    _Sign(
        re.compile(r"\[\^([^\]\s]{1,100})\](?!:)"),
        _says("the footnote [^{0}] has no note", "write the note on a line of its own: `[^{0}]: …`"),
    ),
    _Sign(
        re.compile(r"\^\[([^\[\]]{0,200})\]?"),
        _says("{all} is not taken as a note", "write [^1], and the note on a line of its own: `[^1]: {0}`"),
    ),
    _Sign(
        re.compile(r"\[([^\[\]]{1,200})\]\[([^\[\]]{0,100})\]"),
        _says(
            "the link {all} has no address, so readers would see its brackets",
            f"write [{{0}}](https://…), {_LITERAL}",
        ),
    ),
    _Sign(re.compile(r"[^\s\[\]]{0,30}\]\([^\s()]{0,30}"), _stray_link),
    _Sign(
        re.compile(r"\[!(?P<kind>\w+)\]"),
        _says("{all} is not taken, so readers would see it", "delete it, and begin with a word in bold: **Note**"),
    ),
    _Sign(
        re.compile(r"==(?=\S)([^=\n]{1,200})=="),
        _says("{all} is not taken as a highlight, so readers would see the signs", "write **{0}**", new="**{0}**"),
    ),
    _Sign(
        re.compile(r"(?<![*\w])\*\*\s+([^*]{1,200}?)\s*\*\*|(?<!\*)\*\*([^*]{1,200}?)\s+\*\*(?!\*)"),
        _says(
            f"{{all}} is not bold, because of a space inside the signs, {_MARKS}",
            "write **{0}{1}**",
            new="**{0}{1}**",
        ),
    ),
    _Sign(
        re.compile(r"(?<!\*)\*{2,3}(?!\*)[^*\n]{0,30}"),
        _says(
            f"the signs in {{all}} have no partner, {_MARKS}",
            r"write **words in bold**, with spaces outside the signs; or \*\* to show the signs",
        ),
    ),
    _Sign(
        re.compile(r"(?<!_)_{2,3}(?!_)[^_\n]{0,30}"),
        _says(
            f"the signs in {{all}} have no partner, {_MARKS}",
            r"write **words in bold**, with spaces outside the signs; or \_\_ to show the signs",
        ),
    ),
    _Sign(
        re.compile(r"(?<!~)~~(?!~)[^~\n]{0,30}"),
        _says(f"the signs in {{all}} have no partner, {_MARKS}", r"write ~~words~~, or \~\~ to show the signs"),
    ),
    _Sign(
        re.compile(r"(?<![\w*])\*([^\s*][^*\n]{0,200}?)\s\*(?!\w)|(?<![\w*])\*\s([^*\n]{0,200}?[^\s*])\*(?!\w)"),
        _says(
            f"{{all}} is not emphasis, because of a space inside the signs, {_MARKS}",
            "write *{0}{1}*",
            new="*{0}{1}*",
        ),
    ),
    _Sign(
        re.compile(rf"[*_~]+{EMPHASIS}|{EMPHASIS}[*_~]+[^*_~\n]{{0,20}}"),
        _says("the signs before and after a word do not match, so readers would see {all}", _EVEN),
    ),
    _Sign(
        re.compile(r"(?<=[^\n][\s(“«\"])([*_])(?=[^\W_])[^*_\n]{1,30}(?![^*_]*\1)"),
        _says("the sign {0} in {all} has no partner, so readers would see it", _EVEN),
    ),
    _Sign(
        re.compile(r"(?<![\w~])~([^\s~.][^~.\n]{0,60})~(?![\w~])"),
        _says("{all} is not struck through, so readers would see the signs", "write ~~{0}~~", new="~~{0}~~"),
    ),
    _Sign(
        re.compile(r"(?<=\w)([\^~])[^\s^~]{1,20}\1"),
        _says(
            "{all} is not taken, so readers would see the signs", "type the raised or lowered character itself: ² or ₂"
        ),
    ),
    _Sign(
        re.compile(r"`+[^`\n]{0,30}"),
        _says(
            "the backtick in {all} has no partner, so readers would see it",
            r"write ' for an apostrophe, `words` for code, or \` to show it",
        ),
    ),
    _Sign(
        re.compile(r"\{\s{0,3}(?:[.#:][\w-]|\w{1,20}\s{0,3}=|lang\s{0,3}:)[^{}\n]{0,60}\}"),
        _says(
            "{all} is not taken here, so readers would see it",
            "delete it; only a language may stand in braces, as in [Gracias]{{lang=es}}",
        ),
    ),
    _Sign(
        re.compile(r"(?<![\w:]):[a-z][a-z0-9_+-]{1,30}:(?![\w:])"),
        _says("{all} is not taken as an emoji, so readers would see the word", f"paste the emoji itself, {_LITERAL}"),
    ),
    _Sign(re.compile(r"\[TOC\]", re.IGNORECASE), _says("{all} is not taken, so readers would see it", "delete it")),
    _Sign(
        re.compile(
            rf"&(?:#\d{{1,7}}|#[xX][0-9A-Fa-f]{{1,6}}|{_ENTITIES}|mdash|ndash|hellip|[lr][sd]quo)\b;?|&[a-z]{{2,20}};"
        ),
        _entity,
    ),
)
_ANY_SIGN = re.compile(r"[<>\[\]()*_~`{=:&^]")


@lru_cache(maxsize=4096)  # after an edit, most blocks are the same as before
def losses_in(flat: FlatText) -> tuple[ContentLoss, ...]:
    """Return what was not taken within the lines of a block."""
    return tuple(_losses_in(flat))


def _losses_in(flat: FlatText) -> Iterator[ContentLoss]:
    if not _ANY_SIGN.search(flat.text):
        return
    claimed: list[tuple[int, int]] = []
    for sign in _SIGNS:
        own: list[tuple[int, int]] = []
        for match in sign.pattern.finditer(flat.text):
            if _is_claimed(match.start(), claimed):
                continue
            own.append(match.span())
            if (words := sign.words(match, flat)) is not None:
                yield ContentLoss(flat.line_at(match.start()), *words)
        claimed = sorted([*claimed, *own])


def _is_claimed(position: int, spans: list[tuple[int, int]]) -> bool:
    before = bisect_right(spans, position, key=itemgetter(0))
    return before > 0 and position < spans[before - 1][1]
