"""Checks of translations: what they lack, what was only copied, and the words that the law requires."""

from collections.abc import Iterable, Iterator

from newsletter.checks.base import CheckContext, Problem, error, rule, shown, warning
from newsletter.config import CONFIG_FILE
from newsletter.language.words import language_name
from newsletter.model.finding import Place, Severity
from newsletter.model.issue import Issue, Item, Section
from newsletter.model.prose import Prose

_FEWEST_WORDS = 5  # shorter texts may be names, which are the same in every language


@rule("T1", severity=Severity.WARNING, is_once=True)
def check_completeness(context: CheckContext) -> Iterable[Problem]:
    """Incomplete translations.

    A language that you have begun should be complete: the subject, the preheader, the title and every section. Readers
    of that language otherwise get the issue, or the section, in another one.
    """
    issue, identity = context.whole.issue, context.subject.settings
    offered = {*identity.languages.offered, identity.newsletter.language, issue.language}
    for gap in issue.gaps:
        if gap.language not in offered:
            yield warning(gap.place, gap.what, gap.remedy)
        elif gap.language in issue.translations:
            until = "that section" if issue.mixes_languages and gap.section else "the issue"
            told = f"until then, its readers get {until} in {language_name(issue.language)}"
            yield warning(gap.place, gap.what, f"{gap.remedy}; {told}")


@rule("T2", severity=Severity.WARNING, is_once=True)
def check_copies(context: CheckContext) -> Iterable[Problem]:
    """Text that was copied but not translated.

    The text of a translation must differ from the original. In a file that was copied to be translated, a text is
    easily overlooked.
    """
    issue = context.whole.issue
    for code, translation in issue.translations.items():
        for original, place in _copies(issue, translation, code):
            what = f"“{shown(original)}” is the same as in the original, so it is not in {language_name(code)}"
            yield warning(place, what, "translate it, or delete the file until you do")


@rule("T3", source="GDPR, articles 12 and 13", is_once=True)
def check_footers(context: CheckContext) -> Iterable[Problem]:
    """Footers in another language than the email.

    The sentence that says why readers get the email must be in their language. They must understand it to know how to
    leave. Before a broadcast, only the languages of its readers count.
    """
    identity, issue = context.subject.settings.newsletter, context.whole.issue
    reached = {variant.language for variant in context.whole.rendered.variants}
    for code in issue.languages[1:]:
        if code not in reached:
            continue
        if identity.said_in(code, "reason").language.partition("-")[0] != code.partition("-")[0]:
            what = f"the footer has no reason in {language_name(code)}"
            remedy = f'add a line such as `reason = "…"` under [newsletter.wording.{code}] in {CONFIG_FILE}'
            yield error(context.config_place("newsletter", "reason"), what, remedy)


def _copies(issue: Issue, translation: Issue, code: str) -> Iterator[tuple[str, Place]]:
    if _is_same(issue.fields.subject, translation.fields.subject):
        yield translation.fields.subject, translation.source.at("subject")
    originals = {section.name: section for section in issue.sections}
    for section in translation.sections:
        if section.language == code:
            yield from _copied(originals[section.name], section)
            items = {item.name: item for item in originals[section.name].items}
            for item in section.items:
                yield from _copied(items[item.name], item)


def _copied(original: Section | Item, translation: Section | Item) -> Iterator[tuple[str, Place]]:
    words = _words(translation.prose)
    if _is_same(_words(original.prose), words):
        line = next((token.map[0] for token in translation.prose.tokens if token.map), None)
        yield words, Place(path=translation.source.path, line=line)


def _is_same(original: str, translation: str) -> bool:
    return original == translation and len(original.split()) >= _FEWEST_WORDS


def _words(prose: Prose) -> str:
    return " ".join(token.content for token in prose.tokens if token.type == "inline")


RULES = (check_completeness, check_copies, check_footers)
