"""Days, ranges, times and zones of events, as they are written in the mail."""

import re
from datetime import date

import pytest

from newsletter.language.dates import date_tile, format_deadline, format_month, format_when
from newsletter.model.issue_fields import EventFields
from tests.language.items import item

LANGUAGES = ("en", "en-GB", "es", "de", "fr", "it", "nl", "pt-BR", "sv", "pl", "ja", "zh-Hans", "ko", "ar", "he")


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (
            {"starts": "2026-02-25 08:00", "ends": "2026-02-25 11:00"},
            "Wednesday, February 25, 2026 | 8:00–11:00 am PT",
        ),
        (
            {"starts": "2026-02-25 09:00", "ends": "2026-04-01 10:00", "repeats": "weekly"},
            "Wednesdays, February 25 – April 1, 2026 | 9:00–10:00 am PT",
        ),
        ({"starts": "2026-03-22", "ends": "2026-03-27"}, "March 22–27, 2026"),
        ({"starts": "2026-04-15", "ends": "2026-04-20", "weekdays": True}, "Wednesday – Monday, April 15–20, 2026"),
        (
            {"starts": "2026-04-07 08:00", "ends": "2026-06-23 11:00", "repeats": "weekly"},
            "Tuesdays, April 7 – June 23, 2026 | 8:00–11:00 am PT",
        ),
        (
            {"starts": "2026-07-01 16:00", "ends": "2026-09-16 19:00", "repeats": "weekly"},
            "Wednesdays, July 1 – September 16, 2026 | 4:00–7:00 pm PT",
        ),
        (
            {"starts": "2026-04-20 09:00", "ends": "2026-07-06 11:00", "repeats": "weekly"},
            "Mondays, April 20 – July 6, 2026 | 9:00–11:00 am PT",
        ),
        (
            {"starts": "2026-03-07 08:00", "ends": "2026-03-07 11:00"},
            "Saturday, March 7, 2026 | 8:00–11:00 am PT",
        ),
        ({"starts": "2026-02-25", "ends": "2026-02-27"}, "February 25–27, 2026"),
        ({"starts": "2026-12-30", "ends": "2027-01-02"}, "December 30, 2026 – January 2, 2027"),
        ({"starts": "2026-03-07"}, "Saturday, March 7, 2026"),
        ({"starts": "2026-03-07 12:00"}, "Saturday, March 7, 2026 | noon PT"),
        (
            {"starts": "2026-03-07 20:00", "ends": "2026-03-08 00:30"},
            "Saturday, March 7, 2026 | 8:00 pm – Sunday 12:30 am PT",
        ),
        (  # the longest that is still one day's event: the clocks skip an hour meanwhile
            {"starts": "2026-03-07 20:00", "ends": "2026-03-08 14:59"},
            "Saturday, March 7, 2026 | 8:00 pm – Sunday 2:59 pm PT",
        ),
        (
            {"starts": "2026-03-07 20:00", "ends": "2026-03-08 15:00"},
            "March 7–8, 2026 | Saturday 8:00 pm – Sunday 3:00 pm PT",
        ),
        ({"starts": "2026-07-01 16:00", "timezone": "UTC"}, "Wednesday, July 1, 2026 | 4:00 pm UTC"),
        (
            {"starts": "2026-12-31 10:00", "ends": "2026-12-31 12:00"},
            "Thursday, December 31, 2026 | 10:00 am – noon PT",
        ),
        (
            {"starts": "2026-12-31 22:00", "ends": "2027-01-01 00:00"},
            "Thursday, December 31, 2026 | 10:00 pm – midnight PT",
        ),
        (
            {"starts": "2026-04-15 09:00", "ends": "2026-04-20 17:00", "weekdays": True},
            "Wednesday – Monday, April 15–20, 2026 | 9:00 am – 5:00 pm PT",
        ),
        (  # each evening ends on the next day; the last one begins on March 29
            {"starts": "2027-03-01 23:00", "ends": "2027-03-30 00:30", "repeats": "weekly"},
            "Mondays, March 1–29, 2027 | 11:00 pm – Tuesday 12:30 am PT",
        ),
        (
            {"starts": "2027-03-01 23:00", "ends": "2027-03-29 00:30", "repeats": "weekly"},
            "Mondays, March 1–29, 2027 | 11:00 pm – Tuesday 12:30 am PT",
        ),
        ({}, ""),
    ],
)
def test_each_form_of_a_date_in_english(fields: dict[str, object], expected: str) -> None:
    assert format_when(item(**fields), "en") == expected


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("de", "jeden Mittwoch, 25. Februar – 1. April 2026 | 09:00–10:00 Uhr (Los Angeles)"),
        ("es", "cada miércoles, 25 de febrero – 1 de abril de 2026 | 9:00–10:00 (Los Ángeles)"),
        ("fr", "chaque mercredi, 25 février – 1 avril 2026 | 09:00–10:00 (Los Angeles)"),
        ("ja", "毎週水曜日 2026年2月25日～4月1日 | 9:00～10:00 (ロサンゼルス)"),
        ("zh", "每星期三 2026年2月25日至4月1日 | 09:00–10:00 (洛杉矶)"),
        ("pl", "co środa, 25 lutego – 1 kwietnia 2026 | 09:00–10:00 (Los Angeles)"),
        ("ko", "매주 수요일, 2026년 2월 25일~4월 1일 | 오전 9:00~10:00 (로스앤젤레스)"),
        ("ar", "أيام الأربعاء، 25 فبراير – 1 أبريل 2026 | 9:00–10:00 ص (لوس انجلوس)"),
        ("en-GB", "Wednesdays, 25 February – 1 April 2026 | 09:00–10:00 Los Angeles time"),
    ],
)
def test_a_weekly_event_in_other_languages(language: str, expected: str) -> None:
    weekly = item(starts="2026-02-25 09:00", ends="2026-04-01 10:00", repeats="weekly")
    assert format_when(weekly, language) == expected


