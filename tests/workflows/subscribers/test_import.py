"""Importing a list: all of it or nothing, the result of each row, and an export that brings everyone back."""

import csv
import gc
import io
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.errors import InputError, MistakesError
from newsletter.lists.exports import batch_of
from newsletter.model.audience import normal_text
from newsletter.model.columns import SubscriberRecord
from newsletter.model.imports import ImportReport
from newsletter.store.database import Database
from newsletter.store.merge import merge_subscribers, past_imports
from newsletter.store.subscribers import export_subscribers
from newsletter.workflows.subscribers.export import export_to_file
from newsletter.workflows.subscribers.import_ import ImportRequest, import_list, mapping_of
from tests.store.empty_file import open_test_database

NOW = datetime(2026, 2, 19, 8, 0, tzinfo=UTC)
MOMENTS = st.datetimes(datetime(2000, 1, 1), datetime(2026, 1, 1), timezones=st.just(UTC)).map(  # noqa: DTZ001
    lambda moment: moment.replace(microsecond=0)
)
TEXTS = st.text(
    st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp")) | st.sampled_from("'=+-@\",;|"), max_size=12
).map(normal_text)
LOCAL_PARTS = st.from_regex(r"['+=a-z][a-z0-9'+=-]{0,8}(\.[A-Z0-9]{1,4})?", fullmatch=True)
TAGS = st.text(st.sampled_from("abcé -=+@"), min_size=1, max_size=6).map(lambda tag: tag.strip().lower()).filter(bool)
PEOPLE = st.lists(
    st.builds(
        SubscriberRecord,
        email=LOCAL_PARTS.map(lambda local: f"{local}@example.org"),
        first_name=TEXTS,
        last_name=TEXTS,
        language=st.sampled_from(["", "en", "pt-BR"]),
        timezone=st.sampled_from(["", "Europe/Paris"]),
        tags=st.lists(TAGS, max_size=3, unique=True).map(lambda tags: tuple(sorted(tags))),
        joined_at=MOMENTS,
        consented_at=st.none() | MOMENTS,
        consent_source=TEXTS,
        consent_wording=TEXTS,
        consent_confirmed_at=st.none() | MOMENTS,
        consent_basis=TEXTS,
        attributes=st.dictionaries(st.sampled_from(["city", "status", "type", "creation_date"]), TEXTS.filter(bool)),
    ),
    max_size=5,
    unique_by=lambda record: record.email.lower(),
)


def bring_in(database: Database, path: Path, **options: object) -> ImportReport:
    return import_list(database, ImportRequest(**{"path": path, "mapping": {}, **options}), now=NOW)  # type: ignore[arg-type]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "list.csv"
    path.write_text("email,country\nana@example.org,BR\nnobody,\nbo@gmial.com,FR\n")
    return path


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with open_test_database(tmp_path / "newsletter.db") as opened:
        yield opened


@given(PEOPLE)
@settings(max_examples=60)
def test_import_of_an_export_brings_everybody_back(people: list[SubscriberRecord]) -> None:
    with TemporaryDirectory() as name:
        folder = Path(name)
        with open_test_database(folder / "one.db") as one, open_test_database(folder / "two.db") as two:
            merge_subscribers(one, [batch_of(people)], now=NOW)
            export_to_file(one, folder / "list.csv")
            bring_in(two, folder / "list.csv")
            again = bring_in(one, folder / "list.csv")

            assert [person.record for person in export_subscribers(two)] == [
                person.record for person in export_subscribers(one)
            ]
            assert (again.unchanged, again.rows) == (len(people), len(people))


def test_report_says_what_became_of_every_row(database: Database, file: Path, tmp_path: Path) -> None:
    file.write_text("email\nana@example.org\n=nobody\nbo@gmial.com\nana@example.org\n")

    bring_in(database, file, report=tmp_path / "report.csv")

    written = tmp_path / "report.csv"
    rows = list(csv.DictReader(io.StringIO(written.read_text())))
    assert [(row["line"], row["email"], row["fate"]) for row in rows] == [
        ("2", "ana@example.org", "added"),
        ("3", "'=nobody", "rejected"),
        ("4", "bo@gmial.com", "added"),
        ("5", "ana@example.org", "rejected"),
    ]
    assert "is not an email address" in rows[1]["remark"]
    assert "typo for gmail.com" in rows[2]["remark"]
    assert stat.S_IMODE(written.stat().st_mode) == 0o600


