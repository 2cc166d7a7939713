"""Columns that say who left a single topic, as HubSpot writes them, and columns that only look like them."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from newsletter.errors import MistakesError
from newsletter.lists.suppression_list import read_suppressions
from newsletter.lists.suppression_rows import SuppressionTerms
from newsletter.model.audience import Suppression
from newsletter.model.imports import LeavingRow
from tests.lists.test_csv_import import read, rows_of, shape_of

NOW = datetime(2026, 2, 19, 8, 0, tzinfo=UTC)
TOPICS = {"news": "Marketing information", "events": "Events & courses"}
OPT_OUTS = "Email,Portal Bounce,Portal Unsubscribe,Portal Spam Report,Global Bounce"
CONTACTS = "Record ID,First Name,Email,Unsubscribed from all email"


def leaving_of(tmp_path: Path, content: str, **options: object) -> list[LeavingRow]:
    return [row for batch in read(tmp_path, content, topics=TOPICS, **options) for row in batch.leaving]


def emails_of(tmp_path: Path, content: str, **options: object) -> list[str]:
    return [row["email"] for row in rows_of(read(tmp_path, content, topics=TOPICS, **options))]


def suppressions_of(tmp_path: Path, content: str) -> tuple[list[Suppression], list[tuple[str, ...]]]:
    """Return the suppressions of a file, and the rows that were skipped."""
    (tmp_path / "left.csv").write_text(content)
    skipped: list[tuple[str, ...]] = []
    found = read_suppressions(
        tmp_path / "left.csv", terms=SuppressionTerms(), topics=TOPICS, now=NOW, on_skipped=skipped.append
    )
    return list(found), skipped


@pytest.mark.parametrize(
    ("content", "topic"),
    [
        (f"{OPT_OUTS},Marketing Information\nana@example.org,,,,,TRUE\n", "news"),
        (f"{OPT_OUTS},News,One to One\nana@example.org,FALSE,FALSE,FALSE,FALSE,TRUE,FALSE\n", "news"),
        (f"{CONTACTS},Opted out of email: Events & Courses\n1,Ana,ana@example.org,,true\n", "events"),
        ("Email,Opted out of email: EVENTS\nana@example.org,Yes\n", "events"),
        (f"{CONTACTS},opted out of email:News\n1,Ana,ana@example.org,false,2025-01-01\n", "news"),
    ],
)
def test_person_who_left_a_topic_is_imported_without_it(tmp_path: Path, content: str, topic: str) -> None:
    (left,) = leaving_of(tmp_path, content)

    assert (left.topic, left.email) == (topic, "ana@example.org")
    assert emails_of(tmp_path, content) == ["ana@example.org"]
    assert shape_of(tmp_path, content).header.tool == "HubSpot"
    assert "attributes" not in read(tmp_path, content, topics=TOPICS)[0].columns


def test_the_time_of_leaving_a_topic_is_kept(tmp_path: Path) -> None:
    content = "Email,Opted out of email: News\nana@example.org,2025-01-01\n"

    (left,) = leaving_of(tmp_path, content)
    assert left.left_at.startswith("2025-01-01")
    (suppression,), _ = suppressions_of(tmp_path, content)
    assert suppression.created_at.date().isoformat() == "2025-01-01"


@pytest.mark.parametrize(
    ("name", "topic"),
    [
        ("Opted out of email: Product Updates", "Product Updates"),
        ("hs_email_optout_8363428", "8363428"),
    ],
)
def test_a_topic_that_is_not_ours_leaves_it_open_whether_the_person_left(tmp_path: Path, name: str, topic: str) -> None:
    content = (
        f"email,Unsubscribed from all email,{name}\nana@example.org,,true\nbo@example.org,,\ncy@example.org,true,true\n"
    )

    doubt, left = leaving_of(tmp_path, content)

    assert emails_of(tmp_path, content) == ["bo@example.org"]
    assert (doubt.email, doubt.reason, doubt.topic) == ("ana@example.org", "in doubt", "")
    assert f"no topic is called '{topic}'; define it in newsletter.toml" in doubt.told
    assert f'add --map "{name}="' in doubt.told
    assert (left.email, left.reason) == ("cy@example.org", "unsubscribed")


@pytest.mark.parametrize(
    ("target", "emails"),
    [("", ["ana@example.org", "bo@example.org"]), ("unsubscribed", ["bo@example.org"])],
)
def test_a_mapping_answers_what_leaving_a_topic_means(tmp_path: Path, target: str, emails: list[str]) -> None:
    content = f"{OPT_OUTS},Subscriber mail\nana@example.org,,,,,TRUE\nbo@example.org,,,,,FALSE\n"

    assert emails_of(tmp_path, content, mapping={"Subscriber mail": target}) == emails


def test_a_cell_that_is_no_answer_leaves_it_open_whether_the_person_left(tmp_path: Path) -> None:
    content = f"{OPT_OUTS},Marketing Information\nana@example.org,,,,,perhaps\n"

    (doubt,) = leaving_of(tmp_path, content)

    assert doubt.reason == "in doubt"
    assert emails_of(tmp_path, content) == []
    with pytest.raises(MistakesError, match=r"left\.csv:2: 'perhaps' does not say whether"):
        suppressions_of(tmp_path, content)


@pytest.mark.parametrize("name", ["Global Unsubscribe", "Email unsubscribed", "Hard bounced"])
def test_a_column_about_all_email_is_no_topic(tmp_path: Path, name: str) -> None:
    content = f"{OPT_OUTS},{name}\nana@example.org,,,,,TRUE\n"

    (left,) = leaving_of(tmp_path, content)
    assert (left.topic, left.reason in {"unsubscribed", "bounced"}) == ("", True)
    ((found,), skipped) = suppressions_of(tmp_path, content)
    assert (found.topic, skipped) == ("", [])


def test_a_name_in_another_language_is_no_topic(tmp_path: Path) -> None:
    content = f"{OPT_OUTS},Vorname\nana@example.org,,,,,Ana\nbo@example.org,,TRUE,,,Bo\n"

    assert rows_of(read(tmp_path, content))[0]["first_name"] == "Ana"
    assert [each.email for each in suppressions_of(tmp_path, content)[0]] == ["bo@example.org"]


@pytest.mark.parametrize(
    "content",
    [
        "Email Address,OPTIN_TIME,CONFIRM_TIME,Interests\nana@example.org,2024-01-01,2024-01-01,News\n",
        'Email Address,MEMBER_RATING,LEID,EUID,News\nana@example.org,2,1,a,"Weekly, Monthly"\n',
        "email,Marketing Information\nana@example.org,TRUE\n",
        "email,News,Events\nana@example.org,yes,no thanks\n",
        "email,Portal,Events\nana@example.org,TRUE,TRUE\n",
    ],
)
def test_groups_and_interests_of_other_tools_say_nothing_about_leaving(tmp_path: Path, content: str) -> None:
    assert leaving_of(tmp_path, content) == []
    assert emails_of(tmp_path, content) == ["ana@example.org"]


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ("FALSE,TRUE,FALSE,FALSE", "unsubscribed"),
        ("TRUE,TRUE,FALSE,FALSE", "bounced"),
        ("UNKNOWN_USER,,,", "bounced"),
        ("SPAM,,,", "bounced"),
        ("UNKNOWN,,,", "bounced"),
        (",,,TRUE", "bounced"),
        (",,TRUE,", "complained"),
        ("TRUE,TRUE,TRUE,TRUE", "complained"),
    ],
)
def test_the_columns_of_the_opt_outs_give_the_reason(tmp_path: Path, cells: str, reason: str) -> None:
    content = f"{OPT_OUTS}\nana@example.org,{cells}\n"

    (left,) = leaving_of(tmp_path, content)
    ((suppression,), _) = suppressions_of(tmp_path, content)

    assert (left.reason, suppression.reason, suppression.topic) == (reason, reason, "")


def test_opt_outs_block_each_person_for_what_they_left(tmp_path: Path) -> None:
    suppressions, skipped = suppressions_of(
        tmp_path,
        f"{OPT_OUTS},Marketing Information,One to One\n"
        "ana@example.org,FALSE,TRUE,FALSE,FALSE,TRUE,TRUE\n"
        "ben@example.org,FALSE,FALSE,FALSE,FALSE,TRUE,FALSE\n"
        "cara@example.org,FALSE,FALSE,FALSE,FALSE,TRUE,TRUE\n"
        "di@example.org,FALSE,FALSE,FALSE,FALSE,FALSE,TRUE\n"
        "eva@example.org,FALSE,FALSE,FALSE,FALSE,FALSE,FALSE\n",
    )

    assert [(each.email, each.topic) for each in suppressions] == [
        ("ana@example.org", ""),
        ("ana@example.org", "news"),
        ("ben@example.org", "news"),
        ("cara@example.org", "news"),
    ]
    assert skipped == [("One to One",), ("One to One",), ()]
