"""Finds the settings at the top of a Markdown file, between two lines of three dashes.

Word processors and other tools write these lines in many ways: with a blank line above them, with other dashes, or not
at all. Without a check, the settings would then be printed for all readers, because Markdown takes them for a heading.
"""

import re
from typing import Final

from msgspec import Struct

from newsletter.errors import FaultError, Fix
from newsletter.model.issue_fields import SECTION_TYPES, EventFields
from newsletter.model.typography import in_quotes, shortened

_FENCE = re.compile(r"---[ \t]*")
_LONGEST_FENCE: Final = 80
_DASHES: Final = "-‐‑‒–—―−⸺⸻﹘﹣－ー─━"
_UNSEEN: Final = "\u200b\u200c\u200d\u2060\ufeff\u00ad"
# Lines that mark settings in other tools, or that a word processor made of three dashes.
_LIKE_A_FENCE = re.compile(
    rf"[\s{_UNSEEN}\\]*+(?P<signs>[{_DASHES}](?:[\s{_UNSEEN}]*+[{_DASHES}])*|\+{{2,}}|={{3,}}|\*{{3,}}|_{{3,}}|;;;|\.\.\."
    rf"|[\"'“”‘’]-++[\"'“”‘’])[\s{_UNSEEN}]*+(?P<word>yaml|yml|toml|#.*)?[\s{_UNSEEN}]*+",
    re.IGNORECASE,
)
_PAIR = re.compile(r"(?P<key>[A-Za-z_][\w-]*+)[ \t]*+(?P<sign>[:=：])(?P<value>[ \t].*|)")
# The first lines of settings on the same line as the dashes, in JSON, or in a code block.
_AFTER_DASHES = re.compile(rf"[{_DASHES}]{{2,9}}[ \t]*+(?P<pair>(?P<key>[A-Za-z_][\w-]*+)[ \t]*+:.*)")
_JSON = re.compile(r"\{?[ \t]*+\"(?P<key>[A-Za-z_][\w-]*+)\"[ \t]*+:.*")
_BELOW_A_KEY = re.compile(r"[ \t]|-[ \t]|#|$")  # more lines of a value, items, comments, and blank lines
_CODE = re.compile(r" {0,3}(?P<signs>`{3,}|~{3,})")
_KEYS: Final = frozenset(
    {"type"}.union(*(each.fields.model_fields for each in SECTION_TYPES.values()), EventFields.model_fields)
)


class FrontMatter(Struct, frozen=True):
    """The lines of the settings. `end` is the index of the closing line of dashes; the opening line has index 0."""

    end: int


class FenceFault(Struct, frozen=True):
    """A wrong line around the settings: its index in the file, and what is wrong with it."""

    index: int
    fault: FaultError


def find_front_matter(lines: list[str]) -> FrontMatter | FenceFault | None:
    """Return where the settings end, or what is wrong with the lines around them. Without settings, return None."""
    if not _FENCE.fullmatch(lines[0]):
        return _misplaced(lines, 0)
    has_only_pairs, is_after_blank = True, False
    for index, line in enumerate(lines[1:], start=1):
        if _FENCE.fullmatch(line):
            return _misplaced(lines, index + 1) or FrontMatter(index)
        # An indented line may be part of a text of several lines, and a single dash may begin an item.
        if (match := _like_a_fence(line)) and match["signs"] != "-" and (has_only_pairs or not line[0].isspace()):
            return FenceFault(index, _fault_in_fence(match, line, "end"))
        is_pair = _PAIR.fullmatch(line) is not None
        if is_after_blank and not is_pair and not _BELOW_A_KEY.match(line):
            what = f"the settings have no closing line above “{shortened(line)[:40]}”"
            return FenceFault(index, FaultError(what, "write a line of three dashes above it: ---"))
        has_only_pairs, is_after_blank = has_only_pairs and is_pair, not line.strip()
    remedy = "write a line of three dashes below them: ---"
    return FenceFault(0, FaultError("the settings at the top have no closing line", remedy))


def _misplaced(lines: list[str], start: int) -> FenceFault | None:
    """Return the fault if there are settings from line `start` on, where readers would see them."""
    code = ""  # the signs that close the code block around a line
    first = next((index for index in range(start, len(lines)) if not _is_blank(lines[index])), len(lines))
    if start == 0 and first < len(lines) and (fault := _in_another_form(lines, first) or _without_fence(lines, first)):
        return fault
    for index in range(first, len(lines)):
        line = lines[index]
        match = None if code else _like_a_fence(line)
        if match and _begins_settings(lines, index, is_first=index == first and start == 0):
            if _FENCE.fullmatch(line):
                return FenceFault(index, _not_first(lines[:index]))
            return FenceFault(index, _fault_in_fence(match, line, "begin", lines[index + 1]))
        code = _code_after(code, line)
    return None


def _code_after(code: str, line: str) -> str:
    """Return the signs that will close the code block that is open after a line, or nothing if none is open."""
    match = _CODE.match(line)
    if match is None:
        return code
    if not code:
        return match["signs"]
    return "" if match["signs"].startswith(code) and not line[match.end() :].strip() else code