def test_tags_and_basis_are_given_to_everybody_and_recorded(database: Database, file: Path) -> None:
    report = bring_in(database, file, tags=("Spring fair; guests",), basis=" members of the society ")

    people = [person.record for person in export_subscribers(database)]
    assert {person.tags for person in people} == {("guests", "spring fair")}
    assert {person.consent_basis for person in people} == {"members of the society"}
    assert report.without_consent == 0
    (past,) = past_imports(database)
    assert (past.file, past.basis, past.tags) == ("list.csv", "members of the society", ("guests", "spring fair"))


def test_people_without_consent_or_basis_are_counted(database: Database, file: Path) -> None:
    assert bring_in(database, file).without_consent == 2


def test_dry_run_reports_and_changes_nothing(database: Database, file: Path) -> None:
    report = bring_in(database, file, is_dry_run=True)

    assert (report.added, report.rejected, report.doubtful) == (2, 1, 1)
    assert list(export_subscribers(database)) == []


def test_file_that_goes_wrong_in_the_middle_leaves_everything_as_it_was(
    database: Database, file: Path, tmp_path: Path
) -> None:
    bring_in(database, file)
    before = list(export_subscribers(database))
    people = "".join(f"person{number}@example.org,\n" for number in range(100_000))
    file.write_text(f'email,country\n{people}x@example.org,"oh\n')

    with pytest.raises(MistakesError, match=r"list\.csv:100002: "):
        bring_in(database, file, report=tmp_path / "report.csv")

    assert list(export_subscribers(database)) == before
    assert not (tmp_path / "report.csv").exists()
    assert gc.isenabled()


def test_rejected_rows_are_taken_when_the_corrected_file_is_imported_again(database: Database, file: Path) -> None:
    bring_in(database, file)
    file.write_text(file.read_text().replace("nobody", "cy@example.org"))

    report = bring_in(database, file)

    assert (report.added, report.unchanged, report.rejected) == (1, 2, 0)


def test_progress_is_told_in_bytes_up_to_the_size_of_the_file(database: Database, file: Path) -> None:
    heard: list[int] = []
    file.write_text("email,note\n" + "".join(f"person{number}@example.org,x\n" for number in range(100_000)))

    import_list(database, ImportRequest(path=file, mapping={}), now=NOW, on_progress=heard.append)

    assert heard == sorted(heard)
    assert len(heard) > 2
    assert heard[-1] == file.stat().st_size


def test_mapping_is_written_as_column_and_name() -> None:
    assert mapping_of(("Email Address=email", "Notes=", "a=b=city")) == {
        "Email Address": "email",
        "Notes": "",
        "a=b": "city",
    }


@pytest.mark.parametrize("options", [("email",), ("=email",), ("a=email", "a=")])
def test_mapping_that_says_nothing_or_too_much_is_refused(options: tuple[str, ...]) -> None:
    with pytest.raises(InputError, match="--map"):
        mapping_of(options)


def test_tag_that_no_row_could_hold_is_refused(database: Database, file: Path) -> None:
    with pytest.raises(InputError, match="--tag"):
        bring_in(database, file, tags=("a\nb",))
    with pytest.raises(InputError, match="--tag"):
        bring_in(database, file, tags=('[{"id":7}]',))


