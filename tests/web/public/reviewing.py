"""What the tests of reviews share: reviewers who were asked, and their links."""

from email.utils import parseaddr

from newsletter.model.personal_links import Purpose, stamp_of
from newsletter.model.review import Reviewer
from newsletter.workflows.compose.compose import require_issue
from newsletter.workflows.review.invite import open_review
from newsletter.workflows.send.approve import draft_approval
from tests.web.public.conftest import ServedPages

REVIEWERS = ("Ana Lima <ana@example.org>", "noor@example.net")


def ask_reviewers(served: ServedPages, mailboxes: tuple[str, ...] = REVIEWERS) -> dict[str, Reviewer]:
    """Ask them to review the issue as it is now. Return the reviewers by address."""
    draft = draft_approval(served.config, served.database, require_issue(served.config, "2026-02"), now=served.now)
    asked = open_review(served.config, served.database, draft, mailboxes, now=served.now)
    assert [each.email for each in asked] == [parseaddr(mailbox)[1] for mailbox in mailboxes]
    return {each.email: each for each in asked}


def link_to(served: ServedPages, reviewer: Reviewer) -> str:
    """The path of a reviewer's link, made now."""
    return f"/r/{reviewer.id}-{stamp_of(reviewer.token, Purpose.REVIEW, str(reviewer.id), now=served.now)}"


def edit_letter(served: ServedPages, text: str = "Another letter, with other words.\n") -> None:
    """Change the words of the issue."""
    (served.config.root / "issues/2026-02/letter.md").write_text(text)
