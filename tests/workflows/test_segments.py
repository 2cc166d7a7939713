"""Segments of a workspace: found, judged by what is known, counted side by side."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from newsletter.config import Config, load_config
from newsletter.errors import InputError, MistakesError
from newsletter.model.audience import SegmentCount, SuppressionReason
from newsletter.model.edit import Edit
from newsletter.model.segment import AD_HOC, Deed, Did, Tagged
from newsletter.store.database import Database
from newsletter.store.editing import edit_people
from newsletter.store.suppressions import add_suppression
from newsletter.system.moments import text_of
from newsletter.workflows.compose.compose import require_issue
from newsletter.workflows.segments import (
    Overlap,
    broken_segments,
    meant_by,
    overview_segments,
    portray_segment,
    require_segments,
    segment_where,
    standing_at,
    steps_of_overview,
)
from newsletter.workflows.send.plan import Order, plan_broadcast
from tests.store.builders import add, add_people, freeze, row
from tests.store.empty_file import open_test_database
from tests.workspaces import CONFIG, write_workspace

NOW = datetime(2026, 2, 19, 16, 0, tzinfo=UTC)
SEGMENTS = """[segments]
spanish = 'language = "es"'
teachers = 'tagged("teacher")'"""


def workspace(root: Path, segments: str = SEGMENTS) -> Config:
    """A workspace with these segments."""
    text = CONFIG.replace("[segments]\nteachers = 'tagged(\"teacher\")'", segments)
    return load_config(write_workspace(root, {"newsletter.toml": text}))


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return workspace(tmp_path)


@pytest.fixture
def database(config: Config) -> Iterator[Database]:
    """Teachers, of whom one speaks Spanish, and others."""
    with open_test_database(config.database) as opened:
        add(opened, row("ana@example.org", language="es", tags=("teacher",)))
        add_people(opened, 2, tags=("teacher",), prefix="teacher")
        add_people(opened, 2)
        yield opened


def mistakes_of(config: Config, database: Database) -> list[str]:
    with pytest.raises(MistakesError) as raised:
        require_segments(config, database, config.settings.segments, now=NOW)
    return [str(mistake).splitlines()[0] for mistake in raised.value.mistakes]


def test_mistakes_of_all_segments_are_said_at_once_each_with_its_line(tmp_path: Path) -> None:
    config = workspace(tmp_path, "[segments]\nteachers = 'tagged(\"techer\")'\nlate = 'received(\"2026-20\")'")
    line = (tmp_path / "newsletter.toml").read_text().splitlines().index("[segments]") + 2
    with open_test_database(config.database) as database:
        add_people(database, 1, tags=("teacher",))

        assert mistakes_of(config, database) == [
            f"newsletter.toml:{line}: segment teachers: no subscriber has ever had the tag 'techer'; "
            "did you mean teacher?",
            f"newsletter.toml:{line + 1}: segment late: there is no issue '2026-20' in issues/; did you mean 2026-02?",
        ]


def test_unknown_segment_is_named_with_one_that_is_alike(config: Config, database: Database) -> None:
    with pytest.raises(InputError, match=r"did you mean teachers\?"):
        meant_by(config, database, segment="teacher", now=NOW)


def test_issue_is_known_by_its_folder_or_by_its_broadcast(config: Config, database: Database) -> None:
    freeze(database, "2025-12")

    for issue in ("2025-12", "2026-02"):
        found = segment_where(config, database, f'received("{issue}")', now=NOW)
        assert found.condition == Did(Deed.RECEIVED, issue)
    with pytest.raises(MistakesError, match=r"--where: there is no issue '2025-11' in issues/; did you mean 2025-12\?"):
        segment_where(config, database, 'received("2025-11")', now=NOW)


def test_before_the_first_import_only_what_can_be_known_is_judged(tmp_path: Path) -> None:
    config = workspace(tmp_path, "[segments]\nfew = 'size = 1 and tagged(\"x\")'\nlate = 'opened(\"never\")'")

    (broken,) = broken_segments(config, now=NOW)

    assert broken.name == "late"
    assert "there is no issue 'never'" in str(broken.mistakes[0])


def test_overview_counts_each_segment_and_what_two_of_them_share(config: Config, database: Database) -> None:
    add_suppression(database, "teacher00000@example.org", SuppressionReason.COMPLAINED, now=NOW)
    heard: list[int] = []

    overview = overview_segments(config, database, other=None, now=NOW, on_counted=heard.append)

    assert [(counted.segment.name, counted.count) for counted in overview.segments] == [
        ("everyone", SegmentCount(members=5, suppressed=1)),
        ("spanish", SegmentCount(members=1, suppressed=0)),
        ("teachers", SegmentCount(members=3, suppressed=1)),
    ]
    assert overview.overlaps == (Overlap(one="spanish", other="teachers", people=1),)
    assert [member.subscriber.record.email for member in overview.segments[1].sample] == ["ana@example.org"]
    assert sum(heard) == steps_of_overview(config, database, other=None, now=NOW) == 4


def test_all_segments_are_compared_with_one(config: Config, database: Database) -> None:
    overview = overview_segments(config, database, other="teachers", now=NOW, on_counted=lambda _: None)

    assert [counted.also_in_other for counted in overview.segments] == [3, 1, 3]
    assert overview.overlaps == ()


def test_segment_with_a_mistake_does_not_hide_the_others(tmp_path: Path) -> None:
    text = "[segments]\nbad = 'tagged('\nteachers = 'tagged(\"teacher\")'\nworse = 'languag = \"es\"'"
    config, heard = workspace(tmp_path, text), list[int]()
    with open_test_database(config.database) as opened:
        add_people(opened, 2, tags=("teacher",))
        overview = overview_segments(config, opened, other=None, now=NOW, on_counted=heard.append)
        assert sum(heard) == steps_of_overview(config, opened, other=None, now=NOW) == 2

    assert [(counted.segment.name, counted.count.members) for counted in overview.segments] == [
        ("everyone", 2),
        ("teachers", 2),
    ]
    assert [(broken.name, broken.expression) for broken in overview.broken] == [
        ("bad", "tagged("),
        ("worse", 'languag = "es"'),
    ]
    assert [str(mistake).splitlines()[0] for broken in overview.broken for mistake in broken.mistakes] == [
        str(mistake).splitlines()[0] for each in broken_segments(config, now=NOW) for mistake in each.mistakes
    ]
    assert overview.unused == ("teachers",)


def test_segment_that_is_empty_or_not_text_is_only_a_broken_one(tmp_path: Path) -> None:
    text = (
        "[segments]\nempty = ''\nnumber = 5\nlist = ['everyone']\nlines = \"\"\"\neveryone and\nlanguage = 'es'\"\"\""
    )
    config = workspace(tmp_path, text)
    with open_test_database(config.database) as opened:
        add_people(opened, 2)
        overview = overview_segments(config, opened, other=None, now=NOW, on_counted=lambda _: None)

    assert [(each.segment.name, each.segment.expression) for each in overview.segments] == [
        ("everyone", "everyone"),
        ("lines", "everyone and language = 'es'"),
    ]
    assert [(each.name, each.expression, each.mistakes[0].what) for each in overview.broken] == [
        ("empty", "", "segment empty: the expression is empty"),
        ("number", "5", "segment number: an expression cannot begin with '5'"),
        ("list", '["everyone"]', "segment list: an expression cannot begin with '[\"everyone\"]'"),
    ]


def test_column_of_a_list_in_another_language_leads_to_its_field(config: Config, database: Database) -> None:
    for name in ("sprache", "Langue"):
        with pytest.raises(MistakesError, match="saves a column of that name as language, so write language"):
            segment_where(config, database, f'{name} = "es"', now=NOW)


def test_plan_says_what_no_subscriber_has_in_each_of_its_segments(tmp_path: Path) -> None:
    config = workspace(tmp_path, "[segments]\nfrench = 'language = \"fr\"'")
    issue = tmp_path / "issues/2026-02/issue.yaml"
    issue.write_text(issue.read_text().replace("  - letter", "  - section: letter\n    only: french"))
    with open_test_database(config.database) as opened:
        add_people(opened, 2)
        meant = segment_where(config, opened, 'not first_name = "Zoe" and email != "x@example.org"', now=NOW)
        order = Order(folder=require_issue(config, "2026-02"), segment=meant)
        plan = plan_broadcast(config, opened, order, now=NOW)

    assert plan.notes == (
        "No subscriber has the value 'Zoe' in first_name.",
        "No subscriber has the address 'x@example.org'.",
        "No subscriber has the value 'fr' in language.",
    )


def test_portrait_says_why_people_are_not_mailed(config: Config, database: Database) -> None:
    add_suppression(database, "ana@example.org", SuppressionReason.COMPLAINED, now=NOW)

    portrait = portray_segment(database, meant_by(config, database, segment="teachers", now=NOW), now=NOW)

    assert portrait.suppressed == ((SuppressionReason.COMPLAINED, 1),)
    assert portrait.count.mailable == 2
    assert len(portrait.sample) == 3


def test_who_has_paused_is_counted_and_listed_with_the_day(config: Config, database: Database) -> None:
    end = datetime(2027, 12, 24, tzinfo=UTC)
    edit_people(database, ["ana@example.org"], Edit(cells={"paused_until": text_of(end)}), shown=0, now=NOW)

    portrait = portray_segment(database, meant_by(config, database, segment="teachers", now=NOW), now=NOW)

    assert (portrait.count.paused, portrait.count.mailable) == (1, 2)
    standings = sorted(standing_at(member, NOW) for member in portrait.sample)
    assert standings == ["mailed", "mailed", "paused until 2027-12-24"]
    assert {standing_at(member, end) for member in portrait.sample} == {"mailed"}


def test_broadcast_to_an_expression_keeps_what_was_typed(config: Config, database: Database) -> None:
    expression = 'tagged("teacher") and not language = "es"'

    plan = plan_broadcast(
        config,
        database,
        Order(folder=require_issue(config, "2026-02"), segment=segment_where(config, database, expression, now=NOW)),
        now=NOW,
    )

    assert plan.preview.recipients == 2
    assert (plan.request.segment.name, plan.request.segment.expression) == (AD_HOC, expression)
    assert plan.request.segment.condition != Tagged("teacher")
