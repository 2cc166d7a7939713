"""Any file at all: each row is taken or rejected, however it is written, and no file ends in a traceback."""

import contextlib
import csv
import io
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from newsletter.errors import InputError, MistakesError
from newsletter.lists.csv_import import read_list
from newsletter.model.address import person_of
from newsletter.model.imports import ImportBatch

HEADER = ["email", "first_name", "language", "timezone", "tags", "consented_at", "Note", "status"]
CELLS = (
    st.sampled_from(["ana@example.org", "Bo.Lima@EXAMPLE.org", "zoë@müller.example.org", "ana", "'+a@example.org", ""]),
    st.sampled_from(
        ["Ana", " Zoë ", "'=1+1", "'t Hooft", "a\tb", "two\nlines", "\0", "陽子\u3000👩‍🏫", "", "x" * 10_001]
    ),
    st.sampled_from(["en", "PT_br", "english", ""]),
    st.sampled_from(["Europe/Paris", "europe/paris", "Mars/Olympus", " "]),
    st.sampled_from(["a;B", '"a","b"', "|", ""]),
    st.sampled_from(["2026-01-31T08:00:00Z", "2026-01-31 08:00:00", "Jan 31, 2026", "03/04/2026", "soon", ""]),
    st.sampled_from(["", "O'Neill", 'say "yes"', "a,b;c", "=1", "-", "\u200b"]),
    st.sampled_from(["", "", "", "active", "unsubscribed"]),
)


def read(content: bytes, **options: str) -> list[ImportBatch]:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "list.csv"
        path.write_bytes(content)
        return list(read_list(path, **options))


def outcome_of(batches: list[ImportBatch]) -> list[tuple[int, dict[str, str] | str]]:
    """Each row by its line: its cells, or why it was rejected."""
    taken = [
        (line, dict(zip(batch.columns, cells, strict=True)))
        for batch in batches
        for line, cells in zip(batch.lines, zip(*batch.columns.values(), strict=True), strict=True)
    ]
    rejected = [(row.line, row.reason) for batch in batches for row in batch.rejected]
    return sorted([*taken, *rejected], key=lambda row: row[0])


def written(
    rows: list[tuple[str, ...]], *, quoting: "csv._QuotingType", ends: str = "\n", delimiter: str = ","
) -> bytes:
    file = io.StringIO()
    writer = csv.writer(file, quoting=quoting, lineterminator=ends, delimiter=delimiter)
    writer.writerow(HEADER)
    writer.writerows(rows)
    return file.getvalue().encode()


@given(st.lists(st.tuples(*CELLS), max_size=6))
@settings(max_examples=300)
def test_rows_are_the_same_however_they_are_quoted_ended_and_separated(rows: list[tuple[str, ...]]) -> None:
    quoted = outcome_of(read(written(rows, quoting=csv.QUOTE_ALL)))

    assert outcome_of(read(written(rows, quoting=csv.QUOTE_MINIMAL))) == quoted
    assert outcome_of(read(written(rows, quoting=csv.QUOTE_MINIMAL, delimiter=";"))) == quoted
    assert outcome_of(read(written(rows, quoting=csv.QUOTE_MINIMAL).decode().encode("utf-16"))) == quoted


@given(st.lists(st.tuples(*CELLS), max_size=6))
@settings(max_examples=200)
def test_row_is_judged_the_same_alone_and_among_others(rows: list[tuple[str, ...]]) -> None:
    plain = [tuple(cell.replace("\n", " ") for cell in row) for row in rows]

    together = [what for _, what in outcome_of(read(written(plain, quoting=csv.QUOTE_MINIMAL)))]
    alone = [what for row in plain for _, what in outcome_of(read(written([row], quoting=csv.QUOTE_MINIMAL)))]

    assert together == alone


@given(st.lists(st.tuples(*CELLS), max_size=6))
@settings(max_examples=100)
def test_what_is_taken_holds_what_the_database_asks_for(rows: list[tuple[str, ...]]) -> None:
    for _, row in outcome_of(read(written(rows, quoting=csv.QUOTE_MINIMAL))):
        if isinstance(row, dict):
            assert row["person"] == person_of(row["email"]) != ""
            assert row["consented_at"] in {"", "2026-01-31T08:00:00Z", "2026-01-31T00:00:00Z"}
            assert row["tags"] in {"", "|a|b|"}
            assert not any("\n" in cell or "\0" in cell for cell in row.values())


@given(st.binary(max_size=300))
@example(b'"email"x\n')
@example(b"\xff\xfe")
@example(b"\xfe\xff\x00")
@example(b"\xff\xfe\x00\x00\x00")
@example(b"\x00e\x00m")
@example(b"\xef\xbb\xbf")
@settings(max_examples=500)
def test_any_bytes_end_in_a_finding_or_in_rows(content: bytes) -> None:
    with contextlib.suppress(MistakesError, InputError):
        read(content)


@given(st.binary(max_size=200), st.sampled_from(["utf-8", "utf-16", "utf-16-be", "cp1252", "shift_jis", "iso2022_jp"]))
@settings(max_examples=300)
def test_any_bytes_after_a_header_end_in_a_finding_or_in_rows(content: bytes, encoding: str) -> None:
    for header in (b"email,x\n", b"uuid,email,attributes,status\n", b"email\tcreated_at\r\n"):
        with contextlib.suppress(MistakesError, InputError):
            read(header + content)
        with contextlib.suppress(MistakesError, InputError):
            read(header + content, encoding=encoding)


@given(st.text(alphabet="ab@.,;\"\n\r\0 '=x\u2028é\ufeff", max_size=80))
@settings(max_examples=500)
def test_any_text_after_a_header_ends_in_a_finding_or_in_rows(text: str) -> None:
    with contextlib.suppress(MistakesError):
        outcome = outcome_of(read(f"email,x\n{text}".encode()))
        assert len({line for line, _ in outcome}) == len(outcome)
        assert all(line >= 2 for line, _ in outcome)


@given(st.data())
@settings(max_examples=100)
def test_list_cut_off_anywhere_ends_in_a_finding_or_in_whole_rows(data: st.DataObject) -> None:
    whole = written([("ana@example.org", "Zoë", "en", "", "a", "", 'a "b"', "")] * 3, quoting=csv.QUOTE_ALL)
    cut = data.draw(st.integers(0, len(whole)))

    with contextlib.suppress(MistakesError, InputError):
        taken = [what for _, what in outcome_of(read(whole[:cut])) if isinstance(what, dict)]
        assert taken == [what for _, what in outcome_of(read(whole))][: len(taken)]


@pytest.mark.parametrize(
    "row",
    [
        b"a" * 3_000_000 + b",x",
        b'"' + b"a" * 3_000_000 + b'",x',
        b"a," * 500_000,
        b'"x",' * 500_000,
        b"\0" * 100_000,
        b"=HYPERLINK(1),x",
        b"@SUM(1),x",
    ],
)
def test_enormous_and_strange_rows_are_found(row: bytes) -> None:
    try:
        outcome = outcome_of(read(b"email,x\n" + row + b"\nana@example.org,1\n"))
    except MistakesError as err:
        assert "list.csv:2: " in str(err)  # noqa: PT017 - a finding is one of two right answers
    else:
        assert [line for line, _ in outcome] == [2, 3]
        assert isinstance(outcome[0][1], str)
