"""Reading a list: what becomes a row, what is rejected, what is doubtful, and which files are no lists at all."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest

from newsletter.errors import InputError, MistakesError
from newsletter.lists.csv_import import ListShape, read_list
from newsletter.model.imports import DoubtfulRow, ImportBatch, RejectedRow

EXAMPLE = Path(__file__).parents[2] / "recipients.example.csv"


def read(tmp_path: Path, content: str | bytes, **options: Any) -> list[ImportBatch]:
    path = tmp_path / "list.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return list(read_list(path, **options))


def rows_of(batches: list[ImportBatch]) -> list[dict[str, str]]:
    """The rows that were taken, without the cells that say nothing."""
    return [
        {name: cell for name, cell in zip(batch.columns, cells, strict=True) if cell and name != "person"}
        for batch in batches
        for cells in zip(*batch.columns.values(), strict=True)
    ]


def only_row(tmp_path: Path, content: str | bytes, **options: Any) -> dict[str, str]:
    batches = read(tmp_path, content, **options)
    (row,) = rows_of(batches)
    assert not [rejected for batch in batches for rejected in batch.rejected]
    return row


def only_rejected(tmp_path: Path, content: str | bytes) -> RejectedRow:
    batches = read(tmp_path, content)
    assert rows_of(batches) == []
    (row,) = (rejected for batch in batches for rejected in batch.rejected)
    return row


def only_doubt(tmp_path: Path, content: str) -> DoubtfulRow:
    batches = read(tmp_path, content)
    assert len(rows_of(batches)) == 1
    (row,) = (doubtful for batch in batches for doubtful in batch.doubtful)
    return row


def complaint_about(tmp_path: Path, content: str | bytes, **options: Any) -> str:
    with pytest.raises(MistakesError) as raised:
        read(tmp_path, content, **options)
    return str(raised.value)


def shape_of(tmp_path: Path, content: str | bytes, **options: Any) -> ListShape:
    shapes: list[ListShape] = []
    read(tmp_path, content, on_shape=shapes.append, **options)
    return shapes[0]


def test_all_columns_are_read_and_others_become_attributes(tmp_path: Path) -> None:
    batches = read(
        tmp_path,
        "email,first_name,last_name,language,timezone,tags,joined_at,consented_at,consent_source,consent_wording,"
        "consent_confirmed_at,consent_basis,Country,Shoe size\n"
        "ana@example.org,Ana,Lima,pt-BR,America/Sao_Paulo,Teacher; donor,2025-12-01,2026-01-31,form,v2,"
        "2026-02-01T10:00+01:00,member,BR,38\n",
    )

    assert rows_of(batches) == [
        {
            "email": "ana@example.org",
            "first_name": "Ana",
            "last_name": "Lima",
            "language": "pt-BR",
            "timezone": "America/Sao_Paulo",
            "tags": "|donor|teacher|",
            "joined_at": "2025-12-01T00:00:00Z",
            "consented_at": "2026-01-31T00:00:00Z",
            "consent_source": "form",
            "consent_wording": "v2",
            "consent_confirmed_at": "2026-02-01T09:00:00Z",
            "consent_basis": "member",
            "attributes": '{"country":"BR","shoe_size":"38"}',
        }
    ]
    assert batches[0].attribute_names == {"country", "shoe_size"}
    assert batches[0].tag_names == {"teacher", "donor"}


def test_email_alone_is_enough(tmp_path: Path) -> None:
    (batch,) = [batch for batch in read(tmp_path, "email\nana@example.org\n") if batch.lines]

    assert dict(batch.columns) == {"person": ["ana@example.org"], "email": ["ana@example.org"]}
    assert list(batch.lines) == [2]


def test_columns_are_the_same_in_every_batch(tmp_path: Path) -> None:
    content = "email,tags,country,note\n" + "".join(f"person{n}@example.org,,,\n" for n in range(60_000))

    batches = read(tmp_path, content)

    assert len(batches) > 1
    assert len({tuple(batch.columns) for batch in batches}) == 1
    assert [line for batch in batches for line in batch.lines] == list(range(2, 60_002))
    assert batches[-1].bytes_read == len(content)


def test_empty_cell_says_nothing(tmp_path: Path) -> None:
    assert only_row(tmp_path, "email,country\nana@example.org, \n") == {"email": "ana@example.org"}


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiter_is_seen_from_the_header(tmp_path: Path, delimiter: str) -> None:
    row = only_row(tmp_path, f'"email, or so"{delimiter}tags\nana@example.org{delimiter}"a;b"\n', mapping=OR_SO)

    assert row["tags"] == "|a|b|"


OR_SO = {"email, or so": "email"}


def test_spreadsheet_may_say_the_delimiter_above_the_header(tmp_path: Path) -> None:
    content = 'sep=;\r\nemail;"a,b,c"\r\nana@example.org;x\r\n'

    (batch,) = [batch for batch in read(tmp_path, content) if batch.lines]

    assert rows_of([batch]) == [{"email": "ana@example.org", "attributes": '{"a_b_c":"x"}'}]
    assert list(batch.lines) == [3]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("quote", ["", '"'])
def test_lines_may_end_in_any_way(tmp_path: Path, end: str, quote: str) -> None:
    content = end.join(["email,first_name", f"ana@example.org,{quote}Ana{quote}", "bo@example.org,Bo", ""])

    batches = read(tmp_path, content)

    assert [row["first_name"] for row in rows_of(batches)] == ["Ana", "Bo"]
    assert [line for batch in batches for line in batch.lines] == [2, 3]


@pytest.mark.parametrize(
    "cell",
    [
        '"Bristol, UK","VIP"',
        '"VIP", "Bristol, UK"',
        '"Bristol, UK";VIP',
        "'Bristol, UK'|'VIP'",
        '["Bristol, UK","VIP"]',
        "['Bristol, UK', 'VIP']",
        '[{"id":7,"name":"Bristol, UK"},{"id":8,"name":"VIP"}]',
        '[{"label":"VIP"},{"label":"Bristol, UK"}]',
    ],
)
def test_tag_with_a_separator_in_it_stays_whole(tmp_path: Path, cell: str) -> None:
    content = 'email,tags\nana@example.org,"{}"\n'.format(cell.replace('"', '""'))

    assert only_row(tmp_path, content)["tags"] == "|bristol, uk|vip|"


@pytest.mark.parametrize(
    ("cell", "tags"),
    [
        ("5\" disks;o'brien", "|5\" disks|o'brien|"),
        ('"a', '|"a|'),
        ('"a" b;c', '|"a" b|c|'),
        ('"say ""hi"", you";b', '|b|say "hi", you|'),
        ("[draft;b", "|[draft|b|"),
        ("[1,2]", "|1|2|"),
        ('"a|b"', "|a|b|"),
        ("[]", ""),
        (";,|", ""),
    ],
)
def test_quotes_and_brackets_within_a_tag_belong_to_it(tmp_path: Path, cell: str, tags: str) -> None:
    content = 'email,tags\nana@example.org,"{}"\n'.format(cell.replace('"', '""'))

    assert only_row(tmp_path, content).get("tags", "") == tags


def test_json_without_names_of_tags_is_doubtful(tmp_path: Path) -> None:
    row = only_doubt(tmp_path, 'email,tags\nana@example.org,"[{""id"":7}]"\n')

    assert "cannot find the names of the tags" in row.doubt


@pytest.mark.parametrize(
    ("name", "doubt"),
    [
        ("Visit https://example.com", "web address"),
        ("www.example.com", "web address"),
        ("win at example.com/prize", "web address"),
        ("Win at example.com", "web address"),
        ("Ana example.co.uk", "web address"),
        ("hello@example.org", "email address"),
        ("Call +353 91 123 4567", "telephone number"),
        ("You won 5000 €", "speaks of money"),
        ("Félicitations vous avez gagné", "speaks of money"),
        ("Bitcoin", "speaks of money"),
        ("Press the button below to confirm your seat", "is a sentence"),
        ("Ana\u202egnp.exe", "direction of the text"),
        ("\u2067Ana", "direction of the text"),
        ("Ana" * 40, "longer than 100 characters"),
    ],
)
def test_name_that_could_deceive_is_left_out_and_said(tmp_path: Path, name: str, doubt: str) -> None:
    content = f"email,first_name,last_name\nana@example.org,{name},Lima\n"

    assert doubt in only_doubt(tmp_path, content).doubt
    assert only_row(tmp_path, content) == {"email": "ana@example.org", "last_name": "Lima"}


@pytest.mark.parametrize(
    "name",
    [
        "Ana c/o Lima",
        "Dr. A.B. Lima",
        "J.R./Ana",
        "אנה\u200f",
        "Ana " * 12,
        "Hattie",
        "St.John",
        "J.R. Li",
        "María del Carmen de los Ángeles y Todos los Santos",
        "Michael Winner",
        "Ana (she/her)",
        "Ben & Ana",
        "Mr. 7",
    ],
)
def test_unusual_name_is_taken(tmp_path: Path, name: str) -> None:
    assert only_row(tmp_path, f"email,first_name\nana@example.org,{name}\n")["first_name"] == name.strip()


@pytest.mark.parametrize("cell", ['="01234"', '"=""01234"""', ' ="01234"', '=" 01234 "'])
def test_text_that_excel_writes_as_a_formula_is_read_as_text(tmp_path: Path, cell: str) -> None:
    row = only_row(tmp_path, f'email,zip\n="ana@example.org",{cell}\n')

    assert row == {"email": "ana@example.org", "attributes": '{"zip":"01234"}'}


