"""How the HTML is built: what mail programs need to find in it, and what they refuse."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from operator import itemgetter

from newsletter.checks.base import THEME_REMEDY, CheckContext, Problem, error, rule, shown, warning
from newsletter.checks.reading.document import MailDocument, words_of
from newsletter.model.finding import Severity

_DOCTYPE = re.compile(r"<!doctype html\b", re.IGNORECASE)
_CONDITION = re.compile(r"<!--\[if [^\]]*\]>|<!\[endif\](?:--)?>")
_GHOST = re.compile(r"<(?P<close>/?)(?P<name>table|tr|td|v:[a-z]+)\b[^>]*?(?P<empty>/?)>", re.IGNORECASE)
_CSS_NOISE = re.compile(r"/\*.*?\*/|\"[^\"]*\"|'[^']*'", re.DOTALL)
_CSS_SIGN = re.compile(r"[{}]|@[A-Za-z-]+")
_IMPORT = re.compile(r"@import\b", re.IGNORECASE)
_DATA_URL = re.compile(r"""\s*data:|.*url\(\s*["']?data:""", re.IGNORECASE | re.DOTALL)
_PICTURE_ATTRIBUTES = ("src", "background", "style")
_ACTIVE = frozenset({"script", "form", "input", "iframe", "object", "embed"})
WORDS_SHARED = 0.8
_AROUND = "<>()[]{}.,;:!?\"'“”«»،؛؟。、！？"
_TOLD = ("https:", "http:", "mailto:")
_THEME = "correct the templates in templates/text/, or delete the changed ones to use the built-in theme"


@rule("S5", source="Gmail's behaviour, as caniemail records it")
def check_nested_rules(context: CheckContext) -> Iterable[Problem]:
    """No style rule is nested.

    An @-rule inside another makes Gmail drop the whole style element.
    """
    for document in context.documents:
        for style in document.styles:
            for name in _nested_rules(style):
                what = f"a style holds {name} inside another block, and Gmail drops the whole style"
                yield error(context.issue_place, what, f"write {name} on its own; {THEME_REMEDY}")


@rule("S7", source="goodemailcode.com")
def check_doctype(context: CheckContext) -> Iterable[Problem]:
    """The HTML begins with one doctype.

    Without it mail programs fall back to the layout rules of the nineties.
    """
    for document in context.documents:
        if not _DOCTYPE.match(document.html.lstrip()) or len(_DOCTYPE.findall(document.html)) > 1:
            what = "the HTML does not begin with one <!doctype html>, so mail programs guess how to show it"
            yield error(context.issue_place, what, THEME_REMEDY)


@rule("S8")
def check_comments(context: CheckContext) -> Iterable[Problem]:
    """The comments for Outlook are balanced.

    Classic Outlook reads its layout from comments. One that is never closed swallows the rest of the mail.

    Each conditional comment is closed before the next, and what they open for Outlook they close.
    """
    for document in context.documents:
        if not _conditions_alternate(document.html):
            what = "a conditional comment for Outlook is not closed, or closed twice; parts of the mail would be lost"
            yield error(context.issue_place, what, THEME_REMEDY)
        elif unbalanced := _unbalanced_ghosts(document.outlook_comments):
            what = f"the comments for Outlook open <{unbalanced}> and close it unequally often"
            yield error(context.issue_place, what, THEME_REMEDY)


@rule("S9")
def check_active_content(context: CheckContext) -> Iterable[Problem]:
    """No script, form, frame or embedded data.

    Mail programs remove them, and filters take them for an attack.
    """
    for document in context.documents:
        for name in sorted({tag.name for tag in document.tags} & _ACTIVE):
            what = f"the HTML holds <{name}>, which mail programs remove or take for an attack"
            yield error(context.issue_place, what, f"link to a page that has it; {THEME_REMEDY}")
        if any("data:" in value.lower() and _DATA_URL.match(value) for value in _picture_values(document)):
            what = "a picture is written into the HTML as data:, which Gmail and Outlook do not show"
            yield error(context.issue_place, what, "put the picture into images/ and name it there")


@rule("S11", source="rspamd's rules", severity=Severity.WARNING)
def check_foreign_styles(context: CheckContext) -> Iterable[Problem]:
    """No style sheet from elsewhere.

    Most mail programs ignore it, and spam filters count it against the mail.
    """
    for document in context.documents:
        linked = any(
            tag.name == "link" and "stylesheet" in tag.attributes.get("rel", "").lower().split()
            for tag in document.tags
        )
        if linked or any(_IMPORT.search(style) for style in document.styles):
            what = "the HTML loads a style sheet or a font from elsewhere, which counts as a sign of spam"
            yield warning(context.issue_place, what, f"name fonts that readers have in [brand]; {THEME_REMEDY}")


def _picture_values(document: MailDocument) -> Iterator[str]:
    """Yield every attribute, and every style, that may name a picture."""
    yield from document.styles
    for tag in (*document.tags, *document.outlook_tags):
        yield from (tag.attributes[name] for name in _PICTURE_ATTRIBUTES if name in tag.attributes)


def _nested_rules(css: str) -> Iterator[str]:
    depth = 0
    for sign in _CSS_SIGN.findall(_CSS_NOISE.sub("", css)):
        if sign == "{":
            depth += 1
        elif sign == "}":
            depth = max(depth - 1, 0)
        elif depth:
            yield sign


def _conditions_alternate(html: str) -> bool:
    is_open = False
    for match in _CONDITION.finditer(html):
        opens = match[0].startswith("<!--")
        if opens == is_open:
            return False
        is_open = opens
    return not is_open


def _unbalanced_ghosts(comments: tuple[str, ...]) -> str | None:
    """Return the name of an element that Outlook's comments, taken together, open and close unequally often."""
    balance: dict[str, int] = {}
    for comment in comments:
        for match in _GHOST.finditer(comment):
            if not match["empty"]:
                name = match["name"].lower()
                balance[name] = balance.get(name, 0) + (-1 if match["close"] else 1)
    return next((name for name, count in balance.items() if count), None)


@rule("S2", severity=Severity.WARNING)
def check_text_part(context: CheckContext) -> Iterable[Problem]:
    """The text part says what the HTML says.

    Some readers choose plain text, watches show it, and filters distrust a mail whose two parts differ.

    Every address of the HTML, and most of its words.
    """
    for document in context.documents:
        yield from _missing_links(context, document)
    share, poorest = min(((_share_of_words(each), each) for each in context.documents), key=itemgetter(0))
    if share < WORDS_SHARED:
        lacking = _longest_lacking_line(poorest)
        what = f"the text part holds {share:.0%} of the words of the HTML, and lacks for example “{shown(lacking)}”"
        yield warning(context.text_place(lacking), f"{what}; filters expect both to say the same", _THEME)


def _missing_links(context: CheckContext, document: MailDocument) -> Iterator[Problem]:
    there = {word.strip(_AROUND) for word in document.text.split()}
    for link in document.links:
        if link.address.startswith(_TOLD) and there.isdisjoint(_spellings(link.address)):
            place = context.link_place(link.address, link.text)
            what = f"the link to {link.address} is missing from the text part"
            yield warning(place, what, _THEME)


def _spellings(address: str) -> set[str]:
    """Return how an address may stand in text: whole, or an e-mail address without what a link adds to it."""
    bare = address.removeprefix("mailto:").partition("?")[0] if address.startswith("mailto:") else address
    return {address.strip(_AROUND), bare.strip(_AROUND)}


def _share_of_words(document: MailDocument) -> float:
    """Return how many of the words of the HTML, each as often as it stands there, the text part has too."""
    there = Counter(document.text_words)
    shared = sum(min(count, there[word]) for word, count in Counter(document.words).items())
    return shared / len(document.words) if document.words else 1.0


def _longest_lacking_line(document: MailDocument) -> str:
    """Return the line of the HTML with the most words that the text part has nowhere."""
    there = set(document.text_words)
    return max(document.lines, key=lambda line: len(set(words_of(line)) - there))


RULES = (check_text_part, check_nested_rules, check_doctype, check_comments, check_active_content, check_foreign_styles)
