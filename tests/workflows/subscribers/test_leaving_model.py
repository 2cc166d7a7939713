"""Random histories of two workspaces: no one is emailed who left, and everyone may be emailed for whom all is clear.

1,000 scenarios run by default, of which one in twenty is on PostgreSQL. LEAVING_SCENARIOS sets another number.
"""

import csv
import os
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import ClassVar, NamedTuple

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from newsletter.errors import InputError
from newsletter.lists.suppression_rows import SuppressionTerms
from newsletter.model.address import person_of
from newsletter.model.audience import ExportedPerson, SuppressionReason
from newsletter.model.event import ProviderList, SoftBouncePolicy
from newsletter.model.imports import ImportReport
from newsletter.store.database import Database
from newsletter.store.forgotten import forget_person
from newsletter.store.subscribers import export_subscribers
from newsletter.store.suppressions import (
    add_suppressions,
    find_suppression,
    preview_suppressions,
    with_suppressions,
)
from newsletter.store.undo import undo_last_import
from newsletter.system.environment import forget_key
from newsletter.system.moments import moment_of, text_of
from newsletter.workflows.subscribers.edit import EditRequest, edit_of, edit_subscribers
from newsletter.workflows.subscribers.export import export_to_file, export_to_stream
from newsletter.workflows.subscribers.import_ import ImportRequest, import_list
from newsletter.workflows.suppressions.suppress import lift, listed_suppressions, named_suppressions, require_lift
from newsletter.workflows.suppressions.sync import hand_over, plan_sync, take_over
from tests.store.builders import NOW
from tests.store.conftest import Location, engine, fresh_location  # noqa: F401 - fixtures
from tests.store.empty_file import open_test_database
from tests.store.worlds import clear
from tests.workflows.send.carriers import Carrier
from tests.workflows.subscribers.leaving_people import (
    NEVER,
    Corrected,
    Erased,
    Given,
    Left,
    Lifted,
    Note,
    Row,
    Standing,
    Unsure,
    noted,
    standing,
)
from tests.workflows.subscribers.leaving_provider import Lists

SCENARIOS = int(os.environ.get("LEAVING_SCENARIOS", "1000"))
SHARES = {"sqlite": 0.95, "postgresql": 0.05}
STEPS = 10
PEOPLE = tuple(f"{name}@example.org" for name in ("ana", "bo", "cy"))
SPARE = "new@example.org"  # an address to move to
SPELLINGS: Sequence[Callable[[str], str]] = (str, str.upper, "  {}".format, str.title)
DAY, SECOND, BEHIND_UTC = timedelta(days=1), timedelta(seconds=1), timedelta(hours=12)
HARD = {SuppressionReason.MANUAL, SuppressionReason.INVALID}
ONCE = SoftBouncePolicy(bounces=0, span=DAY)
OUR_TABLES = ("subscriber", "suppression", "past_suppression", "past_consent", "tag", "attribute", "forgotten")
CHANGED_TABLES = ("subscriber", "suppression", "past_suppression", "past_consent", "forgotten")
ALL_TABLES = (*OUR_TABLES, "import", "import_change", "import_suppression", "import_return", "left_since_import")

people = st.sampled_from((PEOPLE[0], PEOPLE[0], *PEOPLE))  # much happens to few people
workspaces = st.sampled_from((0, 0, 1))
spellings = st.sampled_from(SPELLINGS)
reasons = st.sampled_from((None, None, None, *SuppressionReason))
moments = st.integers(0, 10).map(lambda halves: NOW - 4 * DAY + halves * DAY / 2)


class Meaning(NamedTuple):
    """A cell about leaving, and what it says: whether the person left, perhaps since when."""

    cell: str
    left: str  # "yes", "no" or "perhaps"
    last: datetime | None = None


