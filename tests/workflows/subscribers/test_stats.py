"""All figures about the audience together."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from newsletter.config import Config, load_config
from newsletter.errors import InputError
from newsletter.model.audience import SuppressionReason
from newsletter.model.stats import AudienceStats
from newsletter.store.database import Database
from newsletter.store.suppressions import add_suppression
from newsletter.workflows.subscribers.stats import STEPS, describe_audience
from tests.store.builders import NOW, add, row
from tests.store.empty_file import open_test_database
from tests.workspaces import write_workspace

DAY = timedelta(days=1)


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return load_config(write_workspace(tmp_path))


@pytest.fixture
def database(config: Config) -> Iterator[Database]:
    with open_test_database(config.database, wait_seconds=1) as opened:
        yield opened


def described(config: Config, database: Database, *, since: date | None = None) -> AudienceStats:
    return describe_audience(config, database, since=since, now=NOW, on_step=lambda _: None)


def test_growth_adds_up_to_those_who_are_there(config: Config, database: Database) -> None:
    add(
        database,
        row("old@example.org", joined_at=NOW - 900 * DAY),
        row("gone@example.org", joined_at=NOW - 900 * DAY),
        row("new@example.org", joined_at=NOW - 40 * DAY),
        row("tomorrow@example.org", joined_at=NOW + 60 * DAY),  # whatever a list may say
    )
    add_suppression(database, "gone@example.org", SuppressionReason.BOUNCED, now=NOW - 30 * DAY)

    growth = described(config, database).growth

    assert (growth.before, growth.after) == (2, 3)
    assert [
        (f"{month.month:%Y-%m}", month.joined, dict(month.left))
        for month in growth.months
        if month.joined or month.left
    ] == [("2026-01", 1, {"bounced": 1}), ("2026-02", 1, {})]


def test_a_year_is_shown_unless_another_month_is_named(config: Config, database: Database) -> None:
    year = described(config, database).growth.months
    two_years = described(config, database, since=date(2024, 3, 15)).growth.months

    assert (year[0].month, year[-1].month, len(year)) == (date(2025, 3, 1), date(2026, 2, 1), 12)
    assert (two_years[0].month, len(two_years)) == (date(2024, 3, 1), 24)


@pytest.mark.parametrize(("since", "words"), [(date(2026, 3, 1), "in the future"), (date(1999, 1, 1), "20 years ago")])
def test_a_month_out_of_reach_is_refused(config: Config, database: Database, since: date, words: str) -> None:
    with pytest.raises(InputError, match=words):
        described(config, database, since=since)


def test_languages_have_names_and_an_unknown_one_keeps_its_tag(config: Config, database: Database) -> None:
    add(
        database,
        row("a@example.org", language="pt-BR"),
        row("b@example.org", language="zh-Hant"),
        row("c@example.org", language="tlh"),
    )
    languages = described(config, database).languages

    assert {group.name: group.title for group in languages.groups} == {
        "pt-BR": "Portuguese (Brazil)",
        "zh-Hant": "Chinese (Traditional)",
        "tlh": "tlh",
    }


def test_each_step_is_told(config: Config, database: Database) -> None:
    steps: list[int] = []
    describe_audience(config, database, now=datetime(2026, 2, 19, tzinfo=UTC), on_step=steps.append)

    assert sum(steps) == STEPS
