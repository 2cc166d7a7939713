"""Check of languages: text in another script or language must say so, because screen readers pronounce it."""

from collections.abc import Iterable, Iterator
from functools import lru_cache

from markdown_it.token import Token

from newsletter.checks.base import CheckContext, Problem, rule, shown, warning
from newsletter.language.other import language_beside, script_beside
from newsletter.language.words import language_name
from newsletter.model.finding import Place, Severity
from newsletter.model.issue import Item, Section
from newsletter.model.prose import Prose
from newsletter.model.slots import MERGE_TOKEN
from newsletter.model.web_address import WEB_ADDRESS


@rule("A14", source="WCAG 2.2, success criterion 3.1.2", severity=Severity.WARNING)
def check_languages(context: CheckContext) -> Iterable[Problem]:
    """Text in another language without a mark.

    A paragraph in another language than the issue must say so. Screen readers pronounce it by the rules of its
    language, and browsers choose the right forms of its letters.
    """
    issue, language = context.subject.issue, context.subject.issue.language
    for section in (each for each in issue.sections if each not in issue.borrowed):  # which say their own language
        parts: list[Section | Item] = [section, *section.items]
        for part in parts:
            for text, line in _unmarked(part.prose):
                found = _other(text, language)
                if found is None:
                    continue
                place = Place(path=part.source.path, line=line)
                what = (
                    f"“{shown(context.readable(text))}” is in {found[0]}, but the issue is in {language_name(language)}"
                )
                code = f"{{lang={found[1]}}}"
                remedy = f"write {code} on the line above the paragraph or list, or [the words]{code} around them"
                yield warning(place, what, remedy)


@lru_cache(maxsize=4096)  # after an edit, most paragraphs are the same as before
def _other(text: str, language: str) -> tuple[str, str] | None:
    """Return what a text is in, in words and as an example of a code, if it is plainly not the language."""
    text = WEB_ADDRESS.sub("", MERGE_TOKEN.sub("", text))
    if script := script_beside(text, language):
        return f"{script} letters", _EXAMPLES.get(script, "en")
    if other := language_beside(text, language):
        return language_name(other), other
    return None


_EXAMPLES = {
    "Arabic": "ar",
    "Chinese": "zh",
    "Cyrillic": "ru",
    "Devanagari": "hi",
    "Greek": "el",
    "Hebrew": "he",
    "Japanese": "ja",
    "Korean": "ko",
}


def _unmarked(prose: Prose) -> Iterator[tuple[str, int]]:
    """Yield the text and line of each block that is inside nothing with a stated language."""
    stated = 0
    for token in prose.tokens:
        if token.nesting == 1 and (stated or "lang" in token.attrs):
            stated += 1
        elif token.nesting == -1 and stated:
            stated -= 1
        elif token.type == "inline" and not stated:
            yield "".join(_words(token.children or [])), token.map[0] if token.map else 1


def _words(children: Iterable[Token]) -> Iterator[str]:
    """Yield the words of a block, without code, addresses and phrases whose language is stated."""
    stated, in_address = 0, False
    for token in children:
        if token.type in {"span_open", "span_close"}:
            stated += token.nesting
        elif token.type in {"link_open", "link_close"} and token.info == "auto":
            in_address = token.nesting == 1
        elif token.type in {"softbreak", "hardbreak"}:
            yield " "
        elif token.type == "text" and not stated and not in_address:
            yield token.content


RULES = (check_languages,)
