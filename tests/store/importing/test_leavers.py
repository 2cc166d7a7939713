"""What a list says about people who left counts for everyone who is on the list here, or blocked."""

import pytest

from newsletter.errors import InputError
from newsletter.model.audience import SuppressionReason
from newsletter.store.forgotten import forget_person
from newsletter.store.suppressions import find_suppression, suppressions_of
from newsletter.system.environment import forget_key
from tests.store.conftest import engine, fresh_location  # noqa: F401 - fixtures
from tests.workflows.subscribers.conftest import here  # noqa: F401 - a fixture
from tests.workflows.subscribers.here import NOW, Here

ANA = "ana@example.org"
BLOCKED = f"email,reason,created_at\n{ANA},unsubscribed,2024-01-01T00:00:00Z\n"
CONSENT = f"email,consented_at,consent_source\n{ANA},2025-01-01T00:00:00Z,form\n"


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEWSLETTER_KEY", "a key of at least thirty-two bytes")


def forget_ana(here: Here) -> None:  # noqa: F811
    key = forget_key()
    assert key is not None
    assert forget_person(here.database, ANA, key=key, now=NOW)


def fill(here: Here, *, is_empty: bool) -> None:  # noqa: F811
    if not is_empty:
        here.bring_in("email\nsomeone@example.org\n", basis="members")


@pytest.mark.parametrize("is_empty", [False, True])
@pytest.mark.parametrize("suppresses", [False, True])
@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("unsubscribed,2025-06-01", SuppressionReason.UNSUBSCRIBED),
        ("invalid email,2025-06-01", SuppressionReason.BOUNCED),
        ("bounced,", SuppressionReason.BOUNCED),
        ("unsubscribed,2025-01-01", SuppressionReason.UNSUBSCRIBED),  # a day lasts until it has ended everywhere
    ],
)
def test_a_later_leaving_of_someone_who_is_only_blocked_counts(
    here: Here,  # noqa: F811
    is_empty: bool,
    suppresses: bool,
    row: str,
    reason: SuppressionReason,
) -> None:
    here.suppress(BLOCKED)
    fill(here, is_empty=is_empty)
    report = here.bring_in(f"email,status,unsubscribed_at\n{ANA},{row}\n", suppresses_leavers=suppresses)
    assert report.blocked == 1

    here.bring_in(CONSENT)

    found = find_suppression(here.database, ANA)
    assert found is not None
    assert found.reason is reason
    assert ANA not in here.emailed()


@pytest.mark.parametrize("is_empty", [False, True])
@pytest.mark.parametrize("reason", ["invalid", "manual"])
def test_a_reason_in_an_export_that_no_consent_lifts_counts_for_someone_who_is_only_blocked(
    here: Here,  # noqa: F811
    is_empty: bool,
    reason: str,
) -> None:
    here.suppress(BLOCKED)
    fill(here, is_empty=is_empty)
    here.bring_in(f"email,status,left_at,left_topics\n{ANA},{reason},2023-06-01T00:00:00Z,\n")

    here.bring_in(CONSENT)

    found = find_suppression(here.database, ANA)
    assert found is not None
    assert found.reason == reason


def test_a_doubt_about_someone_who_is_only_in_doubt_counts_as_late_as_it_is(here: Here) -> None:  # noqa: F811
    here.suppress(BLOCKED.replace("unsubscribed", "in doubt"))
    here.bring_in(f"email,unsubscribed_at\n{ANA},perhaps\n")

    here.bring_in(CONSENT)

    assert find_suppression(here.database, ANA) is not None


def test_topics_that_someone_who_is_only_blocked_left_count(here: Here) -> None:  # noqa: F811
    fill(here, is_empty=False)
    here.suppress(BLOCKED)
    here.bring_in(
        f"email,status,left_at,left_topics\n{ANA},unsubscribed,2024-01-01,events\n", topics={"events": "Events"}
    )

    here.bring_in(CONSENT)

    assert [each.topic for each in suppressions_of(here.database, ANA)] == ["events"]


@pytest.mark.parametrize("suppresses", [False, True])
def test_leavings_of_erased_people_are_not_saved(here: Here, suppresses: bool) -> None:  # noqa: F811
    fill(here, is_empty=False)
    here.suppress(BLOCKED)
    forget_ana(here)

    here.bring_in(
        f"email,unsubscribed_at\n{ANA},2025-06-01\nbo@example.org,2025-06-01\n", suppresses_leavers=suppresses
    )

    assert find_suppression(here.database, ANA) is None
    assert (find_suppression(here.database, "bo@example.org") is not None) == suppresses


def test_a_list_of_people_who_left_needs_the_key_of_the_erased(
    here: Here,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    here.suppress(BLOCKED)
    forget_ana(here)
    monkeypatch.delenv("NEWSLETTER_KEY")

    with pytest.raises(InputError, match="NEWSLETTER_KEY"):
        here.bring_in(f"email,unsubscribed_at\n{ANA},2025-06-01\n", suppresses_leavers=True)
