"""Checks of what the inbox shows: sender, subject and preheader."""

import re
from collections.abc import Iterable

from newsletter.checks.base import CheckContext, Problem, error, rule, warning
from newsletter.checks.reading.document import normalized
from newsletter.language.counts import count_of
from newsletter.model.finding import Severity
from newsletter.model.rendered import RenderedVariant
from newsletter.model.slots import Template, value_of_nobody

SUBJECT_LENGTH = range(10, 79)
PREHEADER_LENGTH = range(40, 111)
_USUAL_NAME = "Alexandra"
_EMOJI = re.compile(r"[\U0001F000-\U0001FAFF\u2600-\u27BF\u2B05-\u2B55\u20E3\uFE0F]")
# The prefixes of replies and forwarded emails in email apps in several languages. A space must follow the colon.
_ANSWER = re.compile(
    r"\W*(?P<mark>re|aw|sv|vs|antw|odp|ynt|res|rif|回复|答复|返信|fw|fwd|wg|tr|rv|enc|doorst|转发|轉寄)"
    r"\s?(?:\[\d+\]|\(\d+\))?[:\N{FULLWIDTH COLON}](?=\s|$)",
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
        yield error(context.subject.issue.source.at("subject"), what, f"delete “{match['mark']}:” from `subject`")


@rule("S15", severity=Severity.WARNING)
def check_preheader(context: CheckContext) -> Iterable[Problem]:
    """Unhelpful preheader.

    The preheader should have 40 to 110 characters and not repeat the subject. It appears beside the subject in the
    inbox. If it is short, email apps add the first words of the email.
    """
    variant = context.subject.rendered.fullest
    preheader = _usual(variant.preheader, variant)
    place = context.subject.issue.source.at("preheader")
    if normalized(preheader) == normalized(_usual(variant.subject, variant)):
        yield warning(place, "the preheader repeats the subject", "in `preheader`, say what else is in the issue")
    if len(preheader) not in PREHEADER_LENGTH:
        yield warning(place, *_length("preheader", len(preheader), PREHEADER_LENGTH))


@rule("S16", severity=Severity.WARNING)
def check_subject(context: CheckContext) -> Iterable[Problem]:
    """Subject too short or too long.

    The subject should have 10 to 78 characters. A shorter one says little, and phones show only the first half of a
    longer one.
    """
    variant = context.subject.rendered.fullest
    length = len(_usual(variant.subject, variant))
    if length not in SUBJECT_LENGTH:
        yield warning(context.subject.issue.source.at("subject"), *_length("subject", length, SUBJECT_LENGTH))


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