@pytest.mark.parametrize("cell", ["=01234", '="1"&"2"', '="1', "=A1", "='1'"])
def test_any_other_formula_stays_as_it_is(tmp_path: Path, cell: str) -> None:
    row = only_row(tmp_path, f"email,zip\nana@example.org,{cell}\n")

    assert orjson.loads(row["attributes"]) == {"zip": cell}


@pytest.mark.parametrize("cell", ["b;a", "b|a", '"b,a"', "B ; a ; b", '"""b"",""a"""'])
def test_tags_are_sorted_lower_case_and_without_doubles(tmp_path: Path, cell: str) -> None:
    assert only_row(tmp_path, f"email,tags\nana@example.org,{cell}\n")["tags"] == "|a|b|"


@pytest.mark.parametrize(
    ("given", "kept", "person"),
    [
        ("Ana.Lima@EXAMPLE.org", "Ana.Lima@example.org", "ana.lima@example.org"),
        ("  ana@example.org ", "ana@example.org", "ana@example.org"),
        ("Ärzte@MÜLLER.example.org", "Ärzte@müller.example.org", "ärzte@xn--mller-kva.example.org"),
        ("o'brien+news@example.org", "o'brien+news@example.org", "o'brien+news@example.org"),
        ("ana@xn--mller-kva.example.org", "ana@xn--mller-kva.example.org", "ana@xn--mller-kva.example.org"),
        ("a.n.a@example.org", "a.n.a@example.org", "a.n.a@example.org"),
        ("'+ana@example.org", "+ana@example.org", "+ana@example.org"),
    ],
)
def test_address_is_kept_as_given_and_the_person_told_by_it(tmp_path: Path, given: str, kept: str, person: str) -> None:
    batch = read(tmp_path, f"email\n{given}\n")[0]

    assert (list(batch.columns["email"]), list(batch.columns["person"])) == ([kept], [person])


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
        "ana@-example.org",
        "ana@example.org.",
        "Ana <ana@example.org>",
        f"{'a' * 65}@example.org",
        f"ana@{'a' * 64}.org",
        f"ana@{'a.' * 130}org",
        "ana@[127.0.0.1]",
        "ana\u200b@example.org",
    ],
)
def test_bad_address_is_rejected(tmp_path: Path, address: str) -> None:
    assert "is not an email address" in only_rejected(tmp_path, f"email\n{address}\n").reason


