"""The rows of inbox lists: what is in them, and where they are cut."""

import pytest

from newsletter.checks.clients.simulation.inbox_rows import (
    INBOX_APPS,
    MEASURE,
    WRITTEN_BY_THE_PHONE,
    Cut,
    Device,
    InboxRow,
    inbox_rows,
    preview_of,
)


def rows(subject: str = "A new year, gently", preheader: str = "Four retreats and one free evening") -> list[InboxRow]:
    words = ["View in browser", "Example Press", "Dear friends,"]
    return list(inbox_rows(sender="Example Press", subject=subject, preheader=preheader, first_words=words))


def test_a_part_is_as_wide_as_that_many_letters_of_the_sentence_people_measure_with() -> None:
    assert Cut(letters=48).measure == "The quick brown fox jumps over the lazy dog The "
    assert Cut(letters=99, lines=2).measure == (MEASURE * 2)[:49]
    assert Cut(letters=None).measure == ""


def test_a_short_preheader_is_filled_up_with_the_first_words_of_the_body() -> None:
    assert preview_of("Four  retreats\n", ["View in browser", "logo of Example"]) == (
        "Four retreats View in browser logo of Example"
    )
    assert preview_of("", ["Dear friends,"]) == "Dear friends,"
    assert len(preview_of("a" * 900, [])) == 400


@pytest.mark.parametrize(("subject", "left"), [("x" * 30, 60), ("x" * 69, 21), ("x" * 70, 0), ("x" * 200, 0)])
def test_gmail_in_a_browser_gives_the_preview_what_the_subject_leaves(subject: str, left: int) -> None:
    row = next(row for row in rows(subject) if row.app.key == "gmail-web")
    assert row.preview_cut.letters == left
    assert bool(row.preview) == bool(left)


def test_a_summary_is_named_and_never_invented() -> None:
    summaries = [row for row in rows() if row.is_summary]
    assert [row.app.key for row in summaries] == ["apple-mail-ios", "apple-mail-macos"]
    assert {row.preview for row in summaries} == {WRITTEN_BY_THE_PHONE}


def test_there_are_rows_for_phones_and_desktops_each_with_its_source() -> None:
    assert [app.device for app in INBOX_APPS] == [Device.PHONE] * 3 + [Device.DESKTOP] * 4
    assert len({app.key for app in INBOX_APPS}) == len(INBOX_APPS)
    assert all(app.sources for app in INBOX_APPS)