@pytest.mark.parametrize(
    ("language", "year_end", "same_month", "deadline"),
    [
        ("en", "Dec 30 – Jan 2", "Dec 14–19", "Ends January 3"),
        ("en-GB", "30 Dec – 2 Jan", "14–19 Dec", "Ends 3 January"),
        ("pl", "30 gru – 2 sty", "14–19 gru", "Ends 3 stycznia"),
        ("ko", "12월 30일~1월 2일", "12월 14일~19일", "Ends 1월 3일"),
        ("de", "30. Dez – 2. Jan", "14.–19. Dez", "Ends 3. Januar"),
        ("es", "30 dic – 2 ene", "14–19 dic", "Ends 3 de enero"),
        ("fr", "30 déc – 2 janv", "14–19 déc", "Ends 3 janvier"),
        ("it", "30 dic – 2 gen", "14–19 dic", "Ends 3 gennaio"),
        ("nl", "30 dec – 2 jan", "14–19 dec", "Ends 3 januari"),
        ("pt", "30 de dez – 2 de jan", "14–19 de dez", "Ends 3 de janeiro"),
        ("sv", "30 dec – 2 jan", "14–19 dec", "Ends 3 januari"),
        ("ja", "12月30日～1月2日", "12月14日～19日", "Ends 1月3日"),
        ("zh-Hans", "12月30日至1月2日", "12月14日至19日", "Ends 1月3日"),
        ("ar", "30 ديسمبر – 2 يناير", "14–19 ديسمبر", "Ends 3 يناير"),
        ("he", "30 בדצמ׳ – 2 בינו׳", "14–19 בדצמ׳", "Ends 3 בינואר"),
    ],
)
def test_days_are_in_the_order_of_the_language(language: str, year_end: str, same_month: str, deadline: str) -> None:
    event = item(
        starts="2026-12-30 09:00", ends="2027-01-02 17:00", deadline={"label": "Ends", "date": date(2027, 1, 3)}
    )
    month = item(starts="2026-12-14", ends="2026-12-19")
    tiles = [date_tile(each, language) for each in (event, month)]
    assert [tile.days for tile in tiles if tile] == [year_end, same_month]
    assert format_deadline(event, language) == deadline
    for text in (format_when(event, language), format_when(month, language)):
        assert not re.search(r"\d\.? – \d+\.? ", text.replace("2026 – 2", ""))


