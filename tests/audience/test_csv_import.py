"""Reading a list: what becomes a row, what is rejected, and which files are no lists at all."""

import contextlib
from datetime import UTC, datetime
from pathlib import Path

import pytest

from newsletter.audience.csv_import import read_subscribers
from newsletter.errors import InputError, MistakesError
from newsletter.model.audience import ImportRow, RejectedRow

EXAMPLE = Path(__file__).parents[2] / "recipients.example.csv"


def read(tmp_path: Path, text: str | bytes) -> list[ImportRow | RejectedRow]:
    path = tmp_path / "list.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return list(read_subscribers(path))


def only_row(tmp_path: Path, text: str) -> ImportRow:
    (row,) = read(tmp_path, text)
    assert isinstance(row, ImportRow), row
    return row


def only_reason(tmp_path: Path, text: str) -> str:
    (row,) = read(tmp_path, text)
    assert isinstance(row, RejectedRow), row
    return row.reason


def complaint_about(tmp_path: Path, text: str | bytes) -> str:
    with pytest.raises(MistakesError) as raised:
        read(tmp_path, text)
    return str(raised.value)


def test_all_columns_are_read_and_others_become_attributes(tmp_path: Path) -> None:
    row = only_row(
        tmp_path,
        "email,first_name,last_name,language,timezone,tags,consented_at,consent_source,Country,Shoe size\n"
        "ana@example.org,Ana,Lima,pt-BR,America/Sao_Paulo,Teacher; donor,2026-01-31,form,BR,38\n",
    )

    assert row == ImportRow(
        line=2,
        email="ana@example.org",
        first_name="Ana",
        last_name="Lima",
        language="pt-BR",
        timezone="America/Sao_Paulo",
        tags=("donor", "teacher"),
        consented_at=datetime(2026, 1, 31, tzinfo=UTC),
        consent_source="form",
        attributes={"country": "BR", "shoe_size": "38"},
    )


def test_email_alone_is_enough(tmp_path: Path) -> None:
    assert only_row(tmp_path, "email\nana@example.org\n") == ImportRow(line=2, email="ana@example.org")


def test_empty_cell_says_nothing(tmp_path: Path) -> None:
    assert only_row(tmp_path, "email,country\nana@example.org, \n").attributes == {}


def test_byte_order_mark_is_no_part_of_the_header(tmp_path: Path) -> None:
    assert only_row(tmp_path, "\ufeffemail\nana@example.org\n").email == "ana@example.org"


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_delimiter_is_seen_from_the_header(tmp_path: Path, delimiter: str) -> None:
    row = only_row(tmp_path, f'email{delimiter}tags\nana@example.org{delimiter}"a;b"\n')

    assert row.tags == ("a", "b")


@pytest.mark.parametrize("cell", ["b;a", "b|a", '"b,a"', "B ; a ; b"])
def test_tags_are_sorted_lower_case_and_without_doubles(tmp_path: Path, cell: str) -> None:
    assert only_row(tmp_path, f"email,tags\nana@example.org,{cell}\n").tags == ("a", "b")


@pytest.mark.parametrize(
    ("cell", "moment"),
    [
        ("2026-01-31", datetime(2026, 1, 31, tzinfo=UTC)),
        ("2026-01-31T10:00", datetime(2026, 1, 31, 10, tzinfo=UTC)),
        ("2026-01-31T10:00:01.5Z", datetime(2026, 1, 31, 10, 0, 1, tzinfo=UTC)),
        ("2026-01-31 10:00-08:00", datetime(2026, 1, 31, 18, tzinfo=UTC)),
    ],
)
def test_moment_of_consent_is_utc_unless_it_says_otherwise(tmp_path: Path, cell: str, moment: datetime) -> None:
    assert only_row(tmp_path, f"email,consented_at\nana@example.org,{cell}\n").consented_at == moment


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("Ana.Lima@EXAMPLE.org", "Ana.Lima@example.org"),
        ("  ana@example.org ", "ana@example.org"),
        ("Ärzte@MÜLLER.example.org", "Ärzte@müller.example.org"),
        ("o'brien+news@example.org", "o'brien+news@example.org"),
        ("ana@xn--mller-kva.example.org", "ana@xn--mller-kva.example.org"),
    ],
)
def test_address_is_kept_with_its_domain_in_lower_case(tmp_path: Path, given: str, kept: str) -> None:
    assert only_row(tmp_path, f"email\n{given}\n").email == kept


@pytest.mark.parametrize(
    "address",
    [
        "ana",
        "ana@",
        "@example.org",
        "ana@example",
        "ana@@example.org",
        "ana lima@example.org",
        "ana@exam_ple.org",
        ".ana@example.org",
        "ana..lima@example.org",
        "Ana <ana@example.org>",
        f"{'a' * 65}@example.org",
        f"ana@{'a.' * 130}org",
        "ana@[127.0.0.1]",
    ],
)
def test_bad_address_is_rejected(tmp_path: Path, address: str) -> None:
    assert "is not an e-mail address" in only_reason(tmp_path, f"email\n{address}\n")


