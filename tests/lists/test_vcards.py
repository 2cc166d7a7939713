"""Contacts in a vCard file: which parts of a card become a row, in every version of the format."""

from pathlib import Path

import pytest

from tests.lists.test_csv_import import only_row, read, rows_of

APPLE = """\
BEGIN:VCARD
VERSION:3.0
PRODID:-//Apple Inc.//macOS 14.0//EN
N:Lima;Ana;Maria;;
FN:Ana Maria Lima
EMAIL;type=INTERNET;type=HOME:ana@example.net
item1.EMAIL;type=INTERNET;type=WORK;type=pref:ana@example.org
TEL;type=CELL:+351 1
BDAY:1980-01-01
NOTE:unsubscribed\\, she says
CATEGORIES:VIP,Bristol\\, UK
PHOTO;ENCODING=b;TYPE=JPEG:/9j/4AAQSkZJRgABAQAAAQABAAD
 /2wBDAAYEBQYFBAYGBQYHBwYIChAKCgkJChQODwwQFxQ
END:VCARD
"""
ROW = {"email": "ana@example.org", "first_name": "Ana", "last_name": "Lima"}


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16"])
def test_only_address_name_and_categories_are_taken(tmp_path: Path, end: str, codec: str) -> None:
    content = APPLE.replace("\n", end).encode(codec)

    assert only_row(tmp_path, content) == {**ROW, "tags": "|bristol, uk|vip|"}


@pytest.mark.parametrize(
    "lines",
    [
        "VERSION:4.0\nN:Lima;Ana;;;\nEMAIL:x@example.net\nEMAIL;PREF=1:ana@example.org",
        "VERSION:4.0\nN:Lima;Ana;;;\nEMAIL;TYPE=home:ana@example.org\nEMAIL;TYPE=work:x@example.net",
        'VERSION:3.0\nN:Li\n ma;Ana\nEMAIL;TYPE="work,pref":ana@exam\n ple.org',
        "VERSION:2.1\nN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:=4C=69=\n=6D=61;=41=6E=61;;;\nEMAIL;HOME;PREF:ana@example.org",
    ],
)
def test_every_version_is_read(tmp_path: Path, lines: str) -> None:
    assert only_row(tmp_path, f"BEGIN:VCARD\n{lines}\nEND:VCARD\n") == ROW


def test_escapes_and_letters_are_read(tmp_path: Path) -> None:
    content = "BEGIN:VCARD\nN:Lima\\; e Silva;Zoë\\n;;;\nEMAIL:ana@example.org\nEND:VCARD\n"

    assert only_row(tmp_path, content) == {**ROW, "first_name": "Zoë", "last_name": "Lima; e Silva"}


def test_cards_without_an_address_are_rejected_with_their_line_and_groups_are_skipped(tmp_path: Path) -> None:
    group = "BEGIN:VCARD\nX-ADDRESSBOOKSERVER-KIND:group\nN:Friends;;;;\nEND:VCARD\n"
    bob = "BEGIN:VCARD\nN:Noor;Bob;;;\nTEL:1\nEND:VCARD\n"

    batches = read(tmp_path, f"{APPLE}{group}{bob}BEGIN:VCARD\nN:Cut;Off\nEMAIL:cut@example.c")

    assert [row["email"] for row in rows_of(batches)] == ["ana@example.org"]
    assert [(row.line, row.reason) for batch in batches for row in batch.rejected] == [
        (19, "the address is missing"),
        (23, "the file ends within this card; export the contacts again"),
    ]
