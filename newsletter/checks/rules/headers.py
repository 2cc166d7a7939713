"""What stands in the inbox list: sender, subject, preheader."""

import re
from collections.abc import Iterable

from newsletter.checks.base import CheckContext, Problem, error, rule, warning
from newsletter.checks.reading.document import normalised
from newsletter.model.finding import Severity
from newsletter.model.rendered import RenderedVariant
from newsletter.model.slots import Template, value_of_nobody

SUBJECT_LENGTH = range(10, 79)
PREHEADER_LENGTH = range(40, 111)
_USUAL_NAME = "Alexandra"
_EMOJI = re.compile(r"[\U0001F000-\U0001FAFF\u2600-\u27BF\u2B05-\u2B55\u20E3\uFE0F]")
# How mail programs of several languages mark an answer and a forwarded mail; a space must follow the colon.
_ANSWER = re.compile(
    r"\W*(?P<mark>re|aw|sv|vs|antw|odp|ynt|res|rif|回复|答复|返信|fw|fwd|wg|tr|rv|enc|doorst|转发|轉寄)"
    r"\s?(?:\[\d+\]|\(\d+\))?[:\N{FULLWIDTH COLON}](?=\s|$)",
    re.IGNORECASE,
)


@rule("H5", source="Gmail's sender rules")
def check_sender(context: CheckContext) -> Iterable[Problem]:
    """The sender's name is a name alone.

    Emoji beside the sender look like marks of the mail program itself, and a sender who carries the reader's name
    deceives.
    """
    name = context.subject.settings.newsletter.from_name
    place = context.config_place("newsletter", "from")
    if match := _EMOJI.search(name):
        what = f"the sender's name {name} holds {match[0]}, and Gmail asks for names without emoji"
        yield error(place, what, "delete it from `from` of [newsletter]")
    if "{{" in name:
        what = f"the sender's name {name} addresses the reader, which Gmail forbids"
        yield error(place, what, "write only who sends into `from` of [newsletter]")


@rule("H6", source="Gmail's sender rules")
def check_false_answer(context: CheckContext) -> Iterable[Problem]:
    """The subject does not pretend to be an answer.

    “Re:” and “Fwd:” on a mail that answers nothing are taken for deceit, by filters and by readers.
    """
    variant = context.subject.rendered.fullest
    if match := _ANSWER.match(_usual(variant.subject, variant)):
        what = f"the subject begins with {match['mark']}: but answers nothing, which Gmail counts as deceit"
        yield error(context.subject.issue.source.at("subject"), what, "delete it")


@rule("S15", severity=Severity.WARNING)
def check_preheader(context: CheckContext) -> Iterable[Problem]:
    """The preheader has 40 to 110 characters and adds to the subject.

    It stands beside the subject in the inbox. A short one is filled up with whatever the mail begins with.
    """
    variant = context.subject.rendered.fullest
    preheader = _usual(variant.preheader, variant)
    place = context.subject.issue.source.at("preheader")
    if normalised(preheader) == normalised(_usual(variant.subject, variant)):
        yield warning(place, "the preheader repeats the subject", "say there what else the issue brings")
    if len(preheader) not in PREHEADER_LENGTH:
        yield warning(place, *_length("preheader", len(preheader), PREHEADER_LENGTH))


@rule("S16", severity=Severity.WARNING)
def check_subject(context: CheckContext) -> Iterable[Problem]:
    """The subject has 10 to 78 characters.

    A shorter one says little, and of a longer one a phone shows the first half.
    """
    variant = context.subject.rendered.fullest
    length = len(_usual(variant.subject, variant))
    if length not in SUBJECT_LENGTH:
        yield warning(context.subject.issue.source.at("subject"), *_length("subject", length, SUBJECT_LENGTH))


def _usual(template: Template, variant: RenderedVariant) -> str:
    """Return a text with each field's default in its place, or a name of nine letters."""
    return template.fill(tuple(value_of_nobody(slot.source) or _USUAL_NAME for slot in variant.slots)).strip()


def _length(name: str, length: int, wanted: range) -> tuple[str, str]:
    effect = "too few to say much" if length < wanted.start else "and most inboxes cut it off"
    return f"the {name} has {length} characters, {effect}", f"write {wanted.start} to {wanted.stop - 1}"


RULES = (check_sender, check_false_answer, check_preheader, check_subject)
