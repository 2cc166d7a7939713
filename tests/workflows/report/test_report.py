"""The report in words, as a page and as files, and the alarm."""

import csv
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from lxml import etree
from msgspec.structs import replace

from newsletter.cli.report_page import page_of
from newsletter.config import Config
from newsletter.errors import InputError
from newsletter.language.rates import say_interval, say_rate
from newsletter.model.event import EventType
from newsletter.model.notice import Alarm
from newsletter.statistics.intervals import Interval, Proportion
from newsletter.store.database import Database
from newsletter.store.notices import untold_notices
from newsletter.web.studio.report_file import report_html
from newsletter.workflows.events.ingest import ingest
from newsletter.workflows.report.files import report_data, write_csv
from newsletter.workflows.report.issue import report_on
from newsletter.workflows.report.words import Told, told
from newsletter.workflows.report.year import year_told
from newsletter.workflows.send.alarms import note_alarms
from tests.browser import running_browser
from tests.store.builders import NOW, add_people, event_of, freeze, send_all
from tests.web.axe import violations
from tests.workflows.report.conftest import LATER, World


@pytest.fixture(scope="module")
def page(audience: Callable[[int], World]) -> Told:
    return told(report_on(audience(1500).database, "2026-02", now=LATER), zone="UTC")


def test_the_first_three_sentences_answer_how_it_went(page: Told) -> None:
    arrived, read, left = page.story

    assert re.match(r"Of 1,500 people, 9\d\.\d% got it; \d+ emails came back\.", arrived)
    assert re.match(r"Of the \d+ who let us know, \d+–\d+% opened it, and [\d.]+–[\d.]+% clicked a link\.", read)
    assert "left" in left


def test_the_page_has_a_table_behind_each_chart_and_loads_nothing(page: Told) -> None:
    html = report_html(page, newsletter="A <b>small</b> letter")
    root = etree.fromstring(html.encode(), etree.HTMLParser())

    assert "A &lt;b&gt;small&lt;/b&gt; letter" in html
    assert not root.xpath("//script|//link|//iframe|//@src|//@*[starts-with(name(), 'on')]")
    for figure in root.xpath("//figure[.//*[local-name()='svg']]"):
        assert figure.xpath("following-sibling::div[1]//table")
    assert len(root.xpath("//figure")) >= 3
    assert len(root.xpath("//table")) == len(page.tables)


def test_axe_has_no_objection(page: Told) -> None:
    with running_browser() as browser:
        tab = browser.new_page()
        tab.set_content(report_html(page, newsletter="A small letter"))

        assert violations(tab, (1440, 360)) == []
        assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_terminal_shows_it_in_eighty_columns(page: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.delenv("NO_COLOR", raising=False)
    warned = replace(page, warnings=("Too many bounced.",))
    lines = [re.sub(r"\x1b\[\d+:[0-9a-f]+m", "", line) for line in page_of(warned, width=80)]

    assert max(map(len, "\n".join(lines).splitlines())) <= 80
    assert lines[0].startswith("Of 1,500 people, ")
    assert "! Too many bounced." in "\n".join(lines)
    assert all(table.title in "\n".join(lines) for table in page.tables)


def test_every_figure_is_in_the_csv_file(page: Told, tmp_path: Path) -> None:
    write_csv(tmp_path / "report.csv", page.tables, overwrite=False)
    with (tmp_path / "report.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))

    assert len(rows) == sum(len(line.measures) for table in page.tables for line in table.lines)
    rated = [row for row in rows if row["rate"]]
    assert all(float(row["low"]) <= float(row["rate"]) <= float(row["high"]) for row in rated)
    with pytest.raises(InputError):
        write_csv(tmp_path / "report.csv", page.tables, overwrite=False)


def test_json_has_the_same_tables(page: Told) -> None:
    data = report_data(page, None)

    assert [each["table"] for each in data["tables"]] == [table.key for table in page.tables]  # type: ignore[attr-defined]


def test_a_year_has_its_issues_growth_and_links(audience: Callable[[int], World]) -> None:
    found = year_told(audience(1500).database, 2026, zone="UTC", now=LATER)

    assert [table.key for table in found.tables][:2] == ["issues", "growth"]
    with pytest.raises(InputError, match="choose from 2026"):
        year_told(audience(1500).database, 2024, zone="UTC", now=LATER)


def test_an_issue_that_was_not_sent_is_a_mistake(audience: Callable[[int], World]) -> None:
    with pytest.raises(InputError, match="did you mean 2026-02"):
        report_on(audience(1500).database, "2026-2", now=LATER)


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [(0.41, 0.43, "41–43%"), (0.008, 0.011, "0.8–1.1%"), (0.0004, 0.0012, "0.04–0.12%"), (0, 1, "0–100%")],
)
def test_a_range_has_the_digits_that_it_needs(low: float, high: float, words: str) -> None:
    assert say_interval(Interval(low, high)) == words


def test_a_rate_has_the_digits_that_it_needs() -> None:
    assert [say_rate(rate) for rate in (0, 0.001, 0.0123, 0.42, 1)] == ["0%", "0.1%", "1.2%", "42.0%", "100%"]


def test_of_several_comparisons_none_stands_out_by_chance() -> None:
    rates = Proportion(60, 200), Proportion(80, 200)

    assert rates[1].differs_from(Proportion(55, 200)) == 1
    assert rates[0].differs_from(rates[1], among=20) == 0


class TestAlarm:
    """Reviewers get one email if too many emails bounce, or too many people complain."""

    def _report(self, config: Config, database: Database, count: int, type_: EventType, *, people: int = 100) -> None:
        add_people(database, people)
        broadcast = freeze(database, chunk_size=people)
        send_all(database, broadcast)
        moment = NOW + timedelta(hours=1)
        events = [
            event_of(database, broadcast, f"person{number:05}@example.org", type_, moment) for number in range(count)
        ]
        ingest(config, database, events, now=moment, tidies=False)
        for _ in range(2):
            note_alarms(database, now=moment)

    @pytest.mark.parametrize(("count", "alarms"), [(1, []), (2, [Alarm.BOUNCES])])
    def test_two_of_a_hundred_bounces_are_told_once(
        self, config: Config, database: Database, count: int, alarms: list[Alarm]
    ) -> None:
        self._report(config, database, count, EventType.BOUNCED)

        assert [notice.state for notice in untold_notices(database)] == alarms

    def test_a_complaint_of_a_hundred_is_told(self, config: Config, database: Database) -> None:
        self._report(config, database, 1, EventType.COMPLAINED)

        (notice,) = untold_notices(database)
        assert notice.is_alarm
        assert "1 of 100 people whose mailboxes report it marked it as spam" in notice.what
