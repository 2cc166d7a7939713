"""What stands in the inbox list: sender, subject, preheader."""

import re
from collections.abc import Iterable

from newsletter.checks.base import Evidence, Fault, error, warning
from newsletter.checks.reading.values import usual_values
from newsletter.checks.reading.words import normalised
from newsletter.model.rendered import RenderedVariant
from newsletter.model.slots import Template

SUBJECT_LENGTH = range(10, 79)
PREHEADER_LENGTH = range(40, 111)
_EMOJI = re.compile(r"[\U0001F000-\U0001FAFF\u2600-\u27BF\u2B05-\u2B55\u20E3\uFE0F]")
# How mail programs of several languages mark an answer and a forwarded mail; a space must follow the colon.
_ANSWER = re.compile(
    r"\W*(?P<mark>re|aw|sv|vs|antw|odp|ynt|res|rif|回复|答复|返信|fw|fwd|wg|tr|rv|enc|doorst|转发|轉寄)"
    r"\s?(?:\[\d+\]|\(\d+\))?[:\N{FULLWIDTH COLON}](?=\s|$)",
    re.IGNORECASE,
)


def check_sender(evidence: Evidence) -> Iterable[Fault]:
    """The sender's name is a name alone."""
    name = evidence.subject.settings.newsletter.from_name
    place = evidence.config_place("newsletter", "from")
    if match := _EMOJI.search(name):
        what = f"the sender's name {name} holds {match[0]}, and Gmail asks for names without emoji"
        yield error(place, what, "delete it from `from` of [newsletter]")
    if "{{" in name:
        what = f"the sender's name {name} addresses the reader, which Gmail forbids"
        yield error(place, what, "write only who sends into `from` of [newsletter]")


def check_false_answer(evidence: Evidence) -> Iterable[Fault]:
    """The subject does not pretend to answer or to forward."""
    variant = evidence.subject.rendered.fullest
    if match := _ANSWER.match(_usual(variant.subject, variant)):
        what = f"the subject begins with {match['mark']}: but answers nothing, which Gmail counts as deceit"
        yield error(evidence.subject.issue.source.at("subject"), what, "delete it")


def check_preheader(evidence: Evidence) -> Iterable[Fault]:
    """The preheader fills its place in the inbox list, and adds something to the subject."""
    variant = evidence.subject.rendered.fullest
    preheader = _usual(variant.preheader, variant)
    place = evidence.subject.issue.source.at("preheader")
    if normalised(preheader) == normalised(_usual(variant.subject, variant)):
        yield warning(place, "the preheader repeats the subject", "say there what else the issue brings")
    if len(preheader) not in PREHEADER_LENGTH:
        yield warning(place, *_length("preheader", len(preheader), PREHEADER_LENGTH))


def check_subject(evidence: Evidence) -> Iterable[Fault]:
    """The subject is long enough to say something, and short enough to be shown."""
    variant = evidence.subject.rendered.fullest
    length = len(_usual(variant.subject, variant))
    if length not in SUBJECT_LENGTH:
        yield warning(evidence.subject.issue.source.at("subject"), *_length("subject", length, SUBJECT_LENGTH))


def _usual(template: Template, variant: RenderedVariant) -> str:
    return template.fill(usual_values(variant.slots)).strip()


def _length(name: str, length: int, wanted: range) -> tuple[str, str]:
    what = f"the {name} has {length} characters"
    if length < wanted.start:
        return f"{what}, too few to say much", f"write {wanted.start} to {wanted.stop - 1}"
    return f"{what}, and most inboxes cut it off", f"write {wanted.start} to {wanted.stop - 1}"