@pytest.mark.parametrize("language", [*LANGUAGES, "pt-ZZ", "xx"])
@pytest.mark.parametrize("zone", ["America/Los_Angeles", "Europe/Berlin", "Asia/Kolkata", "Etc/GMT+5", "UTC"])
def test_every_language_has_words_for_every_form(language: str, zone: str) -> None:
    for fields in (
        {"starts": "2026-07-01 16:00", "ends": "2026-07-01 17:00"},
        {"starts": "2026-07-01 16:00", "ends": "2026-07-15 17:00", "repeats": "weekly"},
        {"starts": "2026-07-01", "ends": "2026-08-02", "weekdays": True},
    ):
        event = item(**fields, timezone=zone)
        tile = date_tile(event, language)
        assert "2026" in format_when(event, language)
        assert tile is not None
        assert tile.month


@pytest.mark.parametrize(
    ("language", "series", "since"),
    [
        ("en", "Wednesdays", "from Jan 13"),
        ("de", "jeden Mittwoch", "ab 13. Jan"),
        ("fr", "chaque mercredi", "à partir du 13 janv"),
        ("ja", "毎週水曜日", "1月13日から"),
        ("ko", "매주 수요일", "1월 13일부터"),
        ("pl", "co środa", "od 13 sty"),
        ("he", "כל יום רביעי", "מיום 13 בינו׳"),
    ],
)
def test_the_tile_of_a_series_says_its_weekday_and_its_first_day(language: str, series: str, since: str) -> None:
    tile = date_tile(item(starts="2027-01-13 18:00", ends="2027-02-17 19:00", repeats="weekly"), language)
    assert tile is not None
    assert (tile.series, tile.since) == (series, since)
    once = date_tile(item(starts="2027-01-13 18:00", ends="2027-01-13 19:00", repeats="weekly"), language)
    assert once is not None
    assert once.series == ""


def test_a_summer_event_never_carries_the_winters_zone() -> None:
    summer = item(starts="2026-07-01 16:00", timezone="Europe/Berlin")
    winter = item(starts="2026-01-01 16:00", timezone="Europe/Berlin")
    assert format_when(summer, "de").endswith(" MESZ")
    assert format_when(winter, "de").endswith(" MEZ")


def test_months_do_not_leak_from_one_language_into_the_next() -> None:
    event = item(starts="2026-02-25")
    months = [tile.month for language in ("ja", "pt", "ar", "en") if (tile := date_tile(event, language))]
    assert months == ["2月", "fev", "فبراير", "Feb"]


def test_the_tile_of_one_day_has_no_last_day() -> None:
    tile = date_tile(item(starts="2026-02-25 08:00", ends="2026-02-25 11:00"), "en")
    assert tile is not None
    assert (tile.month, tile.day, tile.weekday, tile.last_day) == ("Feb", "25", "Wed", "")


def test_the_tile_of_a_range_has_both_days() -> None:
    tile = date_tile(item(starts="2026-02-25 09:00", ends="2026-04-01 10:00", repeats="weekly"), "en")
    assert tile is not None
    assert (tile.month, tile.day, tile.last_month, tile.last_day, tile.last_weekday) == ("Feb", "25", "Apr", "1", "Wed")


def test_an_undated_offer_has_no_tile() -> None:
    assert date_tile(item(), "en") is None


def test_a_deadline_is_its_label_and_its_day() -> None:
    fields = EventFields.model_validate(
        {"title": "T", "deadline": {"label": "Early bird pricing ends", "date": "2026-02-22"}}
    )
    assert format_deadline(item(deadline=fields.deadline), "en") == "Early bird pricing ends February 22"
    assert format_deadline(item(), "en") == ""


def test_the_month_of_the_issue_is_in_its_language() -> None:
    day = item(starts="2026-02-19").starts_at()
    assert day is not None
    assert format_month(day.date(), "en") == "February 2026"
    assert format_month(day.date(), "es") == "febrero de 2026"
