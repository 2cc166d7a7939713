"""Checks of what the inbox shows: sender, subject and preheader."""

import re
from collections.abc import Iterable, Iterator

from newsletter.checks.base import CheckContext, Problem, error, rule, warning
from newsletter.checks.reading.document import has_words, listed, normalized
from newsletter.errors import Fix
from newsletter.language.counts import count_of
from newsletter.model.finding import Place, Severity
from newsletter.model.rendered import RenderedVariant
from newsletter.model.slot_sources import value_of_nobody
from newsletter.model.slots import Template

SUBJECT_LENGTH = range(10, 79)
PREHEADER_LENGTH = range(40, 111)
_USUAL_NAME = "Alexandra"
_MANY_MARKS = re.compile(r"[!！]{2,}|[?？]{2,}|[!?！？]{3,}|\${3,}")
_SPACES = re.compile(r"[ \u00a0\u3000]{2,}")
_DOUBLE_SPACE = re.compile(rf"(?<!\S)\S+{_SPACES.pattern}\S+")
_LETTERS = re.compile(r"[^\W\d_]+")
_VIEW_IN_BROWSER = {normalized(phrase): phrase for phrase in listed("view_in_browser.txt")}
# A preheader that names the browser tells readers to open the email there.
_BROWSER = re.compile(
    r"\b(?:browser|navegador|navigateur|webbläsare|nettleser|tarayıc|przegląda|браузер|דפדפן|متصفح)|ブラウザ|浏览器|瀏覽器|브라우저"
    r"|ה?דפדפן|المتصفح",
    re.IGNORECASE,
)
_ANY_ISSUE = frozenset(map(normalized, listed("subjects_of_any_issue.txt")))
_EMOJI = re.compile(r"[\U0001F000-\U0001FAFF\u2600-\u27BF\u2B05-\u2B55\u20E3\uFE0F]")
# The prefixes of replies and forwarded emails in email apps in several languages. A space must follow the colon.
_ANSWER = re.compile(
    r"\W*(?P<mark>re|aw|antw|antwort|antwoord|sv|svar|vs|vá|odp|ynt|yan|res|rif|r|réf|réponse|respuesta|resposta"
    r"|risposta|atb|ats|bls|tl|απ|ответ|отв|השב|תגובה|תשובה|رد|回复|回覆|答复|答覆|返信|回信|회신|답장"
    r"|fw|fwd|forward|forwarded|wg|weitergeleitet|weiterleitung|tr|transf|transféré|rv|reenviar|reenviado|enc"
    r"|encaminhada|encaminhado|i|inoltra|inoltrato|doorst|doorgestuurd|vb|vl|vidarebefordrat|videresendt|továbbítás|pd"
    r"|prz|ilt|i̇lt|iletildi|trs|ct|yml|πρθ|σχετ|пересл|пер|переслано|הועבר|העברה|إعادة توجيه|إعادة|محول"
    r"|转发|轉寄|轉發|転送|전달)"
    r"(?:\s?(?:\[\d+\]|\(\d+\)|\^\d+))?\s?[:\N{FULLWIDTH COLON}](?=\s|$|[^\x00-\x7f])",
    re.IGNORECASE,
)


@rule("H5", source="Gmail's sender rules")
def check_sender(context: CheckContext) -> Iterable[Problem]:
    """Emoji or merge fields in the sender name.

    The sender name must be only your name. Emoji in it look like marks of the email app itself. A sender name
    that contains the reader's own name is misleading.
    """
    name = context.subject.settings.newsletter.from_name
    place = context.config_place("newsletter", "from")
    if match := _EMOJI.search(name):
        what = f"the sender name {name} contains {match[0]}, but Gmail does not allow emoji in it"
        yield error(place, what, f"delete {match[0]} from `from` in this line")
    if "{{" in name:
        what = f"the sender name {name} contains a merge field, but Gmail does not allow the reader's name in it"
        yield error(place, what, "write only your own name and address in `from`")


@rule("H6", source="Gmail's sender rules")
def check_false_answer(context: CheckContext) -> Iterable[Problem]:
    """Misleading “Re:” or “Fwd:” in the subject.

    The subject must not begin like a reply or a forwarded email. If the email is neither, filters and readers see
    that as deception.
    """
    variant = context.subject.rendered.fullest
    if match := _ANSWER.match(_usual(variant.subject, variant)):
        what = (
            f"the subject begins with “{match['mark']}:” but is not a reply or forward, which Gmail treats as deceptive"
        )
        place, remedy = context.subject.issue.source.at("subject"), f"delete “{match['mark']}:” from `subject`"
        yield error(place, what, remedy, fix=Fix(old=f"{match['mark']}: ", new=""))


