"""The first test email: who gets it, and sending it."""

from datetime import UTC, datetime
from email.utils import parseaddr

from newsletter.errors import InputError, ProviderError
from newsletter.model.values import Mailbox
from newsletter.providers.registry import open_provider
from newsletter.store.opening import open_database
from newsletter.workflows.compose.compose import compose_issue, require_issue
from newsletter.workflows.segments import audience_fields
from newsletter.workflows.send.reviewer_copies import require_own_addresses, send_test_copies
from newsletter.workflows.setup.asking import SetupQuestion, checked, saving
from newsletter.workflows.setup.settings_file import Changes
from newsletter.workflows.setup.situation import Situation

_REVIEWERS = ("reviewers", "reviewers")


def send_first_test(situation: Situation) -> str:
    """Send the newest issue, as it is, to the reviewers, and return what was sent where.

    Raise MistakesError for mistakes in the files and for placeholders among the addresses, and ProviderError if the
    provider refuses.
    """
    config, testers = situation.config, situation.testers
    if not testers:
        raise InputError("there is no address for test emails yet; write yours first")
    if not situation.sends:
        raise InputError("emails are only written to files; choose a provider first")
    require_own_addresses(config, testers)
    composed = compose_issue(config, require_issue(config, None), known_fields=audience_fields(config))
    provider = open_provider(config, situation.environ)
    with open_database(config.database, workspace=config.root) as database:
        copies = send_test_copies(
            config, database, composed, testers, provider, now=datetime.now(UTC), on_sent=lambda _: None
        )
    if refused := [copy for copy in copies if copy.refused]:
        raise ProviderError(f"{refused[0].email} was rejected: {refused[0].refused}")
    to = " and ".join(parseaddr(tester)[1] for tester in testers)
    return f"{provider.describe().partition(',')[0]} accepted “[TEST] {composed.issue.fields.subject}” for {to}."


def _testers(_: Situation, text: str) -> Changes:
    """Return the change for the group of reviewers, from addresses with commas between them."""
    mailboxes = tuple(str(checked(Mailbox, each.strip())) for each in text.split(",") if each.strip())
    return {_REVIEWERS: mailboxes}


TEST_QUESTIONS: tuple[SetupQuestion, ...] = (
    SetupQuestion(
        name="to",
        asks="Your address, for test emails",
        about="Later, you can add your reviewers under [reviewers] in newsletter.toml, or here with commas.",
        current=lambda situation: ", ".join(situation.testers),
        suggested=lambda situation: situation.sender,
        apply=saving(_testers),
    ),
)