def dated(moment: datetime) -> st.SearchStrategy[Meaning]:
    start = moment.replace(hour=0)
    return st.sampled_from(
        (
            Meaning(f"{moment:%Y-%m-%d}", "yes", start + DAY - SECOND + BEHIND_UTC),
            Meaning(f"{moment:%d.%m.%Y}", "yes", start + DAY - SECOND + BEHIND_UTC),
            Meaning(f"{moment:%Y-%m-%d %H:%M}", "yes", moment + BEHIND_UTC),
            Meaning(text_of(moment), "yes", moment),
        )
    )


def cells_of(**meanings: str) -> st.SearchStrategy[Meaning]:
    return st.sampled_from([Meaning(cell, left) for left, cells in meanings.items() for cell in cells.split(",")])


COLUMNS = {
    "unsubscribed_at": moments.flatmap(dated) | cells_of(no=",no", perhaps="perhaps,31.02.2026", yes="yes"),
    "email status": cells_of(no="subscribed,active", yes="unsubscribed,Bounced,cleaned", perhaps="paused,zzz"),
    "subscribed": cells_of(no="yes,TRUE", yes="no,0", perhaps="maybe"),
    "Opted-Out": cells_of(no=",no,0", yes="yes,x", perhaps="hm"),
}
STAYS = {
    "unsubscribed_at": cells_of(no=",no"),
    "email status": cells_of(no="subscribed"),
    "subscribed": cells_of(no="yes"),
    "Opted-Out": cells_of(no="no"),
}


class Line(NamedTuple):
    """A line of a messy list."""

    person: str
    spelling: Callable[[str], str]
    name: str
    consented_at: datetime | None
    has_wrong_date: bool
    source: str
    meaning: Meaning


class MessyList(NamedTuple):
    """A messy list, with the column that says who left."""

    column: str
    lines: Sequence[Line]
    broken: int  # how many lines without an address are at the end


def lines_with(column: str) -> st.SearchStrategy[MessyList]:
    line = st.builds(
        Line,
        person=people,
        spelling=spellings,
        name=st.sampled_from(("", "Ana", "B,o")),
        consented_at=st.none() | moments,
        has_wrong_date=st.sampled_from((False,) * 7 + (True,)),
        source=st.sampled_from(("form", "form", "phone", "")),
        meaning=STAYS[column] | COLUMNS[column],
    )
    return st.builds(MessyList, st.just(column), st.lists(line, min_size=1, max_size=4), st.sampled_from((0, 0, 1)))


messy_lists = st.sampled_from(tuple(COLUMNS)).flatmap(lines_with)


class Workspace:
    """A workspace for real, and the model's notes about its people."""

    def __init__(self, database: Database, path: Path) -> None:
        self.database = database
        self.path = path
        self.lists = Lists()
        self.provider = Carrier(name="provider", suppression_lists=self.lists)
        self.notes: dict[str, list[Note]] = defaultdict(list)
        self.imports = 0
        self.undoable = 0  # the number of the import that can be undone, if there is one
        self.happened: set[str] = set()  # to whom something happened since that import

    def exported(self) -> dict[str, ExportedPerson]:
        records = (subscriber.record for subscriber in export_subscribers(self.database))
        return {person_of(found.record.email): found for found in with_suppressions(self.database, records)}

    def standing(self, person: str) -> Standing:
        return standing(self.notes[person])

    def note(self, person: str, *notes: Note) -> None:
        self.notes[person] += notes
        self.happened.add(person)

    def contents(self, tables: Sequence[str]) -> list[str]:
        with self.database.read() as connection:
            return [
                f"{table} {row}"
                for table in tables
                for row in sorted(connection.execute(f"SELECT * FROM {table}", {}).fetchall(), key=repr)
            ]

    def bring_in(self, now: datetime, **options: object) -> ImportReport:
        """Import the file. An import that changes nothing leaves the one before it to be undone."""
        request = ImportRequest(**{"path": self.path, "mapping": {}, **options})  # type: ignore[arg-type]
        before, undoable = self.contents(CHANGED_TABLES), self._undoable_id()
        report = import_list(self.database, request, now=now)
        if self._undoable_id() != undoable:
            self.undoable = self.imports
            self.happened.clear()
        else:
            assert self.contents(CHANGED_TABLES) == before
            self.happened.update(() if request.is_dry_run else (*PEOPLE, SPARE))
        return report

    def _undoable_id(self) -> object:
        with self.database.read() as connection:
            return connection.execute("SELECT max(id) FROM import WHERE is_undoable = 1", {}).fetchone()

    def take_notes(self, rows: Sequence[Row], now: datetime, *, suppresses: bool, basis: bool) -> None:
        """Note what an import of these rows says. The list must not be imported yet."""
        listed = set(self.exported())
        self.imports += 1
        for person in {row.person for row in rows}:
            self.notes[person] += noted(
                [row for row in rows if row.person == person],
                self.notes[person],
                is_known=person in listed or find_suppression(self.database, person) is not None,
                suppresses=suppresses,
                basis=basis,
                by=self.imports,
                now=now,
            )

    def take_back(self) -> None:
        """Take the last import out of the notes. Of people to whom something happened since, nothing is sure."""
        for person, notes in self.notes.items():
            kept = [note for note in notes if note.by != self.undoable]
            if kept != notes and person in self.happened:
                kept.append(Unsure())
            self.notes[person] = kept
        self.undoable = 0


