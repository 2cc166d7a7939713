"""Checks of structure: what email apps need in the HTML, what they reject, and the plain text."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import chain, repeat
from operator import itemgetter

from newsletter.checks.base import IN_TEMPLATES, CheckContext, Problem, error, remembered, rule, shown, warning
from newsletter.checks.reading.document import MailDocument, Tag, words_of
from newsletter.model.finding import Severity
from newsletter.model.web_address import WEB_ADDRESS, comparable_address

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
_THEME = "show it in your own templates in templates/text/, or delete the template to use the built-in one"
_OURS = "this is a fault in this program, not in your text; report it, and send this file with the report"


@rule("S5", source="Gmail's behavior, as caniemail records it")
def check_nested_rules(context: CheckContext) -> Iterable[Problem]:
    """Nested style rules.

    No @-rule may be inside another block of a style sheet. If one is, Gmail drops the whole style element, and readers
    lose its styles.
    """
    for document in context.documents:
        for style in document.styles:
            for name in _nested_rules(style):
                what = f"a style contains {name} inside another block, so Gmail drops the whole style"
                yield error(context.issue_place, what, f"move {name} out of the other block {IN_TEMPLATES}")


@rule("S7", source="goodemailcode.com")
def check_doctype(context: CheckContext) -> Iterable[Problem]:
    """Missing or repeated doctype.

    The HTML must begin with exactly one `<!doctype html>`. Without it, email apps fall back to the layout rules of the
    1990s, and readers see a broken layout.
    """
    for document in context.documents:
        if not _DOCTYPE.match(document.html.lstrip()) or len(_DOCTYPE.findall(document.html)) > 1:
            what = "the HTML does not begin with exactly one <!doctype html>, so email apps may display it incorrectly"
            yield error(context.issue_place, what, f"correct this {IN_TEMPLATES}")


@rule("S8")
def check_comments(context: CheckContext) -> Iterable[Problem]:
    """Unbalanced comments for Outlook.

    Each comment for Outlook must be closed, and so must each element in these comments. Classic Outlook takes its
    layout from them. A comment that is never closed hides the rest of the email.
    """
    for document in context.documents:
        if not _conditions_alternate(document.html):
            what = "a comment for Outlook is not closed, or closed twice, so parts of the email may not appear"
            yield error(context.issue_place, what, f"correct this {IN_TEMPLATES}")
        elif unbalanced := _unbalanced_ghosts(document.outlook_comments):
            what = f"the comments for Outlook open and close <{unbalanced}> a different number of times"
            yield error(context.issue_place, what, f"correct this {IN_TEMPLATES}")


@rule("S9")
def check_active_content(context: CheckContext) -> Iterable[Problem]:
    """Scripts, forms, frames or embedded data.

    The HTML must not contain scripts, forms, frames or images embedded as data. Email apps remove them, and spam
    filters treat them as an attack.
    """
    for document in context.documents:
        for name in sorted({tag.name for tag in document.tags} & _ACTIVE):
            what = f"the HTML contains <{name}>, which email apps remove or treat as an attack"
            yield error(context.issue_place, what, f"link to a page that contains it instead {IN_TEMPLATES}")
        values = [
            *document.styles,
            *chain.from_iterable(map(_picture_values, (*document.tags, *document.outlook_tags))),
        ]
        if "data:" in "\n".join(values).lower() and any(map(_DATA_URL.match, values)):
            what = "an image is embedded in the HTML as a data: URL, which Gmail and Outlook do not show"
            yield error(
                context.issue_place,
                what,
                "save the image in the images/ folder of the issue, and write its name, such as images/photo.jpg",
            )


@rule("S11", source="rspamd's rules", severity=Severity.WARNING)
def check_foreign_styles(context: CheckContext) -> Iterable[Problem]:
    """External style sheets.

    The HTML should not load style sheets or fonts from other sites. Most email apps ignore them, and spam filters count
    them against the email.
    """
    for document in context.documents:
        linked = any(
            tag.name == "link" and "stylesheet" in tag.attributes.get("rel", "").lower().split()
            for tag in document.tags
        )
        if linked or any(_IMPORT.search(style) for style in document.styles):
            what = "the HTML loads a style sheet or a font from another site, which spam filters count against it"
            remedy = f"under [brand] in newsletter.toml, use fonts that readers have on their devices {IN_TEMPLATES}"
            yield warning(context.issue_place, what, remedy)


@remembered
def _picture_values(tag: Tag) -> Iterator[str]:
    """Yield the value of every attribute that may contain the address of an image."""
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
    """Return an element that the comments for Outlook open and close a different number of times, or None."""
    balance: dict[str, int] = {}
    for comment in comments:
        for match in _GHOST.finditer(comment):
            if not match["empty"]:
                name = match["name"].lower()
                balance[name] = balance.get(name, 0) + (-1 if match["close"] else 1)
    return next((name for name, count in balance.items() if count), None)


@rule("S2", severity=Severity.WARNING)
def check_text_part(context: CheckContext) -> Iterable[Problem]:
    """Incomplete plain text.

    The plain text must contain every link of the HTML, and at least 80% of its words. Some readers choose plain text,
    and smart watches show it. Spam filters distrust an email whose plain text differs from the HTML.
    """
    for document in context.documents:
        yield from _missing_links(context, document)
    share, poorest = min(((_share_of_words(each), each) for each in context.documents), key=itemgetter(0))
    if share < WORDS_SHARED:
        lacking = _longest_lacking_line(poorest)
        what = (
            f"the plain text has only {share:.0%} of the words in the HTML: it lacks, for example, “{shown(lacking)}”"
        )
        yield warning(context.text_place(lacking), what, _remedy(context))


def _missing_links(context: CheckContext, document: MailDocument) -> Iterator[Problem]:
    told = [_told_in(line) for line in document.text.splitlines()]
    there = frozenset[str]().union(*(words for words, _ in told))
    written = frozenset[str]().union(*(addresses for _, addresses in told))
    for link in document.links:
        spellings = _spellings(link.address)
        # An address without a recipient, as in a link for passing an email on, is shown as nothing.
        is_there = "" in spellings or not there.isdisjoint(spellings) or comparable_address(link.address) in written
        if link.address.startswith(_TOLD) and not is_there:
            place = context.link_place(link.address, link.text)
            what = f"the link to {link.address} is missing from the plain text"
            yield warning(place, what, _remedy(context))


@lru_cache(maxsize=8192)  # an edit changes few lines
def _told_in(line: str) -> tuple[frozenset[str], frozenset[str]]:
    """Return the words of a line without the signs around them, and the web addresses in it."""
    words = frozenset(word.strip(_AROUND) for word in line.split())
    return words, frozenset(comparable_address(found[0]) for found in WEB_ADDRESS.finditer(line))


def _remedy(context: CheckContext) -> str:
    """Return what to do: without text templates of their own, the user cannot have caused the problem."""
    own, _ = context.subject.template_folders
    return _THEME if (own / "text").is_dir() else _OURS


def _spellings(address: str) -> set[str]:
    """Return the forms of an address in plain text: unchanged, and without `mailto:` and its parameters."""
    bare = address.removeprefix("mailto:").partition("?")[0] if address.startswith("mailto:") else address
    return {address.strip(_AROUND), bare.strip(_AROUND)}


def _share_of_words(document: MailDocument) -> float:
    """Return the share of the HTML's words, repetitions included, that the plain text also contains."""
    there, counts = Counter(document.text_words), Counter(document.words)
    shared = sum(map(min, counts.values(), map(there.get, counts, repeat(0))))
    return shared / len(document.words) if document.words else 1.0


def _longest_lacking_line(document: MailDocument) -> str:
    """Return the line of the HTML with the most words that are missing from the plain text."""
    there = set(document.text_words)
    return max(document.lines, key=lambda line: len(set(words_of(line)) - there))


RULES = (check_text_part, check_nested_rules, check_doctype, check_comments, check_active_content, check_foreign_styles)