@pytest.mark.parametrize(
    ("address", "fault"),
    [
        ("ana", "it has no @"),
        ("@example.org", "there is nothing before the @"),
        ("ana@", "there is nothing after the @"),
        ("ana lima@example.org", "it contains a space"),
        ("ana@lima@example.org", "it has more than one @"),
        ("ana@example", "the domain after the @ has no dot"),
        ("ana..lima@example.org", "it has two dots in a row"),
        ("ana.@example.org", "it begins or ends with a dot, or has one next to the @"),
        (f"{'x' * 400}@example.org", "it has more than 64 characters before the @"),
        ("an(a@example.org", "the email address contains invalid characters before the @-sign: '('"),
    ],
)
def test_what_is_wrong_with_an_address_is_said_in_our_words(tmp_path: Path, address: str, fault: str) -> None:
    shown = address if len(address) <= 100 else f"{address[:100]}…"

    assert only_rejected(tmp_path, f"email\n{address}\n").reason == f"{shown!r} is not an email address: {fault}"


@pytest.mark.parametrize(("cell", "fault"), [("soon", "is not a date"), ("2099-01-01", "is in the future")])
def test_a_fault_is_told_once_and_names_the_files_own_column(tmp_path: Path, cell: str, fault: str) -> None:
    list_ = f"Email Address,OPTIN_TIME,CONFIRM_TIME\nana@example.org,{cell},\n"

    (batch,) = read(tmp_path, list_, now=datetime(2026, 2, 19, 8, 0, tzinfo=UTC))

    (row,) = batch.rejected
    assert row.reason.startswith("OPTIN_TIME ")
    assert row.reason.count(fault) == 1
    assert "consented_at" not in row.reason
    assert "joined_at" not in row.reason