def test_report_never_overwrites_the_list(database: Database, tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text("email\nana@example.org\n")
    (tmp_path / "link.csv").symlink_to(path)

    for report in (path, tmp_path / "link.csv"):
        with pytest.raises(InputError, match="is the list itself"):
            import_list(database, ImportRequest(path=path, mapping={}, report=report), now=NOW)

    assert path.read_text() == "email\nana@example.org\n"


def test_report_that_cannot_be_written_stops_the_import_before_it_begins(database: Database, tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text("email\nana@example.org\n")

    with pytest.raises(InputError, match="is a folder; add a file name"):
        import_list(database, ImportRequest(path=path, mapping={}, report=tmp_path), now=NOW)

    assert list(export_subscribers(database)) == []


def test_basis_is_one_line_of_text(database: Database, tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text("email\nana@example.org\n")

    with pytest.raises(InputError, match=r"--basis .* contains a line break or another control character"):
        import_list(database, ImportRequest(path=path, mapping={}, basis="members\x1b[2J"), now=NOW)


def test_report_replaces_an_earlier_one_and_no_other_file(database: Database, file: Path, tmp_path: Path) -> None:
    report, other = tmp_path / "rows.csv", tmp_path / "precious.txt"
    other.write_text("keep me")

    for _ in range(2):
        bring_in(database, file, report=report)
    with pytest.raises(InputError, match="is not an import report"):
        bring_in(database, file, report=other)

    assert "unchanged" in report.read_text()
    assert other.read_text() == "keep me"


@pytest.fixture
def corrected(database: Database, tmp_path: Path) -> Path:
    """A list that corrects one that was imported before."""
    (tmp_path / "l.csv").write_text(
        "email,tags,first_name,language,Shoe size\nana@example.org,wrong,Wrong,en,38\nbo@example.org,wrong,Bo,en,40\n"
    )
    bring_in(database, tmp_path / "l.csv", basis="m")
    path = tmp_path / "l2.csv"
    path.write_text("email,tags,first_name,language,Shoe size\nana@example.org,,Ana,,\n")
    return path


def test_replaced_columns_are_cleared_for_the_people_in_the_file(database: Database, corrected: Path) -> None:
    report = bring_in(database, corrected, replaces=("Tags", "shoe size", "first_name"))

    ana, bo = (each.record for each in export_subscribers(database))
    assert (ana.tags, ana.first_name, ana.language, ana.attributes) == ((), "Ana", "en", {})
    assert (bo.tags, bo.first_name) == (("wrong",), "Bo")
    assert (report.updated, report.rejected) == (1, 0)


def test_replaced_tags_are_those_of_the_row_and_of_the_import(database: Database, corrected: Path) -> None:
    bring_in(database, corrected, replaces=("tags",), tags=("member",))

    assert next(export_subscribers(database)).record.tags == ("member",)


def test_dry_run_of_a_replacement_reports_it_and_changes_nothing(database: Database, corrected: Path) -> None:
    before = list(export_subscribers(database))
    rows = corrected.with_name("rows.csv")

    report = bring_in(database, corrected, replaces=("tags",), is_dry_run=True, report=rows)

    assert report.updated == 1
    assert "2,ana@example.org,updated," in rows.read_text()
    assert list(export_subscribers(database)) == before


def test_repeated_replacement_changes_nothing(database: Database, corrected: Path) -> None:
    for _ in range(2):
        report = bring_in(database, corrected, replaces=("tags", "shoe_size", "language"))

    assert (report.updated, report.unchanged) == (0, 1)


@pytest.mark.parametrize("column", ["language", "timezone"])
def test_row_whose_replaced_cell_cannot_be_read_is_rejected(database: Database, corrected: Path, column: str) -> None:
    corrected.write_text(f"email,{column}\nana@example.org,nonsense\n")

    report = bring_in(database, corrected, replaces=(column,))

    assert report.rejected == 1
    assert report.rejected_rows[0].reason.startswith(f"{column} 'nonsense' is not a ")
    assert next(export_subscribers(database)).record.language == "en"


@pytest.mark.parametrize(("column", "cell"), [("tags", "[[1]]"), ("first_name", "www.example.org/win")])
def test_replaced_tags_and_names_that_cannot_be_read_clear_nothing(
    database: Database, corrected: Path, column: str, cell: str
) -> None:
    corrected.write_text(f"email,{column}\nana@example.org,{cell}\n")

    report = bring_in(database, corrected, replaces=(column,))

    assert (report.rejected, report.updated) == (1, 0)
    ana = next(export_subscribers(database)).record
    assert (ana.tags, ana.first_name) == (("wrong",), "Wrong")


@pytest.mark.parametrize("column", ["email", "E-Mail", "consented_at", "Consent source", "consent_basis"])
def test_address_and_consent_are_not_replaced(database: Database, corrected: Path, column: str) -> None:
    with pytest.raises(InputError, match=r"--replace \w+ is not possible"):
        bring_in(database, corrected, replaces=(column,))


@pytest.mark.parametrize(
    ("column", "remedy"),
    [("tgas", "did you mean --replace tags"), ("plz", "it has email, tags"), ("Shoe", "--replace shoe_size")],
)
def test_column_to_replace_that_the_file_does_not_have_is_an_error(
    database: Database, corrected: Path, column: str, remedy: str
) -> None:
    with pytest.raises(MistakesError, match=remedy):
        bring_in(database, corrected, replaces=(column,))
