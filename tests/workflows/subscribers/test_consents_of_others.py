"""Consents and leavings in lists of others: only a consent that is surely newer lets anyone be emailed who left."""

from datetime import UTC, datetime

import pytest

from newsletter.workflows.subscribers.export import export_to_file
from tests.workflows.subscribers.here import Here, written


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (("2026-03-01T00:00:00Z,,", ",2026-04-01T00:00:00Z,form"), {"ana"}),
        ((",2026-04-01,form", "2026-03-01,2025-01-01,form"), {"ana"}),
        (("2026-03-01,2026-04-01,form", ",2026-04-01,form"), set()),  # the consent was known to the row that says so
        (("2026-03-01T00:00:00Z,,", ",2026-04-01T00:00:00Z,"), set()),  # without its source
        (("2026-04-01,,", ",2026-04-01T13:00:00Z,form"), set()),
        (("2026-04-01,,", ",2026-03-01,form", ",2026-05-01,form"), {"ana"}),
    ],
)
@pytest.mark.parametrize("is_empty", [False, True])
@pytest.mark.parametrize("suppresses", [False, True])
def test_only_a_newer_consent_in_another_row_brings_the_person_in(
    here: Here, rows: tuple[str, ...], expected: set[str], is_empty: bool, suppresses: bool
) -> None:
    if not is_empty:
        here.bring_in("email\nsomeone@example.org\n", basis="members")

    lines = [f"ana@example.org,{row}" for row in rows]
    content = "\n".join(["email,unsubscribed_at,consented_at,consent_source", *lines])
    here.bring_in(content, suppresses_leavers=suppresses)

    assert here.emailed() - {"someone"} == expected


# When they left, as a file says it; a consent of that day that may be earlier; the first one that is surely later.
DAYS_OF_LEAVING = [
    ("2026-03-01", "2026-03-01T09:00:00Z", "2026-03-02T12:00:00Z"),
    ("2026-03-01", "2026-03-02T11:59:59Z", "2026-03-02T12:00:00Z"),
    ("01.03.2026", "2026-03-01T23:59:59Z", "2026-03-02T12:00:00Z"),
    ("March 1, 2026", "2026-03-01T18:00:00-10:00", "2026-03-02T12:00:01Z"),
    ("2026-03-01 10:00", "2026-03-01T21:59:00Z", "2026-03-01T22:00:01Z"),
    ("3/31/2026 9:00 AM", "2026-03-31T20:00:00Z", "2026-04-01T00:00:00Z"),
    ("2026-03-01T10:00:00Z", "2026-03-01T10:00:00Z", "2026-03-01T10:00:01Z"),
    ("2026-03-01T10:00:00+09:00", "2026-03-01T00:30:00Z", "2026-03-01T01:00:01Z"),
]


@pytest.mark.parametrize(("left", "early", "late"), DAYS_OF_LEAVING)
@pytest.mark.parametrize("way", ["suppressions", "import"])
def test_a_leaving_is_as_late_as_its_text_can_mean(here: Here, left: str, early: str, late: str, way: str) -> None:
    text = written([("email", "unsubscribed_at"), ("ana@example.org", left)])
    if way == "import":
        here.bring_in(text, suppresses_leavers=True)
    else:
        here.suppress(text)

    here.bring_in(f"email,consented_at,consent_source\nana@example.org,{early},form\n")
    assert here.emailed() == set()

    here.bring_in(f"email,consented_at,consent_source\nana@example.org,{late},form\n")
    assert here.emailed() == {"ana"}


# The consent that is on record; when they left afterwards or before, by the list of another tool; why.
CONSENTS_ON_RECORD = [
    ("2025-10-04T10:00:00Z", "2025-06-27T06:38:16Z", "unsubscribed"),
    ("2025-06-12T13:41:00Z", "2025-05-05T10:14:28Z", "complained"),
    ("2026-11-29T19:59:59Z", "2020-01-01", "bounced"),
    ("2026-01-31", "2025-12-31", "unsubscribed"),
]


@pytest.mark.parametrize(("consent", "left", "reason"), CONSENTS_ON_RECORD)
def test_a_consent_on_record_when_they_left_brings_no_one_back(
    here: Here, there: Here, consent: str, left: str, reason: str
) -> None:
    people = f"email,consented_at,consent_source\nana@example.org,{consent},form\n"
    here.bring_in(people)
    here.suppress(f"email,reason,created_at\nana@example.org,{reason},{left}\n")

    here.bring_in(people)
    own = here.write("", "own.csv")
    export_to_file(here.database, own, overwrite=True)
    here.bring_in(own.read_bytes())
    assert here.emailed() == set()

    here.carry_to(there)
    assert there.emailed() == set()
    there.bring_in("email,consented_at,consent_source\nana@example.org,2026-11-29T20:00:00Z,form\n")
    assert there.emailed() == {"ana"}


def test_a_consent_from_the_near_future_is_not_new_once_it_is_past(here: Here) -> None:
    ahead = "email,consented_at,consent_source\nana@example.org,2026-11-29T20:00:25Z,form\n"
    here.bring_in(ahead)
    here.suppress("ana@example.org\n", now=datetime(2026, 11, 29, 20, 0, 10, tzinfo=UTC))

    here.bring_in(ahead, now=datetime(2026, 11, 29, 20, 1, tzinfo=UTC))

    assert here.emailed() == set()


# The times at which someone left, in the order in which they were reported; a consent between them.
LEFT_TWICE = [
    (("2025-01-01T00:00:00Z", "2026-02-01T00:00:00Z"), "2025-06-01T09:00:00Z"),
    (("2026-02-01T00:00:00Z", "2025-01-01T00:00:00Z"), "2025-06-01T09:00:00Z"),
    (("2024-01-01", "2025-01-01", "2026-01-01"), "2025-12-31T23:00:00Z"),
    (("2025-01-01", "2025-01-02"), "2025-01-02T20:00:00Z"),
]


@pytest.mark.parametrize(("times", "consent"), LEFT_TWICE)
def test_the_last_leaving_counts_also_elsewhere(here: Here, there: Here, times: tuple[str, ...], consent: str) -> None:
    for left in times:
        here.suppress(f"email,reason,created_at\nana@example.org,unsubscribed,{left}\n")
    here.bring_in(f"email,consented_at,consent_source\nana@example.org,{consent},form\n")
    assert here.emailed() == set()

    here.carry_to(there)

    assert there.emailed() == set()


NO_CONSENTS = [
    "0001-01-01 00:00:00 +0000 UTC",
    "1970-01-01 00:00:00",
    "1899-12-30",
    "0000-00-00",
    "0000-00-00 00:00:00",
    "1900-01-00",
    "1970-01-01T00:00:00Z",
    "0001-01-01T00:00:00Z",
    "NULL",
    "\\N",
    "None",
    "0",
    "#N/A",
]


@pytest.mark.parametrize("cell", NO_CONSENTS)
def test_no_date_is_no_consent(reader: Here, cell: str) -> None:
    reader.bring_in(f"email,joined_at,consented_at,consent_source\nana@example.org,{cell},{cell},form\n")

    assert reader.emailed() == set()


@pytest.mark.parametrize(
    "cell", ["2126-01-01", "2034-03-15T05:25:10Z", "2026013110", "2026-11-31", "2026-01-01T24:00:00"]
)
def test_no_one_joined_in_the_future_or_on_no_day(reader: Here, cell: str) -> None:
    report = reader.bring_in(f"email,joined_at\nana@example.org,{cell}\nben@example.org,2026-01-01\n", basis="members")

    assert (report.added, report.rejected) == (1, 1)
