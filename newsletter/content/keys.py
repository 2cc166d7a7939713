"""Reads the values of keys: some take a line of Markdown, all others only words."""

import html
import re
from collections.abc import Callable, Mapping
from contextlib import suppress

from newsletter.content.markdown import parse_line
from newsletter.errors import FaultError
from newsletter.model.prose import Prose, ProseLine
from newsletter.model.typography import in_quotes

_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,30});")
_SIGNS = re.compile(r"([!-/:-@\[-`{-~])")
_USUAL_SIGNS = re.compile(r"([\\`*_\[<&~^])")  # those of most Markdown
_ESCAPE = re.compile(rf"\\{_SIGNS.pattern}")
_TAG = re.compile(r"</?[A-Za-z][^<>]*>")
_SPACES = re.compile(r"\s+")


def read_line(text: str) -> str:
    """Return a line of Markdown as words with emphasis and links. Raise FaultError if readers would see its signs."""
    parsed = parse_line(text)
    if parsed.losses:
        raise FaultError(parsed.losses[0].what, parsed.losses[0].remedy)
    if parsed.prose.pictures:
        raise FaultError("a key cannot show an image", "move the image into the text below the keys")
    words = _words(parsed.prose)
    return ProseLine(words, parsed.prose) if _is_marked(parsed.prose) else words


def read_plain(text: str) -> str:
    """Return a text in which a backslash before a sign means the sign. Raise FaultError if it contains Markdown."""
    parsed = parse_line(text)
    has_entity = any(html.unescape(match[0]) != match[0] for match in _ENTITY.finditer(text))
    if not (parsed.losses or has_entity or _is_marked(parsed.prose, links=False)):
        return _ESCAPE.sub(r"\1", text)
    words = _SPACES.sub(" ", _TAG.sub("", _words(parsed.prose))).strip()
    what = "this key takes only words, so readers would see its Markdown or HTML"
    if not words or parse_line(words).losses:
        raise FaultError(what, "delete the signs, or write a backslash before each to show it")
    raise FaultError(what, f"write {in_quotes(words)}")


def as_plain(text: str) -> str:
    """Return a text as a key that takes only words needs it: with backslashes, if it looks like Markdown."""
    for signs in (None, _USUAL_SIGNS, _SIGNS):
        written = signs.sub(r"\\\1", text) if signs else text
        with suppress(FaultError):
            if "<!--" not in written and read_plain(written) == text:
                return written
    return written


LINE_READERS: Mapping[str, Callable[[str], str]] = {"read_line": read_line, "read_plain": read_plain}


def _words(prose: Prose) -> str:
    return "".join(
        " " if child.type == "hardbreak" else child.content for token in prose.tokens for child in token.children or []
    )


def _is_marked(prose: Prose, *, links: bool = True) -> bool:
    """Return whether the prose is more than words. Without `links`, an address that is written out counts as words."""
    return any(
        child.type != "text" and (links or child.info != "auto" or child.markup != "linkify")
        for token in prose.tokens
        for child in token.children or []
    )
