"""Names that are not names: what someone writes into a name field so that an email of ours carries it to others.

A stranger who signs up someone else chooses the name with which our email greets that person. Email apps turn a web
address in it into a link, so “Win 5000 € at example.com” would arrive as an offer from us. A name that could deceive
its reader is never merged into an email.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

from newsletter.model.typography import shortened

_LONGEST_NAME = 100
_MOST_WORDS = 12
_SENTENCE_WORDS = 7  # a text of this many words is a sentence if most of them begin in lower case
# Controls that change the direction of the text around them. The marks of Arabic and Hebrew (LRM, RLM, ALM) do not.
_DIRECTION = re.compile("[\u202a-\u202e\u2066-\u2069]")
_WEB_ADDRESS = re.compile(r"https?:|://|www\.|[^\W_]\.[^\W\d_]{2,}/", re.IGNORECASE)
_DOMAIN = re.compile(r"(?:[^\W_](?:[\w-]*[^\W_])?\.)+(?P<ending>[^\W\d_]{2,})(?!\w)")
_NUMBER = re.compile(r"[\s().-]?".join([r"\d"] * 7))  # written out, because that is found three times as fast
_MONEY = re.compile(r"[$€£¥₹₽₿]|\b(?:bitcoin|btc|crypto|viagra|cialis|jackpot|airdrop)\b", re.IGNORECASE)
_OFFER = re.compile(
    r"\b(?:click|claim|prize|winner|bonus|giveaway|congratulations?|won|free|money|usd|euros?|gewonnen|gewinn|geld|gratis"
    r"|gagné|félicitations|argent|ganado|felicidades|premio|dinero|vinto|soldi|ganhou|dinheiro|gewonnen|vunnit|kazandınız"
    r"|выиграли|приз|деньги|זכית|פרס|ربحت|جائزة)\b",
    re.IGNORECASE,
)
# A name of one or two words with neither these signs nor a long number is harmless. A set and a search that begins with
# a space are used because they take a fifth of the time of one pattern for everything, and there may be millions of
# names. Single digits are no sign, because looking at each name of a chunk takes longer than the rest of personalizing.
_SIGNS = frozenset("/@:.$€£¥₹₽₿\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_THREE_WORDS = re.compile(r" \S+ +\S")
_WORDS = ("bitcoin", "btc", "crypto", "viagra", "cialis", "jackpot", "airdrop", "当選", "中奖", "奖金", "賞金")


def may_deceive(names: Sequence[str]) -> bool:
    """Return whether some of the names may be doubtful, so that each of them has to be looked at."""
    joined = "\n".join(names)
    small = joined.lower()
    return (
        not _SIGNS.isdisjoint(joined)
        or _THREE_WORDS.search(joined) is not None
        or _NUMBER.search(joined) is not None
        or max(map(len, names), default=0) > _LONGEST_NAME
        or any(word in small for word in _WORDS)
    )


def without_deceit(names: Sequence[str]) -> Sequence[str]:
    """Return the names with an empty string in place of each one that could deceive its reader."""
    return ["" if doubt_about_name(name) else name for name in names] if may_deceive(names) else names


@lru_cache(maxsize=4096)  # a chunk asks about each name several times, and many people share a name
def doubt_about_name(name: str) -> str:
    """Return why a text cannot be merged into an email as a name, or an empty string."""
    if not may_deceive([name]):
        return ""
    if len(name) > _LONGEST_NAME:
        return f"the name {name[:40]!r}… is longer than {_LONGEST_NAME} characters"
    doubt = next((what for what, is_true in _DOUBTS.items() if is_true(name)), "")
    return doubt and f"the name {shortened(name)!r} {doubt}"


def _has_domain(name: str) -> bool:
    """Return whether email apps would see a host name, whose ending must exist: example.com, but not St.John."""
    found = [match for match in _DOMAIN.finditer(name) if len(match[0].partition(".")[0]) > 1]
    if not found:
        return False
    from linkify_it.tlds import TLDS  # a long list, which few names need

    return any(match["ending"].upper() in TLDS for match in found)


def _speaks_of_money(name: str) -> bool:
    is_offer = len(name.split()) > 2 and _OFFER.search(name)
    return bool(is_offer or _MONEY.search(name) or any(word in name.lower() for word in _WORDS[-4:]))


def _is_sentence(name: str) -> bool:
    words = name.split()
    small = sum(word[:1].islower() for word in words)
    return len(words) > _MOST_WORDS or (len(words) >= _SENTENCE_WORDS and 2 * small > len(words))


_DOUBTS: Mapping[str, Callable[[str], bool]] = {
    "contains characters that change the direction of the text": lambda name: bool(_DIRECTION.search(name)),
    "contains an email address": lambda name: "@" in name,
    "contains a web address": lambda name: bool(_WEB_ADDRESS.search(name)) or _has_domain(name),
    "contains a telephone number": lambda name: bool(_NUMBER.search(name)),
    "speaks of money": _speaks_of_money,
    "is a sentence": _is_sentence,
}