class Leaving(RuleBasedStateMachine):
    """People join, leave and come back in two workspaces, in every way that the product has."""

    databases: ClassVar[tuple[Database, Database]]
    folder: ClassVar[Path]

    @initialize(joined=st.sets(st.tuples(workspaces, people), max_size=4))
    def begin(self, joined: set[tuple[int, str]]) -> None:
        for database in self.databases:
            clear(database)
        self.now = NOW
        self.last: tuple[MessyList, bool, str] | None = None
        self.workspaces = [Workspace(each, self.folder / f"{number}.csv") for number, each in enumerate(self.databases)]
        for number, person in sorted(joined):
            line = Line(person, str, "", NOW - 5 * DAY, False, "form", Meaning("no", "no"))
            self._import(self.workspaces[number], MessyList("unsubscribed_at", [line], 0), False, "")

    def tick(self, number: int) -> Workspace:
        self.now += DAY / 4
        return self.workspaces[number]

    @rule(number=workspaces, listed=messy_lists, suppresses=st.booleans(), basis=st.sampled_from(("", "", "members")))
    def import_messy(self, number: int, listed: MessyList, suppresses: bool, basis: str) -> None:
        self.last = listed, suppresses, basis
        self._import(self.tick(number), *self.last)

    @rule(
        number=workspaces,
        person=people,
        at=st.sampled_from(("now", "on record")) | moments,
        source=st.sampled_from(("form", "form", "form", "")),
        name=st.sampled_from(("", "Ana", "Eve")),
        is_undone=st.booleans(),
    )
    def import_consent(
        self, number: int, person: str, at: datetime | str, source: str, name: str, is_undone: bool
    ) -> None:
        workspace = self.tick(number)
        consent = workspace.standing(person).consent if at == "on record" else NEVER
        given = at if isinstance(at, datetime) else moment_of(consent) if consent else self.now
        line = Line(person, str, name, given, False, source, Meaning("no", "no"))
        self._import(workspace, MessyList("unsubscribed_at", [line], 0), False, "")
        if is_undone:
            self.undo(number)

    @rule(number=workspaces, listed=messy_lists, suppresses=st.booleans())
    def import_and_undo(self, number: int, listed: MessyList, suppresses: bool) -> None:
        self._import(self.tick(number), listed, suppresses, "")
        self.undo(number)

    @rule(number=workspaces)
    def import_again(self, number: int) -> None:
        if self.last:
            self._import(self.tick(number), *self.last)

    def _import(self, workspace: Workspace, listed: MessyList, suppresses: bool, basis: str) -> None:
        self._write(workspace, listed)
        rows = [self._row(line) for line in listed.lines]
        workspace.take_notes(rows, self.now, suppresses=suppresses, basis=bool(basis))
        report = workspace.bring_in(self.now, suppresses_leavers=suppresses, basis=basis)
        assert report.rows == len(rows) + listed.broken
        assert min(report.added, report.updated, report.unchanged, report.blocked, report.rejected) >= 0

    @rule(number=workspaces, listed=messy_lists, suppresses=st.booleans())
    def dry_run(self, number: int, listed: MessyList, suppresses: bool) -> None:
        workspace = self.tick(number)
        self._write(workspace, listed)
        before = workspace.contents(ALL_TABLES)
        report = workspace.bring_in(self.now, suppresses_leavers=suppresses, is_dry_run=True)
        assert report.rows == len(listed.lines) + listed.broken
        assert workspace.contents(ALL_TABLES) == before

    def _write(self, workspace: Workspace, listed: MessyList) -> None:
        text = StringIO()
        writer = csv.writer(text)
        writer.writerow(("email", "first_name", "consented_at", "consent_source", listed.column))
        for line in listed.lines:
            consent = "31.02.2026" if line.has_wrong_date else text_of(line.consented_at) if line.consented_at else ""
            writer.writerow((line.spelling(line.person), line.name, consent, line.source, line.meaning.cell))
        writer.writerows([("ana@", "", "", "", listed.lines[0].meaning.cell)] * listed.broken)
        workspace.path.write_text(text.getvalue())

    def _row(self, line: Line) -> Row:
        consent = text_of(line.consented_at) if line.consented_at and not line.has_wrong_date else NEVER
        left = None
        if line.meaning.left != "no":
            last = text_of(line.meaning.last or self.now)
            left = Left(last=last, consent=consent, is_doubt=line.meaning.left == "perhaps")
        is_wrong = line.has_wrong_date or consent > text_of(self.now + DAY)
        return Row(person=line.person, consented_at=consent, source=line.source, left=left, is_wrong=is_wrong)

    @rule(number=workspaces, person=people, spelling=spellings, reason=reasons)
    def suppress(
        self, number: int, person: str, spelling: Callable[[str], str], reason: SuppressionReason | None
    ) -> None:
        workspace = self.tick(number)
        terms = SuppressionTerms(reason=reason)
        found = named_suppressions([spelling(person)], terms, topics={}, now=self.now)
        preview_suppressions(workspace.database, found, key=forget_key())
        add_suppressions(workspace.database, found, key=forget_key())
        self._left(workspace, person, text_of(self.now), reason)

    @rule(number=workspaces, several=st.lists(st.tuples(people, spellings, moments), min_size=1, max_size=3))
    def suppress_file(self, number: int, several: Sequence[tuple[str, Callable[[str], str], datetime]]) -> None:
        workspace = self.tick(number)
        rows = [(person, spelling(person), min(at, self.now)) for person, spelling, at in several]
        lines = ["email,reason,created_at", *(f"{email},bounced,{text_of(at)}" for _, email, at in rows)]
        workspace.path.write_text("\n".join(lines))
        found = listed_suppressions(workspace.path, SuppressionTerms(), topics={}, now=self.now, on_row=lambda _: None)
        add_suppressions(workspace.database, found, key=forget_key())
        for person, _, at in rows:
            self._left(workspace, person, text_of(at), SuppressionReason.BOUNCED)

    def _left(self, workspace: Workspace, person: str, last: str, reason: SuppressionReason | None) -> None:
        if workspace.standing(person).erased is None:
            is_doubt = reason is SuppressionReason.IN_DOUBT
            workspace.note(person, Left(last=last, is_hard=reason in HARD, is_doubt=is_doubt))

    @rule(number=workspaces, person=people, spelling=spellings)
    def lift(self, number: int, person: str, spelling: Callable[[str], str]) -> None:
        workspace = self.tick(number)
        if find_suppression(workspace.database, person):
            found = require_lift(workspace.database, spelling(person).strip(), topic="", topics={})
            lift(workspace.database, found, because="asked by phone", now=self.now)
            workspace.note(person, Lifted(at=text_of(self.now)))

    @rule(
        number=workspaces,
        entries=st.lists(st.tuples(st.sampled_from(ProviderList), people, spellings, moments), max_size=2),
    )
    def sync(self, number: int, entries: Sequence[tuple[ProviderList, str, Callable[[str], str], datetime]]) -> None:
        workspace = self.tick(number)
        for listed, person, spelling, at in entries:
            workspace.lists.put(listed, spelling(person).strip(), min(at, self.now))
        self._hear(workspace)
        key = forget_key()
        plan = plan_sync(workspace.database, workspace.provider, since=None, now=self.now, key=key)
        take_over(workspace.database, plan, ONCE, key=key, now=self.now)
        workspace.lists.now = self.now
        assert hand_over(workspace.database, workspace.provider, plan, key=key, clock=lambda: self.now) == ()
        workspace.happened.update(PEOPLE)

    def _hear(self, workspace: Workspace) -> None:
        """Note the provider's entries, except those that are older than the permission to email the person."""
        before = {person: workspace.standing(person) for person in (*PEOPLE, SPARE)}
        for entry in sorted(workspace.lists.entries, key=lambda entry: entry.created_at):
            person, at = person_of(entry.email), text_of(entry.created_at)
            found = before[person]
            if entry.on is ProviderList.BLOCKS or found.erased:
                continue
            if entry in workspace.lists.ours:  # after a return, it is not known whose entry it is
                workspace.note(person, Unsure())
            elif at >= found.returned:
                is_hard = entry.on is ProviderList.INVALID_EMAILS
                workspace.note(person, Left(last=at, is_hard=is_hard))
            elif at >= found.lifted:  # a consent may have brought them back earlier
                workspace.note(person, Unsure())

    @rule(number=workspaces, person=people)
    def forget(self, number: int, person: str) -> None:
        workspace = self.tick(number)
        key = forget_key()
        assert key is not None
        if forget_person(workspace.database, person, key=key, now=self.now):
            is_hard = workspace.standing(person).is_hard
            workspace.notes[person] = [
                *(note for note in workspace.notes[person] if isinstance(note, Erased)),
                Erased(at=text_of(self.now), is_hard=is_hard),
            ]
            workspace.happened.add(person)

    @rule(
        number=workspaces,
        person=people,
        change=st.sampled_from(("name", "clear", "consent", "address", "address")),
        at=moments,
        other=people | st.just(SPARE),
    )
    def edit(self, number: int, person: str, change: str, at: datetime, other: str) -> None:
        workspace = self.tick(number)
        at = min(at, self.now)
        request = {
            "name": EditRequest(values=("first_name=Eve",)),
            "clear": EditRequest(cleared=("consented_at",)),
            "consent": EditRequest(values=(f"consented_at={text_of(at)}", "consent_source=letter")),
            "address": EditRequest(values=(f"email={other}",)),
        }[change]
        changes = edit_of(workspace.database, request, is_for_one=True, now=self.now)
        before = workspace.contents(ALL_TABLES)
        try:
            edit_subscribers(workspace.database, [person], changes, key=forget_key(), is_dry_run=False, now=self.now)
        except InputError:  # they are not on the list, or the other address cannot be used
            assert workspace.contents(ALL_TABLES) == before
            return
        workspace.happened.add(person)
        if change == "clear":
            workspace.note(person, Corrected(at=NEVER))
        elif change == "consent":
            workspace.note(person, Corrected(at=text_of(at)))
        elif change == "address" and person != other:
            self._move(workspace, person, other)

    def _move(self, workspace: Workspace, old: str, new: str) -> None:
        notes, last = workspace.notes[old], workspace.undoable
        found = workspace.standing(old)
        given: list[Note] = []
        if not found.leavings:  # perhaps only because of the last import, which can be undone
            given = [note for note in notes if isinstance(note, Given) and note.by == last]
        counting = standing(note for note in notes if not given or note.by != last)
        leavings = [Left(last=each.last, is_hard=each.is_hard, is_doubt=each.is_doubt) for each in counting.leavings]
        barrier = [Corrected(at=counting.barrier)] if leavings else []
        workspace.note(
            new, *barrier, *leavings, *given, Corrected(at=found.consent, has_source=found.is_sourced), Unsure()
        )
        workspace.note(old, Left(last=text_of(self.now), is_hard=True), Corrected(at=NEVER))

    @rule(number=workspaces)
    def undo(self, number: int) -> None:
        workspace = self.tick(number)
        if workspace.undoable:
            undo_last_import(workspace.database, shown=9, now=self.now)
            workspace.take_back()

    @rule(number=workspaces)
    def import_own_export(self, number: int) -> None:
        workspace = self.tick(number)
        export_to_file(workspace.database, workspace.path, overwrite=True)
        before = workspace.contents(OUR_TABLES)
        workspace.take_notes((), self.now, suppresses=False, basis=False)
        report = workspace.bring_in(self.now)
        assert workspace.contents(OUR_TABLES) == before
        assert (report.added, report.updated, report.rejected) == (0, 0, 0)

    @rule(number=workspaces, suppresses=st.booleans())
    def import_elsewhere(self, number: int, suppresses: bool) -> None:
        here, there = self.tick(number), self.workspaces[1 - number]
        export_to_file(here.database, there.path, overwrite=True)
        left = {person for person in PEOPLE if here.standing(person).has_left}
        were_mailed = {person for person, found in there.exported().items() if found.is_mailed}
        rows = list(self._rows_of_export(here))
        there.take_notes(rows, self.now, suppresses=suppresses, basis=False)
        report = there.bring_in(self.now, suppresses_leavers=suppresses)
        assert report.rows == len(rows)
        mailed = {person for person, found in there.exported().items() if found.is_mailed}
        assert not (mailed - were_mailed) & left

    def _rows_of_export(self, workspace: Workspace) -> Iterator[Row]:
        text = StringIO()
        export_to_stream(workspace.database, text)
        for cells in csv.DictReader(StringIO(text.getvalue())):
            status, consent = cells["status"], cells["consented_at"]
            left = None
            if status not in {"subscribed", "no consent"}:
                reason = SuppressionReason(status)
                is_doubt = reason is SuppressionReason.IN_DOUBT
                left = Left(last=cells["left_at"], consent=consent, is_hard=reason in HARD, is_doubt=is_doubt)
            yield Row(
                person=person_of(cells["email"]),
                consented_at=consent,
                source=cells["consent_source"],
                left=left,
                is_wrong=consent > text_of(self.now + DAY),
            )

    @invariant()
    def nobody_is_emailed_who_left(self) -> None:
        for workspace in self.workspaces:
            for person, found in workspace.exported().items():
                standing = workspace.standing(person)
                assert not (found.is_mailed and standing.has_left), (person, standing, workspace.notes[person])
                assert found.is_mailed or not standing.may_be_mailed, (person, standing, workspace.notes[person])


def test_nobody_who_left_is_emailed_whatever_happens(
    engine: str,  # noqa: F811
    fresh_location: Callable[[], Location],  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("NEWSLETTER_KEY", "a key of at least thirty-two bytes")
    memory = Path("/dev/shm")
    with TemporaryDirectory(dir=memory if memory.is_dir() else None) as name:
        places = (
            [Path(name) / f"{n}.db" for n in range(2)] if engine == "sqlite" else [fresh_location() for _ in range(2)]
        )
        with open_test_database(places[0]) as here, open_test_database(places[1]) as there:
            Leaving.databases, Leaving.folder = (here, there), Path(name)
            run_state_machine_as_test(
                Leaving,
                settings=settings(
                    max_examples=max(1, round(SCENARIOS * SHARES[engine])),
                    stateful_step_count=STEPS,
                    deadline=None,
                    suppress_health_check=list(HealthCheck),
                ),
            )
