"""Conditional comments, as classic Outlook for Windows reads them: `<!--[if mso]> … <![endif]-->`.

Outlook 2016, 2019, 2021 and 365 all say that they are version 16.
"""

import re

_WORD_VERSION = 16.0
# The contents of the first form are seen by all other apps too; those of the second only where the condition holds.
_SEEN_BY_OTHERS = re.compile(
    r"<!--\[if ([^\]]*)\]>\s*<!--(?:\s*--)?>(.*?)<!--\s*<!\[endif\]-->|<!\[if ([^\]]*)\]>(.*?)<!\[endif\]>",
    re.DOTALL | re.IGNORECASE,
)
_HIDDEN_FROM_OTHERS = re.compile(r"<!--\[if ([^\]]*)\]>(?!\s*<!--)(.*?)<!\[endif\]-->", re.DOTALL | re.IGNORECASE)
_TOKENS = re.compile(r"[()!&|]|[a-z]+|\d+(?:\.\d+)?", re.IGNORECASE)
_COMPARED = {
    "gt": lambda version, than: version > than,
    "gte": lambda version, than: version >= than,
    "lt": lambda version, than: version < than,
    "lte": lambda version, than: version <= than,
}


def resolved(html: str) -> str:
    """Return the HTML that Word reads: the contents of comments whose condition holds, without those of others."""

    def chosen(match: re.Match[str]) -> str:
        groups = [group for group in match.groups() if group is not None]
        return groups[1] if holds(groups[0]) else ""

    return _HIDDEN_FROM_OTHERS.sub(chosen, _SEEN_BY_OTHERS.sub(chosen, html))


def holds(condition: str) -> bool:
    """Return whether a condition holds in Word, such as `gte mso 9` or `(mso)|(IE)`. A broken one does not."""
    tokens = [token.lower() for token in _TOKENS.findall(condition)]
    try:
        return _alternatives(tokens) and not tokens
    except IndexError:
        return False


def _alternatives(tokens: list[str]) -> bool:
    found = _conjunction(tokens)
    while tokens and tokens[0] == "|":
        tokens.pop(0)
        found = _conjunction(tokens) or found
    return found


def _conjunction(tokens: list[str]) -> bool:
    found = _single(tokens)
    while tokens and tokens[0] == "&":
        tokens.pop(0)
        found = _single(tokens) and found
    return found


def _single(tokens: list[str]) -> bool:
    word = tokens.pop(0)
    if word == "!":
        return not _single(tokens)
    if word == "(":
        found = _alternatives(tokens)
        tokens.pop(0)  # the closing bracket
        return found
    compare = _COMPARED.get(word)
    name = tokens.pop(0) if compare else word
    version = float(tokens.pop(0)) if tokens and tokens[0][0].isdigit() else None
    if name in {"vml", "true"}:
        return True
    if name != "mso":
        return False
    if version is None:
        return True
    return compare(_WORD_VERSION, version) if compare else version == _WORD_VERSION