@pytest.mark.parametrize(
    ("column", "cell", "reason"),
    [
        ("email", " ", "the address is missing"),
        ("consented_at", "yesterday", "consented_at 'yesterday' is not a date; write it as"),
        ("consented_at", "9999-12-31T23:00-14:00", "not a date"),
        ("consented_at", "2026-02-29", "not a date"),
        ("joined_at", "03/04/2026", "could be 3 April or 4 March; write it as 2026-04-03"),
        ("first_name", "A\0na", "control character"),
        ("first_name", '"A\nna"', "line break"),
        ("first_name", "A\x1bna", "control character"),
        ("first_name", "a" * 10_001, "a cell has 10,001 characters"),
    ],
)
def test_wrong_value_is_rejected_with_the_reason(tmp_path: Path, column: str, cell: str, reason: str) -> None:
    header, row = ("email,x", f"{cell},x") if column == "email" else (f"email,{column}", f"ana@example.org,{cell}")

    assert reason in only_rejected(tmp_path, f"{header}\n{row}\n").reason


def test_all_that_is_wrong_with_a_row_is_said(tmp_path: Path) -> None:
    row = only_rejected(tmp_path, "email,consented_at,joined_at\nana,soon,late\n")

    assert row.line == 2
    assert row.email == "ana"
    assert "address" in row.reason
    assert "consented_at 'soon'" in row.reason
    assert "joined_at 'late'" in row.reason


@pytest.mark.parametrize(
    ("column", "cell", "kept"),
    [
        ("language", "EN", "en"),
        ("language", "pt_br", "pt-BR"),
        ("language", "zh-hant-tw", "zh-Hant-TW"),
        ("language", "quz", "quz"),
        ("language", "iw", "iw"),
        ("timezone", "europe/paris", "Europe/Paris"),
        ("timezone", "America/Los Angeles", "America/Los_Angeles"),
    ],
)
def test_language_and_zone_are_kept_as_they_are_usually_written(
    tmp_path: Path, column: str, cell: str, kept: str
) -> None:
    assert only_row(tmp_path, f"email,{column}\nana@example.org,{cell}\n")[column] == kept


@pytest.mark.parametrize(
    ("column", "cell", "doubt"),
    [
        ("language", "english", "'english' is not a language"),
        ("language", "xx", "'xx' is not a language code"),
        ("language", "XX_yy", "'XX_yy' is not a language code"),
        ("timezone", "Mars/Olympus", "'Mars/Olympus' is not a time zone"),
        ("timezone", "../../etc/passwd", "is not a time zone"),
    ],
)
def test_wrong_language_or_zone_is_left_out_and_said(tmp_path: Path, column: str, cell: str, doubt: str) -> None:
    content = f"email,{column}\nana@example.org,{cell}\n"

    row = only_doubt(tmp_path, content)

    assert doubt in row.doubt
    assert row.doubt.endswith("imported without it")
    assert rows_of(read(tmp_path, content)) == [{"email": "ana@example.org"}]


def test_row_with_further_cells_is_rejected(tmp_path: Path) -> None:
    rejected = only_rejected(tmp_path, "email,first_name\nana@example.org,Ana,Lima\n")

    assert "the row has 3 cells, and the header has 2; " in rejected.reason


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("quote", ["", '"'])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_empty_cells_at_the_end_of_a_row_may_be_left_out(tmp_path: Path, end: str, quote: str, delimiter: str) -> None:
    rows = [
        ["email", "first_name", "note"],
        ["ana@example.org", "Ana", "x"],
        ["bo@example.org", "Bo"],
        ["cy@example.org"],
    ]
    content = "".join(delimiter.join(f"{quote}{cell}{quote}" for cell in row) + end for row in rows)

    assert rows_of(read(tmp_path, content)) == [
        {"email": "ana@example.org", "first_name": "Ana", "attributes": '{"note":"x"}'},
        {"email": "bo@example.org", "first_name": "Bo"},
        {"email": "cy@example.org"},
    ]