@rule("S15", severity=Severity.WARNING)
def check_preheader(context: CheckContext) -> Iterable[Problem]:
    """Unhelpful preheader.

    The preheader should have 40 to 110 characters. It should not repeat the subject, shout, or say “View this email in
    your browser”. It appears beside the subject in the inbox. If it is short, email apps add the first words of the
    email.
    """
    variant = context.subject.rendered.fullest
    preheader = _usual(variant.preheader, variant)
    place = context.subject.issue.source.at("preheader")
    words, subject = normalized(preheader), normalized(_usual(variant.subject, variant))
    if words and words == subject:
        yield warning(place, "the preheader repeats the subject", "in `preheader`, say what else is in the issue")
    elif subject and f"{words} ".startswith(f"{subject} "):
        yield warning(place, "the preheader begins with the subject", "in `preheader`, say what else is in the issue")
    known = (said for phrase, said in _VIEW_IN_BROWSER.items() if f" {phrase} " in f" {words} ")
    browser = _BROWSER.search(preheader)
    if phrase := next(known, browser[0] if browser else ""):
        what = f"the preheader says “{phrase}”, which tells readers nothing about the issue"
        yield warning(place, what, "in `preheader`, say what else is in the issue")
    yield from _careless("preheader", preheader, place)
    if len(preheader) not in PREHEADER_LENGTH:
        yield warning(place, *_length("preheader", len(preheader), PREHEADER_LENGTH))


@rule("S16", severity=Severity.WARNING)
def check_subject(context: CheckContext) -> Iterable[Problem]:
    """Unhelpful subject.

    The subject should have 10 to 78 characters, and words. A shorter one says little, and phones show only the first
    half of a longer one. It should say more than “Newsletter” or your newsletter's name, which readers already see as
    the sender. It should not shout: capitals and several exclamation marks are typical of spam.
    """
    variant = context.subject.rendered.fullest
    subject = _usual(variant.subject, variant)
    place = context.subject.issue.source.at("subject")
    if len(subject) not in SUBJECT_LENGTH:
        yield warning(place, *_length("subject", len(subject), SUBJECT_LENGTH))
    if normalized(subject) in {*_ANY_ISSUE, normalized(context.subject.settings.newsletter.name)}:
        what = f"the subject “{subject}” fits every issue, so readers do not learn what is in this one"
        yield warning(place, what, "in `subject`, say what is new in this issue")
    yield from _careless("subject", subject, place)


@rule("S17", severity=Severity.WARNING)
def check_new_subject(context: CheckContext) -> Iterable[Problem]:
    """Subject of an earlier issue.

    The subject must differ from those of all earlier issues. Otherwise readers think that they have already read this
    one. Some email apps also show both as one conversation.
    """
    issue = context.subject.issue
    own = normalized(issue.fields.subject).casefold()
    for earlier in reversed(context.subject.earlier):
        if normalized(earlier.subject).casefold() == own:
            what = f"the subject is the same as that of the issue {earlier.name}"
            yield warning(issue.source.at("subject"), what, "in `subject`, say what is new in this issue")
            return


def _careless(name: str, text: str, place: Place) -> Iterator[Problem]:
    """Yield a problem for each way in which a subject or preheader looks like spam or an accident."""
    if text and not has_words(text):
        yield warning(
            place, f"the {name} has no words, so a screen reader says little or nothing", f"write words in `{name}`"
        )
    if _is_shouted(text):
        yield warning(place, f"the {name} is in capitals, which is typical of spam", "write it as an ordinary sentence")
    if match := _MANY_MARKS.search(text):
        yield warning(
            place,
            f"the {name} contains {match[0]}, which is typical of spam",
            f"write {match[0][0]} once, or not at all",
            fix=Fix(old=match[0], new=match[0][0]),
        )
    if match := _DOUBLE_SPACE.search(text):
        fix = Fix(old=match[0], new=_SPACES.sub(" ", match[0]))
        yield warning(place, f"the {name} contains two spaces in a row", "delete one of them", fix=fix)


def _is_shouted(text: str) -> bool:
    """Return whether nearly all letters of several words are capitals. An abbreviation or two is not shouting."""
    words = [word for word in _LETTERS.findall(text) if len(word) > 1 and word.upper() != word.lower()]
    shouted = [word for word in words if word.isupper()]
    return any(len(word) > 4 for word in shouted) and len(shouted) > 1 and 4 * len(shouted) >= 3 * len(words)


def _usual(template: Template, variant: RenderedVariant) -> str:
    """Return the text with each merge field replaced by its default, or by a nine-letter name."""
    return template.fill(tuple(value_of_nobody(slot.source) or _USUAL_NAME for slot in variant.slots)).strip()


def _length(name: str, length: int, wanted: range) -> tuple[str, str]:
    effect = "too few to say much" if length < wanted.start else "so most inboxes cut it off"
    return (
        f"the {name} has {count_of(length, 'character')}, {effect}",
        f"write {wanted.start} to {wanted.stop - 1} characters in `{name}`",
    )


RULES = (check_sender, check_false_answer, check_preheader, check_subject, check_new_subject)
