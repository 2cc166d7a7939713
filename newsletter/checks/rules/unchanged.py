"""Checks of texts that were left as they were: those of a new workspace, and those of the issue before."""

from collections.abc import Iterable, Iterator

from newsletter.checks.base import CheckContext, Problem, error, first_of_each, rule, shown, warning
from newsletter.checks.reading.sources import Passage
from newsletter.checks.reading.starter import is_starter_address, starter_words_in
from newsletter.model.finding import Place, Severity
from newsletter.system.hosts import is_example

PLACEHOLDERS = "S18"
_OWN = "write your own, or delete it"


@rule(PLACEHOLDERS)
def check_starter_texts(context: CheckContext) -> Iterable[Problem]:
    """Texts and addresses of the first issue.

    The texts and addresses that `newsletter init` writes show you what goes where. Readers should not see them: write
    your own in the issue, and run `newsletter setup` for those in newsletter.toml. As long as emails are only written
    to files, this is a warning.
    """
    problem = error if context.subject.settings.provider.table_in_use.route else warning
    for passage in context.sources.passages:
        for place, text in _starter_lines(passage):
            yield problem(place, f"“{text}” is a text that comes with a new workspace", _OWN)
    for link in context.sources.links:
        if is_starter_address(link.address):
            yield problem(link.place, f"the address {link.address} comes with a new workspace", _OWN)
    for keys, value in _starter_settings(context):
        what = f"`{keys[-1]}` is still “{value}”, as in every new workspace"
        yield problem(context.config_place(*keys), what, f"write your own in `{keys[-1]}`, or run: newsletter setup")
    yield from _example_addresses(context)


def _starter_lines(passage: Passage) -> Iterator[tuple[Place, str]]:
    places = ((passage.place_at(at), at) for at in starter_words_in(passage.text, passage.key))
    for place, position in first_of_each(places, lambda found: found[0]):
        yield place, shown(passage.text[position:])


def _starter_settings(context: CheckContext) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield each key of newsletter.toml that shows in no text of the email, and still has the value of the starter."""
    settings = context.subject.settings
    identity, relay = settings.newsletter, settings.provider.table_in_use.route
    if starter_words_in(identity.from_name, "name"):
        yield ("newsletter", "from"), identity.from_name
    written: dict[tuple[str, ...], str | None] = {
        ("newsletter", "from"): identity.from_email,
        ("newsletter", "reply_to"): identity.reply_to,
        ("service", "url"): settings.service.url,
        ("provider", "smtp", "host"): relay.relay.host if relay and relay.relay else None,
        ("provider", "smtp", "username"): relay.relay.username if relay and relay.relay else None,
    }
    for keys, value in written.items():
        if value and is_starter_address(value):
            yield keys, value


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
        if is_example(address) and not is_starter_address(address):
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