@pytest.mark.parametrize("row", ["ana@example.org,Lima", "Ana", "Ana,Lima"])
def test_short_row_without_an_address_in_its_place_is_rejected(tmp_path: Path, row: str) -> None:
    rejected = only_rejected(tmp_path, f"first_name,last_name,email,note\n{row}\n")

    assert "instead of 4, and there is no address in cell 3 (email)" in rejected.reason


def test_last_row_that_may_be_cut_off_is_rejected(tmp_path: Path) -> None:
    rejected = only_rejected(tmp_path, "email,first_name\nana@example.co")

    assert "the file ends within this row" in rejected.reason


def test_further_cells_may_be_empty(tmp_path: Path) -> None:
    assert only_row(tmp_path, "email,first_name\nana@example.org,Ana,,\n")["first_name"] == "Ana"


def test_rows_that_say_nothing_are_passed_over(tmp_path: Path) -> None:
    batches = read(tmp_path, 'email,x\n,\nana@example.org,1\n , \n\n"",""\nbo@example.org,2\n,\n')

    assert [line for batch in batches for line in batch.lines] == [3, 7]
    assert not any(batch.rejected for batch in batches)


def test_lines_are_counted_over_empty_lines_and_line_breaks_in_quotes(tmp_path: Path) -> None:
    batches = read(tmp_path, 'email,note\r\n\r\nana@example.org,"two\r\nlines"\r\nbo@example.org,\r\n')

    assert [row.line for batch in batches for row in batch.rejected] == [3]
    assert [line for batch in batches for line in batch.lines] == [5]


def test_row_may_go_on_from_one_block_to_the_next(tmp_path: Path) -> None:
    rows = [f'person{n}@example.org,"{"x" * 200}\n{"y" * 200}"\n' for n in range(6000)]

    batches = read(tmp_path, "email,note\n" + "".join(rows) + "ana@example.org,\n")

    assert [row.line for batch in batches for row in batch.rejected] == list(range(2, 12_002, 2))
    assert [line for batch in batches for line in batch.lines] == [12_002]


def test_text_beyond_ascii_is_taken(tmp_path: Path) -> None:
    assert only_row(tmp_path, "email,first_name\nana@example.org,陽子\u3000👩‍🏫\n")["first_name"] == "陽子\u3000👩‍🏫"


@pytest.mark.parametrize("cell", ["Ma\u0301laga", " Ma\u0301laga ", "M\u00e1laga"])
def test_text_is_kept_in_one_form_of_unicode(tmp_path: Path, cell: str) -> None:
    row = only_row(tmp_path, f"email,first_name,city,tags\nana@example.org,{cell},{cell},{cell}\n")

    assert row["first_name"] == "M\u00e1laga"
    assert row["attributes"] == '{"city":"M\u00e1laga"}'
    assert row["tags"] == "|m\u00e1laga|"


def test_guard_against_formulas_is_taken_away(tmp_path: Path) -> None:
    row = only_row(tmp_path, "email,first_name,last_name,note\nana@example.org,'=1+1,'t Hooft,''@x\n")

    assert (row["first_name"], row["last_name"], row["attributes"]) == ("=1+1", "'t Hooft", '{"note":"\'@x"}')


def test_typo_role_and_throw_away_addresses_are_doubtful_and_taken(tmp_path: Path) -> None:
    batches = read(
        tmp_path,
        "email,consented_at\nana@gmial.com,\nINFO@example.org,\nbo@mailinator.com,2026-01-01\nx@example.org,\n",
    )

    doubts = {row.line: row.doubt for batch in batches for row in batch.doubtful}
    emails = [row["email"] for row in rows_of(batches)]
    assert emails == ["ana@gmial.com", "INFO@example.org", "bo@mailinator.com", "x@example.org"]
    assert "typo for gmail.com" in doubts[2]
    assert "info@ is the address of a role" in doubts[3]
    assert "mailinator.com provides disposable mailboxes" in doubts[4]
    assert set(doubts) == {2, 3, 4}


