"""Placeholders: what people write where a text is still missing, in many languages.

The words are in `data/placeholders.toml`. A phrase is looked for only if the text has its first word, because hundreds
of searches in each paragraph would take longer than all other checks.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from functools import cache, lru_cache
from importlib.resources import files
from itertools import chain

from msgspec import Struct

from newsletter.checks.reading.document import normalized
from newsletter.model.typography import IDEOGRAPHS, has_sign_in

_WORD = re.compile(r"[^\W\d_]+")
# Scripts without spaces between words, so that a phrase may stand inside other words.
_UNSPACED = (*IDEOGRAPHS, ("\uac00", "\ud7af"))
# Angle brackets and braces count as square ones: “<<insert quote>>”, “{name}”.
_BRACKETS = re.compile(
    r"[\[<{\u3010\uff3b](?P<square>[^\[\]<>{}\u3010\u3011\n]{1,60})[\]>}\u3011\uff3d]|[(\uff08](?P<round>[^()\n]{2,40})[)\uff09]"
)
# Upper case only for the first group, because "todo" is a Spanish word. TK Maxx is a shop.
_NOTE = re.compile(
    r"""(?<![\w@/.-])(?:
        (?P<note>TKTK|TK(?!\s?Maxx)|TODO|FIXME|PLACEHOLDER|CHANGEME)
      | (?i:XXX+|t\.?b\.?[dca]\b\.?)
    )(?![\w/-])
    # “PLEASE CHECK with Maria”, but not “PLEASE CHECK YOUR SPAM FOLDER”
    | (?<!\w)(?:(?:PLEASE|PLS|PLZ)\ (?:ADD|CHECK|CONFIRM|REPLACE|REVIEW|UPDATE|VERIFY)(?!\ YOUR)
        | BITTE\ (?:EINFÜGEN|ERGÄNZEN|ERSETZEN|PRÜFEN)|À\ (?:COMPLÉTER|CONFIRMER|VÉRIFIER)
        | (?:POR|A)\ (?:COMPLETAR|CONFIRMAR|REVISAR)|DA\ (?:COMPLETARE|CONFERMARE|VERIFICARE))(?!\w)
    | (?<!\S)(?:@{3,}|<{3,}|>{3,})                                      # “@@@ ask Maria”
    | (?<!\w)_{4,}(?!\w)                                               # a blank to fill in
    | (?:(?<=:\s)|(?<=[(\[])|\A)\?{2,}(?!\w)                            # “Where: ??”
    | (?<![〇一二三四五六七八九十])(?:〇{2,}|○{2,}|◯{2,}|●{2,})(?![一二三四五六七八九十])  # circles, in Japanese
    | (?<!\w)(?i:dear|hi|hello|liebe[rs]?|hallo|cher|chère|bonjour|hola|querid[oa]|estimad[oa]|car[oa]|gentile|ciao
        |beste|hej|kära|sevgili|merhaba|дорогой|дорогая|уважаемый|здравствуйте)\s
        (?:(?:FIRST\s?)?NAME|VORNAME|NOM|PRÉNOM|NOMBRE|NOME|NAAM|NAMN|İSİM|ИМЯ|X+|\.\.\.|…|_{2,})
        (?=[,!\s]|$)  # “Dear NAME”
    # a made-up telephone number
    | (?<![\d+(:])(?<!\d[ .,])(?:\+?0{2,3}(?:[ .-]0+){2,}|0{7,}|123[ .-]?456[ .-]?7890)(?!\d)
    | (?i:(?<![\w./-])(?:xx(?:[.:/-]xx)+|[€$£]\s?xx+|xx+\s?[€%]|\d\d:xx|\d{2}xx|\d{2,4}[ .-]x{3,}))(?![\w/])
    | [€$£¥]\s?\?+ | (?<![\w?])\?+\s?[€%]                              # “€??”
    | (?i:(?<![\w./-])(?:
        (?:dd|tt|jj|gg|mm)[./-](?:mm|dd)(?:[./-](?:yy|jj|aa|gg){1,2})?  # DD/MM/YYYY
        | (?:yy|jj|aa){1,2}-mm-(?:dd|tt|jj) | hh:mm
    ))(?![\w/])
    """,
    re.VERBOSE,
)
_SHOUTABLE = frozenset({"TODO"})  # a word that a heading in capitals may contain in the languages below
_SHOUTING_LANGUAGES = frozenset({"ca", "es", "gl", "it", "pt"})
_FOR_READERS = re.compile(r"t\.?b\.?a\.?", re.IGNORECASE)  # "to be announced" may be meant for readers


class Words(Struct, frozen=True, kw_only=True):
    """The lists of `data/placeholders.toml`."""

    missing: frozenset[str]
    beside: frozenset[str]
    articles: frozenset[str]
    verbs: frozenset[str]
    phrases: tuple[str, ...]
    open: frozenset[str]
    remarks: frozenset[str]
    announced: frozenset[str]
    cues: tuple[str, ...]
    instructions: tuple[str, ...]  # patterns
    here: frozenset[str]
    whole: frozenset[str]
    starts: re.Pattern[str]  # the marks of an unfinished or copied issue, at the start or end of a title


class Placeholder(Struct, frozen=True, kw_only=True):
    """A placeholder in a text: its position, and its words."""

    position: int
    words: str

    @property
    def may_be_meant(self) -> bool:
        """Whether it may be meant for readers."""
        return _FOR_READERS.fullmatch(self.words) is not None or normalized(self.words) in _words().announced


@lru_cache(maxsize=8192)  # an edit changes few texts
def placeholders_in(text: str, language: str) -> tuple[Placeholder, ...]:
    """Return the placeholders in a text, which may have several lines, in order.

    TODO does not count in a heading in capitals if it is a word in the language. Of two placeholders that overlap, the
    second is left out.
    """
    apart: list[Placeholder] = []
    end = -1
    for position, words in sorted(_all_in(text, language), key=lambda found: (found[0], -len(found[1]))):
        if position >= end:
            end = position + len(words)
            apart.append(Placeholder(position=position, words=" ".join(words.split())))
    return tuple(apart)


def _all_in(text: str, language: str) -> Iterator[tuple[int, str]]:
    """Yield all phrases, notes and brackets in a text, with their positions."""
    plain = f" {normalized(text)} "
    phrases = (phrase for word in set(plain.split()) for phrase in _phrases_by_word().get(word, ()))
    patterns = [_pattern_of(phrase) for words, phrase in phrases if words in plain]
    small = text.casefold()
    if any(cue in small for cue in _words().cues):
        patterns += _instructions()
    notes = (match for match in _NOTE.finditer(text) if _is_note(match, text, language))
    brackets = (match for match in _BRACKETS.finditer(text) if _is_bracketed(match))
    others = (match for pattern in patterns for match in pattern.finditer(text))
    yield from ((match.start(), match[0]) for match in chain(notes, brackets, others))


@cache
def _phrases_by_word() -> Mapping[str, Sequence[tuple[str, str]]]:
    """Return the phrases by their first word, each with its words between spaces."""
    phrases: dict[str, list[tuple[str, str]]] = {}
    for phrase in _words().phrases:
        words = normalized(phrase)
        phrases.setdefault(words.split()[0], []).append((f" {words} ", phrase))
    return phrases


@lru_cache(maxsize=4096)  # an edit changes few of these texts
def is_only_placeholder(text: str) -> bool:
    """Return whether a title, a name, a button or a description is nothing but a placeholder."""
    known, words = _words(), normalized(text).split()
    return " ".join(words) in known.whole or _names_what_is_missing(words)


def _names_what_is_missing(words: Sequence[str]) -> bool:
    """Return whether a title ends like “Workshop name here”."""
    return len(words) > 1 and words[-1] in _words().here and words[-2] in _words().missing


@lru_cache(maxsize=256)
def draft_mark_in(title: str) -> str | None:
    """Return the words that mark a subject or title as unfinished or copied, such as `[TEST]`, or None."""
    match = _words().starts.search(title)
    return match[0].strip(" -–—") if match else None


def _is_note(match: re.Match[str], text: str, language: str) -> bool:
    is_word = match["note"] in _SHOUTABLE and language in _SHOUTING_LANGUAGES and _is_shouted(text)
    return not is_word or text[match.end() :].startswith(":")


def _is_bracketed(match: re.Match[str]) -> bool:
    """Return whether the words in brackets name only what is missing, or say what to put there."""
    known = _words()
    is_square, inside = match["square"] is not None, match["square"] or match["round"]
    words = _WORD.findall(inside.casefold())
    if not words:
        return is_square and "?" in inside
    if has_sign_in(inside, _UNSPACED) and any(verb in inside for verb in known.verbs):
        return any(word in inside for word in known.missing)
    tells = len(words) > 1 and (words[0] in known.verbs or words[-1] in known.verbs)
    if " ".join(words) in known.open or (is_square and tells):
        return True
    names_only = all(word in known.missing or word in known.beside or word in known.verbs for word in words)
    is_missing = names_only and any(word in known.missing for word in words)
    if not is_square:
        return is_missing and tells and "your" not in words
    begins = words[words[0] in known.beside :][:1]
    is_label = len(words) > 1 and begins and begins[0] in known.missing and not known.remarks.intersection(words)
    return (is_missing or bool(is_label)) and words[0] not in known.articles


def _is_shouted(line: str) -> bool:
    """Return whether a line of several words is in capitals, like some headings in the plain text."""
    return line.isupper() and len(line.split()) > 1


@cache  # compiled when a text contains the words, because there are two hundred phrases, and most issues have none
def _pattern_of(phrase: str) -> re.Pattern[str]:
    words = r"\s+".join(re.escape(word) for word in phrase.split())
    bounded = words if has_sign_in(phrase, _UNSPACED) else rf"(?<!\w){words}(?!\w)"
    return re.compile(bounded, re.IGNORECASE)


@cache
def _instructions() -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(pattern, re.IGNORECASE) for pattern in _words().instructions)


@lru_cache(maxsize=1)
def _words() -> Words:
    said = tomllib.loads(files("newsletter").joinpath("checks", "data", "placeholders.toml").read_text("utf-8"))
    drafts, copies, copied = ("|".join(map(re.escape, said[name])) for name in ("drafts", "copies", "copied"))
    starts = (
        rf"\A\W{{0,3}}[\[(【](?:{drafts})[\])】]|\A\W{{0,3}}(?:{drafts})\s?[:\uff1a]|\A\W{{0,3}}(?:{drafts})\s[-–—]\s"
        rf"|\A\W{{0,3}}(?:{copies})\s|[\[(]\s?(?:{copied})\s?\d*[\])]\s*\Z|\s[-–—]\s(?:{copied})(?:\s?\(?\d+\)?)?\s*\Z"
        r"|\A\W{0,3}(?-i:TEST|DRAFT|ENTWURF|BORRADOR|BROUILLON)\b(?!-)|\s[-–—]\s(?-i:FINAL|CHECK|DRAFT|TEST|WIP|ENTWURF|BORRADOR|BROUILLON|BOZZA)\s*\Z"
        r"|のコピー\s*\Z|[\s_]v\d+(?:\.\d+)?(?:[\s_]final)*\s*\Z|[\s_]final[\s_]v?\d+\s*\Z|_final\s*\Z"
        rf"|[\[(【]\s?(?:{drafts}|(?:final\s?)?v\d+(?:\s?final)*)\s?[\])】]\s*\Z"
    )
    return Words(
        missing=frozenset(said["missing"]),
        beside=frozenset([*said["beside"], *said["articles"]]),
        articles=frozenset(said["articles"]),
        verbs=frozenset(said["verbs"]),
        phrases=(*said["phrases"], *said["announced"]),
        announced=frozenset(map(normalized, said["announced"])),
        open=frozenset(said["open"]),
        remarks=frozenset(said["remarks"]),
        cues=tuple(said["cues"]),
        instructions=tuple(said["instructions"]),
        here=frozenset(said["here"]),
        whole=frozenset(map(normalized, said["whole"])),
        starts=re.compile(starts, re.IGNORECASE),
    )