def _begins_settings(lines: list[str], index: int, *, is_first: bool) -> bool:
    """Return whether the lines after a line that looks like a fence are settings that a second fence closes.

    At the top of a file, a key that this program knows needs no second fence. Further down, all keys must be known.
    """
    below = index + 1
    if not is_first:
        return below < len(lines) and _is_key(lines[below]) and _closing(lines, below, only_known=True) is not None
    while below < len(lines) and _is_blank(lines[below]):
        below += 1
    if below == len(lines):
        return False
    if _is_key(lines[below]):
        return True
    return below == index + 1 and _PAIR.fullmatch(lines[below]) is not None and _closing(lines, below) is not None


def _in_another_form(lines: list[str], first: int) -> FenceFault | None:
    """Return the fault if the file begins with settings in a form that other tools use."""
    line, below = lines[first].strip(), lines[first + 1].strip() if first + 1 < len(lines) else ""
    remedy = "write a line of three dashes above and below them: ---"
    if (match := _AFTER_DASHES.fullmatch(line)) and match["key"] in _KEYS:
        what = f"the settings begin on the same line as the dashes: “{shortened(line)}”"
        return FenceFault(
            first, FaultError(what, f"write --- on its own line, and below it {shortened(match['pair'])}")
        )
    if (match := _JSON.fullmatch(f"{line}{below}" if line == "{" else line)) and match["key"] in _KEYS:
        remedy = f"delete the braces and commas, and {remedy}"
        return FenceFault(first, FaultError("the settings are in braces", remedy))
    is_fence = _FENCE.fullmatch(below) is not None and _begins_settings(lines, first + 1, is_first=True)
    if _CODE.match(line) and (is_fence or _is_key(below)):
        what = f"the settings are in a code block that begins with {shortened(line)}"
        return FenceFault(first, FaultError(what, "delete that line, and the line that ends the block"))
    return None


def _without_fence(lines: list[str], first: int) -> FenceFault | None:
    """Return the fault if the file begins with keys, but without a line of dashes above them."""
    pair = _PAIR.fullmatch(lines[first])
    if pair is None or pair["key"].lower() not in _KEYS:
        return None
    closing = _closing(lines, first)
    # `Notes: a summary` with dashes below it is a heading.
    if pair["key"] not in _KEYS and (closing is None or closing == first + 1):
        return None
    what = f"the settings that begin with “{shortened(lines[first].strip())}” have no line of dashes above them"
    remedy = "write a line of three dashes above and below them: ---"
    if closing is not None and _FENCE.fullmatch(lines[closing]):
        remedy = "write a line of three dashes above them: ---"
    return FenceFault(first, FaultError(what, remedy))


def _closing(lines: list[str], start: int, *, only_known: bool = False) -> int | None:
    """Return the index of the line that looks like a fence and ends the keys from `start` on, or None."""
    for index in range(start, len(lines)):
        line = lines[index]
        if _like_a_fence(line):
            return index
        pair = _PAIR.fullmatch(line)
        if pair is None and not _BELOW_A_KEY.match(line):
            return None
        if pair is not None and only_known and pair["key"] not in _KEYS:
            return None
    return None


def _like_a_fence(line: str) -> re.Match[str] | None:
    return _LIKE_A_FENCE.fullmatch(line) if 0 < len(line) <= _LONGEST_FENCE else None


def _is_key(line: str) -> bool:
    match = _PAIR.fullmatch(line)
    return match is not None and match["key"] in _KEYS


def _is_blank(line: str) -> bool:
    return not line.strip().strip(_UNSEEN)


def _not_first(above: list[str]) -> FaultError:
    if all(_is_blank(line) for line in above):
        number = "a blank line" if len(above) == 1 else f"{len(above)} blank lines"
        what = f"there is {number} above the dashes that begin the settings"
        if len(above) > 1:
            what = f"there are {number} above the dashes that begin the settings"
        return FaultError(what, "delete everything above them, so that --- is on line 1")
    return FaultError(
        "the settings that begin at these dashes are not at the top of the file, so readers would see them",
        "move them to the top, so that --- is on line 1, or delete them",
    )


def _fault_in_fence(match: re.Match[str], line: str, place: str, below: str = "") -> FaultError:
    """Return what is wrong with a line that should be three dashes. `place` is begin or end."""
    signs, shown = match["signs"], shortened(line.strip())
    what = f"the settings {place} with “{shown}” instead of three dashes"
    remedy = "write three dashes on this line, and nothing else: ---"
    fix: Fix | None = Fix(old=line, new="---")
    if set(signs) == {"-"} and len(signs) != 3:
        number = f"{len(signs)} dash{'' if len(signs) == 1 else 'es'}"
        what = f"the line that should {place} the settings has {number} instead of three"
    elif shown == "---":
        what = f"there is a space before the dashes that {place} the settings"
    elif shown.strip(_UNSEEN) == "---":
        what = f"there is an invisible character beside the dashes that {place} the settings"
        remedy = "delete the line, and type it again: ---"
    pair = _PAIR.fullmatch(below)
    if pair is not None and pair["sign"] == "=":
        value = pair["value"].strip()
        value = value if value[:1] in {'"', "'"} else in_quotes(value)
        line = shortened(f"{pair['key']}: {value}")
        remedy, fix = f"write --- above and below the settings, and a colon in place of =: {line}", None
    return FaultError(what, remedy, fix=fix)
