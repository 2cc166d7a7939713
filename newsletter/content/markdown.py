"""Parses Markdown: raw HTML stays text, and links and images are listed with their lines."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any
from urllib.parse import unquote

from linkify_it import LinkifyIt
from markdown_it import MarkdownIt
from markdown_it.token import Token

from newsletter.model.finding import Place
from newsletter.model.issue import Prose, ProseLink, ProsePicture

# Arabic, Chinese and Japanese punctuation that ends a web address, just as a comma does.
_PARTED = str.maketrans(dict.fromkeys("،؛؟。、，；：！？（）「」『』《》【】…", " "))


class _WholeAddresses(LinkifyIt):  # type: ignore[misc]  # linkify-it-py has no types
    """Finds web addresses that begin with http:// or https://. Domain names and email addresses stay plain text."""

    def __init__(self) -> None:
        super().__init__(options={"fuzzy_link": False, "fuzzy_email": False, "fuzzy_ip": False})
        for scheme in ("ftp:", "//", "mailto:"):
            self.add(scheme, None)

    def match(self, text: str) -> Any:
        """Return all addresses in the text."""
        return super().match(text.translate(_PARTED))

    def match_at_start(self, text: str) -> Any:
        """Return the address that the text begins with."""
        return super().match_at_start(text.translate(_PARTED))


# CommonMark with tables and strikethrough. Raw HTML is text, because content must never become markup. Complete
# addresses become links: email apps would link them anyway, in a blue that is unreadable in dark mode.
_PARSER = MarkdownIt("commonmark", {"html": False, "typographer": False, "linkify": True})
_PARSER.enable(["table", "strikethrough", "linkify"])
_PARSER.linkify = _WholeAddresses()


_BREAKS = frozenset({"softbreak", "hardbreak"})


# Cached by content, which is safe because no caller changes the tokens.
@lru_cache(maxsize=512)
def parse_markdown(text: str, *, path: str, first_line: int) -> Prose:
    """Parse the Markdown of a file. `first_line` is the line of the file on which the Markdown begins."""
    tokens = _PARSER.parse(text)
    links: list[ProseLink] = []
    pictures: list[ProsePicture] = []
    for block in tokens:
        if block.type != "inline" or block.children is None:
            continue
        line = first_line + (block.map[0] if block.map else 0)
        for token in block.children:
            place = Place(path=path, line=line)
            if token.type == "link_open":
                words = _link_text(block.children, token)
                links.append(ProseLink(text=words, url=str(token.attrs["href"]), place=place))
            elif token.type == "image":
                # The parser encodes spaces and letters such as é, as in a web address. This is the name of a file.
                named, title = unquote(str(token.attrs["src"])), str(token.attrs.get("title", ""))
                token.attrs["src"] = named
                pictures.append(ProsePicture(path=named, alt=token.content, title=title, place=place))
            elif token.type in _BREAKS:
                line += 1
    return Prose(tokens=tuple(tokens), first_line=first_line, links=tuple(links), pictures=tuple(pictures))


def _link_text(children: Sequence[Token], opening: Token) -> str:
    start = next(index for index, token in enumerate(children) if token is opening)
    words: list[str] = []
    for token in children[start + 1 :]:
        if token.type == "link_close":
            break
        words.append(" " if token.type in _BREAKS else token.content)
    return "".join(words).strip()
