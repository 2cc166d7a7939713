"""Checks of texts that were left as they were: those of a new workspace, and those of the issue before."""

from collections.abc import Iterable, Iterator

from newsletter.checks.base import CheckContext, Problem, first_of_each, rule, shown, warning
from newsletter.checks.hosts import is_example
from newsletter.checks.reading.sources import Passage
from newsletter.checks.reading.starter import starter_words_in
from newsletter.model.finding import Severity

_OWN = "write your own, or delete it"


@rule("S18", severity=Severity.WARNING)
def check_starter_texts(context: CheckContext) -> Iterable[Problem]:
    """Texts of the first issue.

    The texts that `newsletter init` writes show you what goes where. Readers should not see them: write your own in
    the issue and in newsletter.toml.
    """
    for passage in context.sources.passages:
        yield from _starter_lines(passage)
    identity = context.subject.settings.newsletter
    if starter_words_in(identity.from_name, "name"):
        what = f"the sender is still called “{identity.from_name}”, as in every new workspace"
        yield warning(context.config_place("newsletter", "from"), what, "write your own name in `from`")
    yield from _example_addresses(context)


def _starter_lines(passage: Passage) -> Iterator[Problem]:
    places = ((passage.place_at(at), at) for at in starter_words_in(passage.text, passage.key))
    for place, position in first_of_each(places, lambda found: found[0]):
        text = shown(passage.text[position:])
        yield warning(place, f"“{text}” is a text that comes with a new workspace", _OWN)


def _example_addresses(context: CheckContext) -> Iterator[Problem]:
    """Yield the addresses in newsletter.toml that are examples, in a workspace whose sender is real."""
    settings = context.subject.settings
    identity = settings.newsletter
    if is_example(identity.from_email.rpartition("@")[2]):
        return
    addresses: dict[tuple[str | int, ...], str] = {
        ("newsletter", "reply_to"): (identity.reply_to or "").rpartition("@")[2],
        ("newsletter", "website"): identity.website,
        ("service", "url"): settings.service.url,
        **{("brand", "social", index, "url"): link.url for index, link in enumerate(settings.brand.social)},
    }
    for keys, address in addresses.items():
        if is_example(address):
            what = f"`{keys[-1]}` is still an example, which leads nowhere"
            yield warning(context.config_place(*keys), what, f"write your own address in `{keys[-1]}`")


@rule("S20", severity=Severity.WARNING)
def check_carried_over(context: CheckContext) -> Iterable[Problem]:
    """Texts of the issue before.

    The preheader, the title, the letter, the research and the meditation must differ from the issue before.
    `newsletter new` copies them all, and readers notice when they get last month's letter again.

    A text that the two issues before have in common is a habit, so it is not reported.
    """
    for carried in context.subject.carried_over:
        what = f"{carried.what} is the same as in the issue {carried.issue}"
        yield warning(carried.place, what, "write what is new in this issue, or delete it")


RULES = (check_starter_texts, check_carried_over)