@pytest.mark.parametrize(
    ("column", "cell", "reason"),
    [
        ("email", " ", "there is no address"),
        ("language", "english", "not a language"),
        ("language", "EN", "not a language"),
        ("timezone", "Mars/Olympus", "not a time zone"),
        ("timezone", "../../etc/passwd", "not a time zone"),
        ("consented_at", "yesterday", "not a date"),
        ("consented_at", "0001-01-01T00:00+14:00", "not a date"),
        ("first_name", "A\0na", "control character"),
        ("first_name", '"A\nna"', "line break"),
        ("first_name", "A\x1bna", "control character"),
    ],
)
def test_wrong_value_is_rejected_with_the_reason(tmp_path: Path, column: str, cell: str, reason: str) -> None:
    header, row = ("email,x", f"{cell},") if column == "email" else (f"email,{column}", f"ana@example.org,{cell}")

    assert reason in only_reason(tmp_path, f"{header}\n{row}\n")


@pytest.mark.parametrize("row", ["ana@example.org", "ana@example.org,Ana,Lima"])
def test_row_of_another_width_is_rejected(tmp_path: Path, row: str) -> None:
    assert "cells where the header has 2" in only_reason(tmp_path, f"email,first_name\n{row}\n")


def test_lines_are_counted_over_empty_lines_and_line_breaks_in_quotes(tmp_path: Path) -> None:
    rows = read(tmp_path, 'email,note\r\n\r\nana@example.org,"two\r\nlines"\r\nbo@example.org,\r\n')

    assert [row.line for row in rows] == [3, 5]


def test_text_beyond_ascii_is_taken(tmp_path: Path) -> None:
    assert only_row(tmp_path, "email,first_name\nana@example.org,陽子\u3000👩‍🏫\n").first_name == "陽子\u3000👩‍🏫"


@pytest.mark.parametrize(
    ("header", "what"),
    [
        ("first_name,last_name", "there is no column email"),
        ("email,,x", "column 2 has no name"),
        ("email,größe", "cannot be the name of a column"),
        ("email,2nd", "cannot be the name of a column"),
        ("email,unsubscribe_url", "has a meaning of its own"),
        ("email,and", "has a meaning of its own"),
        ("email,Email", "there are two columns email"),
    ],
)
def test_impossible_header_is_a_mistake_with_its_line(tmp_path: Path, header: str, what: str) -> None:
    message = complaint_about(tmp_path, f"{header}\nana@example.org,,\n")

    assert "list.csv:1: " in message
    assert what in message


def test_all_mistakes_of_a_header_are_reported_at_once(tmp_path: Path) -> None:
    assert len(complaint_about(tmp_path, "größe,and,\n").splitlines()) == 4


def test_another_encoding_is_reported_with_its_line(tmp_path: Path) -> None:
    filler = "".join(f"person{number}@example.org,x\n" for number in range(2000))

    message = complaint_about(
        tmp_path, f"email,first_name\n{filler}".encode() + "ana@example.org,Zoë\n".encode("cp1252")
    )

    assert "list.csv:2002: it is not UTF-8 text" in message


@pytest.mark.parametrize("content", ["email\n".encode("utf-16"), b"PK\x03\x04\x14\x00\x06\x00", b"\x89PNG\r\n\x1a\n"])
def test_binary_file_is_not_a_list(tmp_path: Path, content: bytes) -> None:
    assert "it is not UTF-8 text; in the spreadsheet choose" in complaint_about(tmp_path, content)


def test_quote_that_is_never_closed_is_reported_where_it_opens(tmp_path: Path) -> None:
    message = complaint_about(tmp_path, 'email,note\na@example.org,\nb@example.org,"oh\nc@example.org,\n')

    assert "list.csv:3: " in message
    assert "quote" in message


def test_empty_file_is_not_a_list(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="it is empty"):
        read(tmp_path, "")


def test_missing_file_and_folder_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no such file"):
        list(read_subscribers(tmp_path / "none.csv"))
    with pytest.raises(InputError, match="it is a folder"):
        list(read_subscribers(tmp_path))


@pytest.mark.parametrize("content", ["email", "email\n", "email,first_name\n\n\n"])
def test_header_alone_is_a_list_of_nobody(tmp_path: Path, content: str) -> None:
    assert read(tmp_path, content) == []


@pytest.mark.parametrize("content", ["\n", "\x00", '"', "email\n\x00", '"email"x\n'])
def test_rubbish_is_refused_or_rejected(tmp_path: Path, content: str) -> None:
    with contextlib.suppress(MistakesError, InputError):
        assert all(isinstance(row, RejectedRow) for row in read(tmp_path, content))


def test_example_list_is_valid_and_varied() -> None:
    rows = [row for row in read_subscribers(EXAMPLE) if isinstance(row, ImportRow)]

    assert len(rows) == len(list(read_subscribers(EXAMPLE))) >= 20
    assert {"en", "es", "de", "fr", "ja", "zh", "sv", "nl", "pt-BR"} <= {row.language for row in rows}
    assert {tag for row in rows for tag in row.tags} == {"teacher", "donor", "member"}
    assert {row.email.rpartition("@")[2] for row in rows} == {"example.org", "example.com", "example.net"}
    assert [row.first_name for row in rows].count("") == 1
