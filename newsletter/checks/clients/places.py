"""The lines of the workspace's own templates that use a feature."""

import os
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path

from msgspec import Struct

from newsletter.checks.clients.features import Kind, Sign
from newsletter.model.finding import Place

_NOT_OF_THE_MAIL = frozenset({"text", "web"})  # folders of the theme whose templates do not produce an email's HTML
_COMMENT = re.compile(r"\{#.*?#\}|/\*.*?\*/|<!--(?!\[).*?-->", re.DOTALL)
_RULE = r"(?:^|[>}}])[^<{{}}]*{}[^<{{]*\{{(?![{{%#])"  # a line that begins a style rule with this selector
_WRITTEN: Mapping[Kind, str] = {
    Kind.PROPERTY: r"(?<![\w-]){0}\s*:|<mj-[^>]*\s{0}\s*=",
    Kind.VALUE: r"(?<![\w-]){}(?![\w-])",
    Kind.FUNCTION: r"(?<!\w){}\(",
    Kind.UNIT: r"\d{}(?![\w-])",
    Kind.AT_RULE: r"@(?:-webkit-)?{}(?![\w-])",
    Kind.MEDIA_FEATURE: r"\((?:-webkit-)?(?:min-|max-)?{}(?![\w-])",
    Kind.SELECTOR: r":{}(?![\w-])",
    Kind.ELEMENT: r"<{}\b",
    Kind.ATTRIBUTE: r"\s{}(?:\s*=|\s*/?>|\s+[\w-]+\s*=)",
    Kind.PICTURE: r"\.{}(?![\w-])",
}
_SWITCHED = r"<mj-(?:accordion|carousel|navbar)\b"  # MJML builds these from hidden checkboxes
_SPECIAL: Mapping[Sign, str] = {
    Sign(Kind.ELEMENT, "input type=checkbox"): rf"<input\b[^>]*checkbox|{_SWITCHED}",
    Sign(Kind.ELEMENT, "input type=radio"): rf"<input\b[^>]*radio|{_SWITCHED}",
    Sign(Kind.SELECTOR, ":checked"): rf":checked|{_SWITCHED}",
    Sign(Kind.PROPERTY, "--*"): r"(?<![\w-])--[\w-]+\s*:",
    Sign(Kind.PROPERTY, "background-image"): r"background(?:-image|-url)\s*[:=]|background\s*:[^;]*(?:url|gradient)\(",
    Sign(Kind.PICTURE, "base64"): r"data:image",
    Sign(Kind.SELECTOR, ">"): _RULE.format(r"[\w\])*]\s*>\s*[\w.#\[*:]"),
    Sign(Kind.SELECTOR, "+"): _RULE.format(r"[\w\])*]\s*\+\s*[\w.#\[*:]") + f"|{_SWITCHED}",
    Sign(Kind.SELECTOR, "~"): _RULE.format(r"[\w\])*]\s*~\s*[\w.#\[*:]") + f"|{_SWITCHED}",
    Sign(Kind.SELECTOR, "*"): _RULE.format(r"(?<![/\w])\*"),
    Sign(Kind.SELECTOR, "attribute"): _RULE.format(r"\[[\w-]+[^\]]*\]"),
    Sign(Kind.SELECTOR, "chaining"): _RULE.format(r"\.[\w-]+\.[\w-]+"),
}


class TemplateLine(Struct, frozen=True, kw_only=True):
    """A line of the workspace's theme that is not in the built-in theme."""

    place: Place
    text: str


def own_lines(folders: tuple[Path, Path]) -> tuple[TemplateLine, ...]:
    """Return the lines of a workspace's templates that are not in the built-in theme.

    `folders` are the workspace's templates and the built-in ones. If both are the same folder, no lines are returned.
    """
    own, built_in = folders
    if not own.is_dir() or own.samefile(built_in):
        return ()
    return _own_lines(own, _files(own), _files(built_in))


def places_of(sign: Sign, lines: Iterable[TemplateLine]) -> tuple[Place, ...]:
    """Return the lines that contain a sign, or none if a single line cannot show it."""
    lines = tuple(lines)
    pattern = _pattern(sign) if lines else None
    return () if pattern is None else tuple(line.place for line in lines if pattern.search(line.text))


_File = tuple[Path, int, int]  # path, modification time in nanoseconds, and size


def _files(folder: Path) -> tuple[_File, ...]:
    found = []
    for inside, folders, names in os.walk(folder):
        if inside == str(folder):
            folders[:] = [name for name in folders if name not in _NOT_OF_THE_MAIL]
        for name in names:
            if name.endswith(".j2") and not name.startswith("."):
                path = Path(inside, name)
                stat = path.stat()
                found.append((path, stat.st_mtime_ns, stat.st_size))
    return tuple(found)


@lru_cache(maxsize=4)
def _own_lines(folder: Path, own: tuple[_File, ...], built_in: tuple[_File, ...]) -> tuple[TemplateLine, ...]:
    known = {line.strip() for path, _, _ in built_in for line in _lines(path)}
    return tuple(
        TemplateLine(place=Place(path=f"{folder.name}/{path.relative_to(folder).as_posix()}", line=number), text=line)
        for path in sorted(path for path, _, _ in own)
        for number, line in enumerate(_lines(path), start=1)
        if line.strip() not in known
    )


def _lines(path: Path) -> list[str]:
    """Return the lines of a template, with spaces in place of comments."""
    text = path.read_text(encoding="utf-8", errors="replace")
    return _COMMENT.sub(lambda comment: re.sub(r"[^\n]", " ", comment[0]), text).split("\n")


@lru_cache(maxsize=512)
def _pattern(sign: Sign) -> re.Pattern[str] | None:
    """Return a pattern for a sign in CSS, in HTML or as an attribute of MJML, or None if one line is not enough."""
    if sign in _SPECIAL:
        return re.compile(_SPECIAL[sign], re.IGNORECASE)
    if sign.kind is Kind.SELECTOR and not sign.name.startswith(":"):
        return None
    word, _, condition = sign.name.partition(" ")  # `input type=text`, `display: grid`
    name, _, value = re.escape(word.strip(":")).partition("=")  # `href=mailto:`
    if sign.kind is Kind.VALUE and condition:
        name += rf"\s*:\s*{re.escape(condition)}"
    elif condition:
        key, _, its = condition.partition("=")
        name += rf"\b[^>]*\b{re.escape(key)}\s*=\s*[\"']?{re.escape(its)}"
    written = rf"\s{name}\s*=\s*[\"']?{value}" if value else _WRITTEN[sign.kind].format(name)
    return re.compile(written, re.IGNORECASE)