@pytest.mark.parametrize("content", ["email", "email\n", "email,first_name\n\n\n"])
def test_header_alone_is_a_list_of_nobody(tmp_path: Path, content: str) -> None:
    assert rows_of(read(tmp_path, content)) == []


def test_empty_file_is_not_a_list(tmp_path: Path) -> None:
    for content in ("", "\n\n", "sep=,\n"):
        with pytest.raises(InputError, match="the file is empty"):
            read(tmp_path, content)


def test_missing_file_folder_and_pipe_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"there is no file none\.csv in .*/; "):
        list(read_list(tmp_path / "none.csv"))
    with pytest.raises(InputError, match="is a folder; "):
        list(read_list(tmp_path))
    with pytest.raises(InputError, match="not an ordinary file; "):
        list(read_list(Path("/dev/null")))


def test_quote_that_is_never_closed_is_reported_where_it_opens(tmp_path: Path) -> None:
    message = complaint_about(tmp_path, 'email,note\na@example.org,\nb@example.org,"oh\nc@example.org,\n')

    assert "list.csv:3: " in message
    assert "close each quote" in message


def test_quote_that_swallows_the_file_is_reported_before_memory_ends(tmp_path: Path) -> None:
    content = 'email,note\na@example.org,"oh\n' + "b@example.org,x\n" * 400_000

    assert "list.csv:2: " in complaint_about(tmp_path, content)


def test_line_that_never_ends_is_reported(tmp_path: Path) -> None:
    assert "list.csv:2: " in complaint_about(tmp_path, "email\n" + "a" * 6_000_000)


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"PK\x03\x04\x14\x00\x06\x00", "it is a workbook (.xlsx, .ods, .numbers) or a zip archive; open it in a"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "it is an Excel workbook (.xls)"),
        (b"\x1f\x8b\x08\x00", "unpack it"),
        (b"%PDF-1.7\n", "export the list as CSV"),
        (b"SQLite format 3\0", "export the list as CSV"),
        (b'{"email": "ana@example.org"}', "it is JSON"),
        (b"<html>", "web page"),
        (b"email\0\0\0\nana\0@example.org", "the file is not text"),
    ],
)
def test_other_kinds_of_file_are_named(tmp_path: Path, content: bytes, what: str) -> None:
    assert what in complaint_about(tmp_path, content)


def test_example_list_is_valid_and_varied() -> None:
    batches = list(read_list(EXAMPLE))
    rows = rows_of(batches)

    assert len(rows) >= 20
    assert not any(batch.rejected or batch.doubtful for batch in batches)
    assert {"en", "es", "de", "fr", "ja", "zh", "sv", "nl", "pt-BR"} <= {row["language"] for row in rows}
    assert {tag for batch in batches for tag in batch.tag_names} == {"teacher", "donor", "member"}
    assert {row["email"].rpartition("@")[2] for row in rows} == {"example.org", "example.com", "example.net"}
    assert len([row for row in rows if "first_name" not in row]) == 1


def test_consent_that_is_yet_to_come_is_rejected(tmp_path: Path) -> None:
    list_ = (
        "email,consented_at\na@example.org,2026-02-19T08:00:00Z\nb@example.org,2099-01-01T00:00:00Z\n"
        "c@example.org,2026-02-20 03:00\nd@example.org,\n"
    )

    (batch,) = read(tmp_path, list_, now=datetime(2026, 2, 19, 8, 0, tzinfo=UTC))

    assert batch.columns["email"] == ["a@example.org", "c@example.org", "d@example.org"]
    (rejected,) = batch.rejected
    assert (rejected.line, rejected.reason) == (
        3,
        "consented_at 2099-01-01T00:00:00Z is in the future; write a date in the past",
    )


@pytest.mark.parametrize("quote", ["", '"'])
def test_cell_that_is_too_long_costs_its_row_alone(tmp_path: Path, quote: str) -> None:
    list_ = f"email,name\na@example.org,{quote}{'x' * 200_000}{quote}\nb@example.org,{quote}b{quote}\n"

    (batch,) = read(tmp_path, list_)

    assert batch.columns["email"] == ["b@example.org"]
    (rejected,) = batch.rejected
    assert "a cell has 200,000 characters" in rejected.reason
