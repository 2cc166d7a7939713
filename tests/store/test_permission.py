"""The policy on consent and leaving, and the SQL that applies it, say the same after any history of one person."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import pytest
from hypothesis import event, example, given, settings
from hypothesis import strategies as st

from newsletter.model.audience import Suppression, SuppressionReason
from newsletter.model.edit import Edit
from newsletter.model.permission import Consent, Leaving
from newsletter.store.database import Database
from newsletter.store.editing import edit_people
from newsletter.store.subscribers import find_subscriber
from newsletter.store.suppressions import add_suppressions, find_suppression, remove_suppression
from newsletter.system.moments import text_of
from newsletter.workflows.subscribers.import_ import ImportRequest, import_list
from tests.store.builders import NOW, add, row
from tests.store.worlds import clear

ANA = "ana@example.org"
UNSUBSCRIBED, IN_DOUBT, MANUAL = SuppressionReason.UNSUBSCRIBED, SuppressionReason.IN_DOUBT, SuppressionReason.MANUAL
REASONS = {
    "unsubscribed_at": UNSUBSCRIBED,
    "bounced_at": SuppressionReason.BOUNCED,
    "complained_at": SuppressionReason.COMPLAINED,
}
DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
BEHIND_UTC = timedelta(hours=12)  # the zone in which a day ends last
moments = st.integers(0, 12).map(lambda halves: NOW - halves * DAY / 2)


class Reported(NamedTuple):
    """Suppressions that are added together, as by a file or a sync."""

    suppressions: Sequence[Suppression]


class Lifted(NamedTuple):
    """A suppression that is lifted by hand."""


class Edited(NamedTuple):
    """The consent on record is set or cleared by hand, if the person is on the list."""

    at: datetime | None


class Cell(NamedTuple):
    """A cell about leaving, and the first and the last moment that it can mean; without one it is unclear."""

    text: str
    span: tuple[datetime, datetime] | None = None


class Line(NamedTuple):
    """A row of a list about the person."""

    consented_at: datetime | None
    source: str
    name: str
    left: Cell | None


class Listed(NamedTuple):
    """An import of a list."""

    lines: Sequence[Line]
    column: str
    suppresses: bool


def day_cell(moment: datetime) -> Cell:
    start = moment.replace(hour=0)
    return Cell(f"{moment:%Y-%m-%d}", (start, start + DAY - SECOND + BEHIND_UTC))


cells = st.one_of(
    moments.map(day_cell),
    moments.map(lambda moment: Cell(f"{moment:%Y-%m-%d %H:%M}", (moment, moment + BEHIND_UTC))),
    moments.map(lambda moment: Cell(text_of(moment), (moment, moment))),
    st.just(Cell("perhaps")),
)
lines = st.builds(
    Line,
    consented_at=st.none() | moments | st.just(NOW + DAY / 2),
    source=st.sampled_from(("form", "phone", "")),
    name=st.sampled_from(("", "Ana", "Anna")),
    left=st.none() | cells,
)
suppressions = st.builds(
    lambda reason, at, longer, consent: Suppression(
        email="Ana@Example.org",
        reason=reason,
        created_at=at,
        repeated_at=at + longer if longer else None,
        consent_on_record=consent,
    ),
    st.sampled_from(SuppressionReason),
    moments,
    st.sampled_from((timedelta(), timedelta(), DAY)),
    st.none() | moments,
)
histories = st.lists(
    st.one_of(
        st.builds(Listed, st.lists(lines, min_size=1, max_size=2), st.sampled_from(tuple(REASONS)), st.booleans()),
        st.builds(Reported, st.lists(suppressions, min_size=1, max_size=3)),
        st.just(Lifted()),
        st.builds(Edited, st.none() | moments),
    ),
    min_size=1,
    max_size=6,
)


# A consent that was recorded by hand after they left is read again, with something else that is new.
READ_AGAIN = [
    Listed([Line(NOW - 6 * DAY, "form", "Ana", None)], "unsubscribed_at", suppresses=False),
    Reported([Suppression(email=ANA, reason=UNSUBSCRIBED, created_at=NOW - 4 * DAY)]),
    Edited(NOW - 2 * DAY),
    Listed([Line(NOW - 2 * DAY, "form", "Anna", None)], "unsubscribed_at", suppresses=False),
]


class Policy:
    """What the policy says about the person after each step."""

    def __init__(self) -> None:
        self.cells: tuple[str, str, str] | None = None  # consent, source and name, if the person is on the list
        self.leaving: Leaving | None = None
        self._earlier = ""

    @property
    def consent(self) -> str:
        return self.cells[0] if self.cells else ""

    @property
    def is_mailed(self) -> bool:
        return self.leaving is None and self.consent != ""

    def report(self, leavings: Sequence[Leaving]) -> None:
        """Takes what is reported together: the first leaving comes first, and a doubt last."""
        known = self.leaving
        for each in sorted(leavings, key=lambda leaving: (leaving.reason is IN_DOUBT, leaving.left_at)):
            new = each.after(self._earlier).reported_while(known, self.consent)
            self.leaving = self.leaving.followed_by(new) if self.leaving else new

    def edit(self, at: str) -> None:
        if self.cells:
            self.cells = at, "letter" if at else "", self.cells[2]

    def lift(self) -> None:
        if self.leaving:
            self._earlier = max(self._earlier, self.leaving.last)
            self.leaving = None

    def take(self, listed: Listed, *, now: str) -> None:
        leavers = [each for each in listed.lines if each.left]
        others = [each for each in listed.lines if not each.left]
        until = max((_span(each.left, now)[1] for each in leavers if each.left), default="")
        reported = [
            leaving_of(
                REASONS[listed.column] if each.left.span else IN_DOUBT, *_span(each.left, now), _text(each.consented_at)
            )
            for each in leavers
            if each.left
        ]
        self.report([each for each in reported if self._is_news(each, listed)])
        known = max([until, *(_text(each.consented_at) for each in leavers)])
        standing = [each for each in others if not leavers or _consent(each).outweighs(known, now=now)]
        if standing:
            self._take_row(_preferred(standing), now=now)

    def _is_news(self, leaving: Leaving, listed: Listed) -> bool:
        known = self.leaving
        if self.cells is None and known is None and (not listed.suppresses or leaving.reason is IN_DOUBT):
            return False
        is_known = known is not None and known.reason is leaving.reason and known.last >= leaving.last
        return not (is_known and known and max(known.consent_on_record, self.consent) >= leaving.consent_on_record)

    def _take_row(self, line: Line, *, now: str) -> None:
        given = (_text(line.consented_at), line.source, line.name)
        known = self.cells
        before = Consent(at=known[0], source=known[1]) if known else Consent(at="", source="")
        if self.leaving and self.leaving.ends_with(_consent(line), known=before, now=now):
            event("a consent brought somebody back")
            self.lift()
        self.cells = given if known is None else _merged(known, given)


def leaving_of(reason: SuppressionReason, left_at: str, until: str, consent: str) -> Leaving:
    return Leaving(reason=reason, left_at=left_at, until=until if until > left_at else "", consent_on_record=consent)


def _merged(known: tuple[str, str, str], given: tuple[str, str, str]) -> tuple[str, str, str]:
    name = given[2] or known[2]
    if given[0] > known[0]:
        return given[0], given[1], name
    return known[0], (given[1] or known[1]) if given[0] == known[0] else known[1], name


def _text(moment: datetime | None) -> str:
    return text_of(moment) if moment else ""


def _consent(line: Line) -> Consent:
    return Consent(at=_text(line.consented_at), source=line.source)


def _span(cell: Cell, now: str) -> tuple[str, str]:
    return (text_of(cell.span[0]), text_of(cell.span[1])) if cell.span else (now, now)


def _preferred(rows: Sequence[Line]) -> Line:
    """The row that counts, if a person has several: the newest consent, then the fullest."""
    said = [(_text(each.consented_at), "\x1f".join((each.name, each.source))) for each in rows]
    return rows[max(range(len(rows)), key=lambda place: (said[place][0], len(said[place][1]), said[place][1], -place))]


def carry_out(database: Database, history: Sequence[object], folder: Path) -> None:
    """Carries out a history for real, and compares with the policy after each step."""
    policy = Policy()
    for number, step in enumerate(history):
        now = NOW + number * timedelta(minutes=1)
        match step:
            case Reported(several):
                add_suppressions(database, several)
                policy.report(
                    [
                        leaving_of(
                            each.reason,
                            text_of(each.created_at),
                            _text(each.repeated_at),
                            _text(each.consent_on_record),
                        )
                        for each in several
                    ]
                )
            case Lifted():
                remove_suppression(database, ANA, because="asked for it", now=now)
                policy.lift()
            case Edited(at):
                if policy.cells:
                    cells = {"consented_at": _text(at), "consent_source": "letter" if at else ""}
                    edit_people(database, [ANA], Edit(cells=cells), shown=0, now=now)
                policy.edit(_text(at))
            case Listed():
                _import(database, step, folder / "list.csv", now)
                policy.take(step, now=text_of(now))
        assert stored(database) == expected(policy), step


def stored(database: Database) -> tuple[Leaving | None, tuple[str, str, str] | None, bool]:
    found, subscriber = find_suppression(database, ANA), find_subscriber(database, ANA)
    leaving = found and Leaving(
        reason=found.reason,
        left_at=text_of(found.created_at),
        until=_text(found.repeated_at),
        consent_on_record=_text(found.consent_on_record),
    )
    record = subscriber.record if subscriber else None
    known = record and (_text(record.consented_at), record.consent_source, record.first_name)
    return leaving, known, found is None and record is not None and record.may_be_mailed


def expected(policy: Policy) -> tuple[Leaving | None, tuple[str, str, str] | None, bool]:
    return policy.leaving, policy.cells, policy.is_mailed


def _import(database: Database, listed: Listed, path: Path, now: datetime) -> None:
    rows = [
        f"{ANA},{each.name},{_text(each.consented_at)},{each.source},{each.left.text if each.left else ''}"
        for each in listed.lines
    ]
    path.write_text("\n".join([f"email,first_name,consented_at,consent_source,{listed.column}", *rows, ""]))
    import_list(database, ImportRequest(path=path, mapping={}, suppresses_leavers=listed.suppresses), now=now)


@pytest.mark.parametrize("is_empty", [True, False])
def test_the_policy_and_the_sql_agree_over_any_history(database: Database, is_empty: bool) -> None:
    @example(READ_AGAIN)
    @given(histories)
    @settings(max_examples=100, deadline=None)
    def agree(history: Sequence[object]) -> None:
        clear(database)
        if not is_empty:
            add(database, row("bo@example.org"))
        with TemporaryDirectory() as name:
            carry_out(database, history, Path(name))

    agree()
