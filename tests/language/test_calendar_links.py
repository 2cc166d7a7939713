"""The links that put an event into a reader's calendar, and the bugs of other generators of such links."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from newsletter.language.calendar_links import OFFICE_365, google_url, outlook_url, subscription_urls, yahoo_url
from tests.calendars.readers import query_of
from tests.effort import growth_of_calls
from tests.language.items import item


def query(**fields: object) -> dict[str, str]:
    url = google_url(item(**fields))
    assert url is not None
    return {key: values[0] for key, values in parse_qs(urlsplit(url).query).items()}


def test_times_are_given_in_utc_with_the_zone_of_the_event() -> None:
    found = query(title="Self-Forgiveness", starts="2026-02-25 08:00", ends="2026-02-25 11:00")
    assert found["dates"] == "20260225T160000Z/20260225T190000Z"
    assert found["ctz"] == "America/Los_Angeles"
    assert found["text"] == "Self-Forgiveness"


def test_summer_time_is_reckoned_with() -> None:
    assert query(starts="2026-07-01 16:00", ends="2026-07-01 19:00")["dates"] == "20260701T230000Z/20260702T020000Z"


def test_an_event_that_names_no_end_takes_an_hour() -> None:
    assert query(starts="2026-02-25 08:00")["dates"] == "20260225T160000Z/20260225T170000Z"


def test_an_event_that_ends_as_it_begins_takes_an_hour() -> None:
    assert query(starts="2026-02-25 08:00", ends="2026-02-25 08:00")["dates"] == "20260225T160000Z/20260225T170000Z"


def test_each_time_of_a_weekly_event_may_end_after_midnight() -> None:
    found = query(starts="2026-02-25 23:30", repeats="weekly")
    assert found["dates"] == "20260226T073000Z/20260226T083000Z"
    assert "recur" not in found


def test_an_event_of_whole_days_ends_on_the_day_after_its_last() -> None:
    assert query(starts="2026-03-22", ends="2026-03-27")["dates"] == "20260322/20260328"


def test_a_single_whole_day_ends_on_the_next() -> None:
    assert query(starts="2026-12-31")["dates"] == "20261231/20270101"


def test_a_weekly_event_is_its_first_time_with_a_rule() -> None:
    found = query(starts="2026-02-25 09:00", ends="2026-04-01 10:00", repeats="weekly")
    assert found["dates"] == "20260225T090000/20260225T100000"
    assert found["ctz"] == "America/Los_Angeles"
    assert found["recur"] == "RRULE:FREQ=WEEKLY;COUNT=6"


def test_subtitle_and_place_go_along() -> None:
    found = query(starts="2026-03-22", subtitle="With Chris & friends", location="Sedona, Arizona")
    assert found["details"] == "With Chris & friends"
    assert found["location"] == "Sedona, Arizona"


def test_an_undated_offer_has_no_link() -> None:
    assert google_url(item()) is None


def of_service(service: str, **fields: object) -> dict[str, str]:
    page = "https://www.example.org/events/one/"
    url = {
        "google": lambda event: google_url(event, page),
        "outlook": lambda event: outlook_url(event, page),
        "phone": lambda event: outlook_url(event, page, host=OFFICE_365, on_phone=True),
        "yahoo": lambda event: yahoo_url(event, page),
    }[service](item(**fields))
    assert url is not None
    return query_of(url)


SERVICES = ("google", "outlook", "phone", "yahoo")
TEXTS = {"google": ("text", "details"), "yahoo": ("title", "desc"), "outlook": ("subject", "body")}


@pytest.mark.parametrize(
    ("zone", "ctz"),
    [
        ("Etc/GMT+5", None),
        ("Etc/UTC", None),
        ("UTC", None),
        ("GMT", None),
        ("EST5EDT", None),
        ("US/Pacific", "America/Los_Angeles"),
        ("Europe/Paris", "Europe/Paris"),
    ],
)
def test_google_gets_only_zones_named_after_a_place(zone: str, ctz: str | None) -> None:
    found = of_service("google", starts="2026-02-25 08:00", timezone=zone)
    assert found.get("ctz") == ctz
    assert found["dates"].endswith("Z")


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago", "America/Los_Angeles", "UTC"])
def test_whole_days_are_the_typed_days_in_every_zone_and_name_no_zone(zone: str) -> None:
    days = {"starts": "2026-03-22", "ends": "2026-03-27", "timezone": zone}
    google, outlook, yahoo = (of_service(service, **days) for service in ("google", "outlook", "yahoo"))
    assert (google["dates"], google.get("ctz")) == ("20260322/20260328", None)
    assert (outlook["startdt"], outlook["enddt"], outlook["allday"]) == ("2026-03-22", "2026-03-28", "true")
    assert (yahoo["st"], yahoo["et"], yahoo.get("dur")) == ("20260322", "20260328", None)


def test_yahoo_gets_one_whole_day_without_an_end() -> None:
    found = of_service("yahoo", starts="2026-03-07")
    assert (found["st"], found["dur"], found.get("et")) == ("20260307", "allday", None)


@pytest.mark.parametrize("zone", ["America/Los_Angeles", "Asia/Kathmandu", "Australia/Lord_Howe"])
def test_outlook_and_yahoo_get_times_in_utc_to_the_second(zone: str) -> None:
    for service, keys in (("outlook", ("startdt", "enddt")), ("phone", ("startdt", "enddt")), ("yahoo", ("st", "et"))):
        found = of_service(service, starts="2026-02-25 08:00", timezone=zone)
        shape = r"\d{8}T\d{6}Z" if service == "yahoo" else r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"
        assert all(re.fullmatch(shape, found[key]) for key in keys)


def test_outlook_has_a_form_for_computers_and_one_for_phones() -> None:
    event = item(starts="2026-02-25 08:00")
    computer, phone = outlook_url(event) or "", outlook_url(event, on_phone=True) or ""
    assert computer.startswith("https://outlook.live.com/calendar/0/action/compose?rru=addevent&")
    assert phone.startswith(
        "https://outlook.live.com/calendar/0/deeplink/compose?path=%2Fcalendar%2Faction%2Fcompose&rru="
    )


@pytest.mark.parametrize("service", SERVICES)
def test_texts_arrive_as_they_were_written(service: str) -> None:
    title, subtitle = "Tea & cake + “talk”, 100 % off; 50%20=x #1", "In Zürich, 東京 and القاهرة? Yes/No"
    found = of_service(service, title=title, subtitle=subtitle, starts="2026-02-25", location="A & B, café")
    names = TEXTS["outlook" if service == "phone" else service]
    assert found[names[0]] == title
    assert found[names[1]] == f"{subtitle}\nhttps://www.example.org/events/one/"
    assert found["in_loc" if service == "yahoo" else "location"] == "A & B, café"


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("word", ["compassion ", "東京", "é", "😀 ", "%25", "x" * 50])
def test_a_long_text_is_cut_after_a_word_and_never_inside_an_escape(service: str, word: str) -> None:
    long = (word * 3_000).strip()
    found = of_service(service, title="A title", subtitle=long, starts="2026-02-25")  # query_of decodes it strictly
    details = found[TEXTS["outlook" if service == "phone" else service][1]]
    assert len(details) > 100
    assert long.startswith(details)
    if " " in word:
        assert long[len(details)] == " "
    everything_long = of_service(service, title=long, subtitle=long, location=long, starts="2026-02-25")
    assert long.startswith(everything_long[TEXTS["outlook" if service == "phone" else service][0]])


@given(title=st.text(min_size=1), subtitle=st.text(max_size=4_000), location=st.text(max_size=4_000))
@settings(max_examples=60, deadline=None)
def test_any_texts_give_a_short_link_that_reads_back(title: str, subtitle: str, location: str) -> None:
    valid = item(starts="2026-02-25 08:00")
    fields = valid.fields.model_copy(update={"title": title, "subtitle": subtitle, "location": location})
    event = replace(valid, fields=fields)
    for url in (google_url(event), outlook_url(event), yahoo_url(event)):
        assert url is not None
        assert any(title.startswith(text) for text in query_of(url).values() if text)


def test_cutting_a_text_takes_time_in_proportion_to_its_length() -> None:
    event = item(starts="2026-02-25")

    def link(subtitle: str) -> str | None:
        return google_url(replace(event, fields=event.fields.model_copy(update={"subtitle": subtitle})))

    assert growth_of_calls(link, "a ", 10_000) < 2.2


def test_both_ends_are_always_there() -> None:
    weekly = {"starts": "2026-01-05", "ends": "2026-01-19", "repeats": "weekly"}
    for fields in ({"starts": "2026-02-25"}, {"starts": "2026-02-25 08:00"}, weekly):
        starts, ends = of_service("google", **fields)["dates"].split("/")
        assert starts < ends
        assert {"startdt", "enddt"} <= of_service("outlook", **fields).keys()


def test_a_canceled_event_says_so_first_in_its_language() -> None:
    event = item(title="A talk", starts="2026-02-25", status="canceled")
    said = {
        language: query_of(google_url(event, language=language) or "")["text"] for language in ("en", "fr", "ja", "xx")
    }
    assert said == {
        "en": "Canceled: A talk",
        "fr": "Annulé\u00a0: A talk",
        "ja": "中止：A talk",
        "xx": "Canceled: A talk",
    }


def test_a_calendar_is_subscribed_to_at_each_service() -> None:
    urls = subscription_urls("https://news.example.org/archive/calendar.ics", "Tea & cake")
    assert urls["Apple"] == "webcal://news.example.org/archive/calendar.ics"
    assert query_of(urls["Google"])["cid"] == urls["Apple"]
    for name in ("Outlook.com", "Office 365"):
        assert query_of(urls[name]) == {"url": "https://news.example.org/archive/calendar.ics", "name": "Tea & cake"}
