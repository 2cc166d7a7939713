"""Checking an issue with all that is known, and the effect of waivers when it is approved and sent."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from newsletter.config import Config, load_config
from newsletter.model.broadcast import Waiver
from newsletter.model.finding import Means, Severity
from newsletter.store.database import Database
from newsletter.store.ledger.broadcasts import require_broadcast
from newsletter.workflows.compose.build import build_issue
from newsletter.workflows.compose.check import Judgment, judge_issue
from newsletter.workflows.compose.compose import Probing
from newsletter.workflows.segments import meant_by
from newsletter.workflows.send.approve import approve_content, draft_approval
from newsletter.workflows.send.plan import BroadcastPlan, Order, plan_broadcast, start_broadcast
from tests.store.builders import add_people
from tests.store.empty_file import open_test_database
from tests.workflows.send.carriers import Carrier
from tests.workspaces import CONFIG, ISSUE, LETTER, write_workspace

NOW = datetime(2026, 2, 19, 16, 0, tzinfo=UTC)
UNFINISHED = {"issues/2026-02/letter.md": LETTER + "\nTODO: one more word.\n"}
WAIVED = {"issues/2026-02/issue.yaml": ISSUE + "waive:\n  S6: it is the name of a band\n"}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The smallest workspace."""
    return write_workspace(tmp_path)


@pytest.fixture
def database(root: Path) -> Iterator[Database]:
    """Its list, of three people."""
    with open_test_database(load_config(root).database) as opened:
        add_people(opened, 3)
        yield opened


def judged(root: Path, *, without: frozenset[Means] = frozenset(Means)) -> Judgment:
    return judge_issue(load_config(root), root / "issues/2026-02", probing=Probing(now=NOW, without=without))


def planned(config: Config, database: Database) -> BroadcastPlan:
    everyone = meant_by(config, database, segment="everyone", now=NOW)
    order = Order(folder=config.root / "issues/2026-02", segment=everyone)
    return plan_broadcast(config, database, order, provider=Carrier([]), now=NOW)


def test_what_was_left_out_is_told_as_not_judged(root: Path) -> None:
    left_out = {each.rule: each.why for each in judged(root).not_run}
    assert left_out["A6"] == "the browser checks are turned off by `without`"
    assert left_out["J1"] == "the spamassassin checks are turned off by `without`"


def test_the_settings_leave_out_what_they_name(root: Path) -> None:
    write_workspace(root, {"newsletter.toml": CONFIG + '\n[checks]\nwithout = ["browser"]\n'})
    left_out = {each.rule for each in judged(root, without=frozenset({Means.NETWORK, Means.SPAMASSASSIN})).not_run}
    assert {"A6", "S13"} <= left_out


def test_a_waiver_that_finds_nothing_is_told_at_its_line(root: Path) -> None:
    write_workspace(root, WAIVED)
    finding = next(each for each in judged(root).findings if each.rule == "C1")
    assert str(finding.place) == "issues/2026-02/issue.yaml:8"
    assert finding.severity is Severity.WARNING
    assert finding.what == "the override of S6 is not needed, because this check found no problem"


def test_mistake_in_a_segment_stops_only_the_issues_that_name_it(root: Path) -> None:
    broken = CONFIG.replace("[segments]", "[segments]\nbad = 'tagged('\nworse = 5")
    only = ISSUE.replace("  - letter", "  - section: letter\n    only: bad")

    def severities() -> dict[str, Severity]:
        return {each.what.split()[1]: each.severity for each in judged(root).findings if each.rule == "C1"}

    write_workspace(root, {"newsletter.toml": broken})
    assert severities() == {"bad:": Severity.WARNING, "worse:": Severity.WARNING}

    write_workspace(root, {"newsletter.toml": broken, "issues/2026-02/issue.yaml": only})
    assert severities() == {"bad:": Severity.ERROR, "worse:": Severity.WARNING}


@pytest.mark.parametrize("waived", ["S6", "A6"])
def test_a_waiver_that_is_used_or_was_not_judged_is_not_told(root: Path, waived: str) -> None:
    write_workspace(root, UNFINISHED)
    write_workspace(root, {"issues/2026-02/issue.yaml": ISSUE + f"waive:\n  {waived}: it is meant\n"} | UNFINISHED)
    assert "C1" not in {each.rule for each in judged(root).findings}


def test_a_standing_waiver_lets_a_broadcast_go_and_stands_in_the_ledger(root: Path, database: Database) -> None:
    write_workspace(root, UNFINISHED)
    assert [finding.rule for finding in planned(load_config(root), database).blocking] == ["S6"]

    write_workspace(root, UNFINISHED | WAIVED)
    plan = planned(load_config(root), database)
    broadcast = start_broadcast(database, plan, Carrier([]), now=NOW)

    assert plan.blocking == ()
    kept = require_broadcast(database, broadcast.id).waivers
    assert kept == (Waiver(rule="S6", because="it is the name of a band"),)


def test_a_waiver_changes_nothing_of_what_was_approved(root: Path, database: Database) -> None:
    write_workspace(root, UNFINISHED | {"newsletter.toml": CONFIG + "\n[delivery]\nrequire_approval = true\n"})
    config, folder = load_config(root), root / "issues/2026-02"
    approve_content(database, draft_approval(config, database, folder, now=NOW), by="Ana Lima", now=NOW)

    write_workspace(root, UNFINISHED | WAIVED | {"newsletter.toml": CONFIG + "\n[delivery]\nrequire_approval = true\n"})

    assert planned(load_config(root), database).blocking == ()


def test_the_report_of_a_build_says_what_was_waived_and_what_was_not_judged(root: Path) -> None:
    write_workspace(root, UNFINISHED | WAIVED)
    build_issue(load_config(root), root / "issues/2026-02", NOW)
    report = (root / "build/2026-02/report.txt").read_text().splitlines()
    assert "Errors: none" in report
    assert "Overridden: 1" in report
    assert any(line.endswith("because it is the name of a band [S6]") for line in report)
    assert report[-1].startswith("Skipped: A6, ")
