"""Emails in files, folders, Maildirs and streams."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from newsletter.mailbox.files import count_mails, mails_from, mails_in

NOW = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)
ONE, TWO = b"Subject: one\n\nFrom here\n", b"Subject: two\n\n\nFrom there\n"


def contents(stream: bytes) -> list[bytes]:
    return [each.content for each in mails_from(stream.splitlines(keepends=True), name="x", received_at=NOW)]


def test_a_stream_is_one_email_unless_it_begins_like_an_mbox() -> None:
    assert contents(ONE) == [ONE]
    assert contents(TWO) == [TWO]
    assert contents(b"") == []


def test_an_mbox_is_cut_where_an_email_begins() -> None:
    start = b"From MAILER-DAEMON Mon Nov 23 08:00:09 2026\n"
    escaped = TWO.replace(b"\nFrom there", b"\n>From there")

    assert contents(start + ONE + b"\n" + start + escaped + b"\n") == [ONE + b"\n", TWO + b"\n"]


@pytest.mark.parametrize("folders", [(), ("cur", "new", "tmp")])
def test_a_folder_is_read_in_the_order_of_the_names(tmp_path: Path, folders: tuple[str, ...]) -> None:
    for name in folders:
        (tmp_path / name).mkdir()
    place = tmp_path / "new" if folders else tmp_path
    (place / "b.eml").write_bytes(TWO)
    (place / "a.eml").write_bytes(ONE)
    (place / ".hidden").write_bytes(ONE)
    if folders:
        (tmp_path / "tmp" / "half").write_bytes(ONE)

    assert [each.content for each in mails_in(tmp_path)] == [ONE, TWO]
    assert count_mails(tmp_path) == 2
    assert count_mails(place / "a.eml") == 1
