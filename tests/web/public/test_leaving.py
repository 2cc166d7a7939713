"""Leaving: one click in an email app, and the page with the button."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from newsletter.model.audience import SuppressionReason
from newsletter.model.personal_links import Purpose, stamp_of
from newsletter.store.forgotten import forget_person
from newsletter.store.subscribers import find_subscriber
from newsletter.store.suppressions import add_suppression, find_suppression, suppressions_of
from newsletter.workflows.subscribers.person import known_person
from tests.store.builders import NOW
from tests.web.public.conftest import KEY, ServedPages

ONE_CLICK = b"List-Unsubscribe=One-Click"
URLENCODED = "application/x-www-form-urlencoded"
PART = b'--B\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--B--\r\n'
MULTIPART = "multipart/form-data; boundary=B"
ANA = "ana@example.org"

BODIES: dict[str, tuple[bytes | None, dict[str, str]]] = {
    "as Gmail posts it": (ONE_CLICK, {"Content_Type": URLENCODED}),
    "with a charset, in capitals": (ONE_CLICK, {"Content_Type": "APPLICATION/X-WWW-FORM-URLENCODED; charset=UTF-8"}),
    "as multipart": (PART, {"Content_Type": MULTIPART}),
    "with a quoted boundary": (PART, {"Content_Type": 'multipart/form-data; boundary="B"'}),
    "with bare line feeds": (PART.replace(b"\r\n", b"\n"), {"Content_Type": MULTIPART}),
    "cut off": (PART[:60], {"Content_Type": MULTIPART}),
    "with parts in parts": (b"--B\r\nContent-Type: message/rfc822\r\n\r\n" * 1500, {"Content_Type": MULTIPART}),
    "with a name in brackets": (PART.replace(b'"', b"(" * 20_000), {"Content_Type": MULTIPART}),
    "without a boundary": (PART, {"Content_Type": "multipart/form-data"}),
    "with a boundary that is not ASCII": (PART, {"Content_Type": "multipart/form-data; boundary=é"}),
    "percent-encoded": (b"List%2DUnsubscribe=One%2DClick", {"Content_Type": URLENCODED}),
    "with a line end": (ONE_CLICK + b"\r\n", {"Content_Type": URLENCODED}),
    "with more fields than anyone needs": (b"&".join([b"a=1"] * 500), {"Content_Type": URLENCODED}),
    "without a type": (ONE_CLICK, {}),
    "as plain text": (ONE_CLICK, {"Content_Type": "text/plain"}),
    "as JSON": (b'{"from": "page"}', {"Content_Type": "application/json"}),
    "without a body": (b"", {}),
    "without a length either": (None, {}),
    "with bytes that are no text": (b"\xff\xfe\x00=\x80", {"Content_Type": URLENCODED}),
    "with a cookie and a password": (ONE_CLICK, {"Cookie": "a=b", "Authorization": "Basic eDp5"}),
    "from a page that hides its origin": (ONE_CLICK, {"Origin": "null", "Content_Type": URLENCODED}),
    "from another site": (
        ONE_CLICK,
        {"Origin": "https://mail.example.com", "Sec_Fetch_Site": "cross-site", "Content_Type": URLENCODED},
    ),
}


@pytest.mark.parametrize("name", BODIES)
def test_a_post_of_one_click_leaves_whatever_its_body_and_headers(served: ServedPages, name: str) -> None:
    body, headers = BODIES[name]

    answer = served.ask("POST", served.link(ANA), body, **headers)

    assert answer.status == 200
    assert not {"location", "set-cookie"} & answer.headers.keys()
    assert served.has_left(ANA)
    assert not served.has_left("bo@example.org")


def test_a_chunked_post_leaves(served: ServedPages) -> None:
    body = b"1a\r\n" + ONE_CLICK + b"\r\n0\r\n\r\n"

    answer = served.ask("POST", served.link(ANA), body, Transfer_Encoding="chunked", Content_Type=URLENCODED)

    assert (answer.status, served.has_left(ANA)) == (200, True)


@pytest.mark.parametrize("form", ["{}/", "{}?utm_source=x", "/{}", "{}/?a=b"])
def test_an_address_that_was_changed_on_the_way_still_leaves(served: ServedPages, form: str) -> None:
    answer = served.ask("POST", form.format(served.link(ANA)), ONE_CLICK, Content_Type=URLENCODED)

    assert (answer.status, served.has_left(ANA)) == (200, True)


def test_many_posts_at_once_are_one_leaving_with_its_first_moment(served: ServedPages) -> None:
    link = served.link(ANA)
    served.ask("POST", link, ONE_CLICK)
    served.later(seconds=40)
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _: served.ask("POST", link, ONE_CLICK).status, range(50)))
    served.later(hours=30)
    served.ask("POST", link, ONE_CLICK)

    (found,) = suppressions_of(served.database, ANA)
    assert set(answers) == {200}
    assert (found.created_at, found.reason) == (NOW, SuppressionReason.UNSUBSCRIBED)
    assert found.last > NOW  # a consent from before the last request does not bring them back


def test_someone_whose_address_bounced_can_still_leave(served: ServedPages) -> None:
    add_suppression(served.database, ANA, SuppressionReason.BOUNCED, now=NOW)
    served.later(days=3)

    answer = served.ask("POST", served.link(ANA), ONE_CLICK)

    found = find_suppression(served.database, ANA)
    assert answer.status == 200
    assert found is not None
    assert (found.reason, found.last) == (SuppressionReason.BOUNCED, served.now)
    assert 'value="undo"' not in answer.text


@pytest.mark.parametrize(
    ("method", "query", "headers"),
    [
        ("GET", "", {}),
        ("HEAD", "", {}),
        ("GET", "?List-Unsubscribe=One-Click", {}),
        ("GET", "?from=page&do=leave", {"X_HTTP_Method_Override": "POST"}),
    ],
)
def test_a_get_changes_nothing(served: ServedPages, method: str, query: str, headers: dict[str, str]) -> None:
    body = ONE_CLICK if query else None

    answers = [served.ask(method, served.link(ANA) + query, body, **headers) for _ in range(5)]

    assert {answer.status for answer in answers} == {200}
    assert answers[0].headers["cache-control"] == "no-store"
    assert not served.has_left(ANA)


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "TRACE", "OPTIONS", "UNSUBSCRIBE"])
def test_other_methods_change_nothing(served: ServedPages, method: str) -> None:
    answer = served.ask(method, served.link(ANA), b"")

    assert (answer.status, served.has_left(ANA)) == (405, False)


def test_links_that_lead_to_no_one_get_the_same_page_to_the_byte(served: ServedPages) -> None:
    ana, bo = served.link(ANA), served.link("bo@example.org")
    forget_person(served.database, "bo@example.org", key=KEY, now=NOW)
    token = ana.partition("-")[2]
    changed = "0" if token[0] != "0" else "1"
    links = [
        bo,
        f"{ana[:-1]}{'0' if ana[-1] != '0' else '1'}",
        ana[:-1],
        f"{ana}{ana[-1]}",
        ana.replace(token, token.upper()) if token.upper() != token else f"{ana}A",
        f"/u/999-{token}",
        *(f"/u/{number}-{token}" for number in ("0", "-1", "100000000000000000000", "%D9%A7", "01", "+1", "1.0")),
        f"/u/1-{changed}{token[1:]}",
        "/u/1-%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9",
        "/u/1-%00%00%00%00%00%00%00%00%00%00%00%00%00%00%00%00",
        f"/u/1-{'a' * 8000}",
        "/u/%2e%2e",
    ]

    answers = [served.ask(method, link, b"") for link in links for method in ("GET", "POST")]

    assert {answer.status for answer in answers} == {200}
    assert len({answer.body for answer in answers}) == 1
    assert not served.has_left(ANA)


def test_a_body_that_is_too_large_is_refused(served: ServedPages) -> None:
    answer = served.ask("POST", served.link(ANA), b"a=" + b"x" * 70_000, Content_Type=URLENCODED)

    assert (answer.status, answer.headers["connection"]) == (413, "close")
    assert not served.has_left(ANA)


def test_a_wrong_host_is_refused(served: ServedPages) -> None:
    answer = served.ask("POST", served.link(ANA), ONE_CLICK, Host="evil.example.com")

    assert (answer.status, served.has_left(ANA)) == (400, False)


def test_the_button_leaves_and_can_be_undone(served: ServedPages) -> None:
    link = served.link(ANA)
    page = served.get(link)
    served.later(seconds=5)

    left = served.press(link, {"from": "page", "do": "leave", "stamp": page.value_of("stamp")})
    has_left = served.has_left(ANA)
    served.later(minutes=5)
    undone = served.press(link, {"from": "page", "do": "undo", "stamp": left.value_of("stamp")})

    assert "a…@e….org" in page.text
    assert ANA not in page.text
    assert has_left
    assert "You have left" in left.text
    assert "still subscribed" in undone.text
    assert not served.has_left(ANA)


def test_an_undo_lifts_nothing_but_that_leaving(served: ServedPages) -> None:
    link = served.link(ANA)
    left = served.ask("POST", link, ONE_CLICK)
    stamp = left.value_of("stamp")
    served.later(hours=1)
    add_suppression(served.database, ANA, SuppressionReason.COMPLAINED, now=served.now)

    answer = served.press(link, {"from": "page", "do": "undo", "stamp": stamp})

    assert served.has_left(ANA)
    assert "no longer be undone" in answer.text


@pytest.mark.parametrize("hours", [25, 24 * 40])
def test_an_undo_comes_too_late_after_a_day(served: ServedPages, hours: int) -> None:
    link = served.link(ANA)
    served.ask("POST", link, ONE_CLICK)
    served.later(hours=hours)
    owner = find_subscriber(served.database, ANA)
    assert owner is not None
    stamp = stamp_of(owner.token, Purpose.PAGE, str(owner.id), now=served.now - timedelta(seconds=5))

    offered = served.get(link)
    served.press(link, {"from": "page", "do": "undo", "stamp": stamp})

    assert 'value="undo"' not in offered.text
    assert served.has_left(ANA)


@pytest.mark.parametrize(
    ("stamp", "seconds", "headers"),
    [
        ("", 5, {}),
        ("own", 0, {}),
        ("own", 25 * 3600, {}),
        ("bo", 5, {}),
        ("own", 5, {"Origin": "https://evil.example.com"}),
        ("own", 5, {"Origin": "null"}),
        ("own", 5, {"Sec_Fetch_Site": "cross-site"}),
        ("own", 5, {"Sec_Fetch_Site": "same-site"}),
        ("0000000000.AAAAAAAAAAAAAAAAAAAAAA", 5, {}),
        ("é", 5, {}),
    ],
)
def test_our_own_form_leaves_only_if_a_person_pressed_it(
    served: ServedPages, stamp: str, seconds: int, headers: dict[str, str]
) -> None:
    link = served.link(ANA)
    stamps = {"own": served.get(link), "bo": served.get(served.link("bo@example.org"))}
    value = stamps[stamp].value_of("stamp") if stamp in stamps else stamp
    served.later(seconds=seconds)

    answer = served.press(link, {"from": "page", "do": "leave", "stamp": value}, **headers)

    assert answer.status == 200
    assert "press the button once more" in answer.text
    assert not served.has_left(ANA)


def test_a_script_that_sends_our_form_in_parts_does_not_leave(served: ServedPages) -> None:
    page = served.get(served.link(ANA))
    fields = {name: page.value_of(name) for name in ("from", "stamp", "do")}
    part = '--B\r\nContent-Disposition: form-data; name="{}"\r\n\r\n{}\r\n'
    body = "".join(part.format(*field) for field in fields.items()) + "--B--\r\n"

    answer = served.ask("POST", served.link(ANA), body.encode(), Content_Type=MULTIPART)

    assert answer.value_of("stamp") == fields["stamp"]
    assert not served.has_left(ANA)


def test_whoever_presses_at_once_presses_twice(served: ServedPages) -> None:
    link = served.link(ANA)
    page = served.get(link)
    again = served.press(link, {"from": "page", "do": "leave", "stamp": page.value_of("stamp")})
    served.later(seconds=2)

    served.press(link, {"from": "page", "do": "leave", "stamp": again.value_of("stamp")})

    assert served.has_left(ANA)


def test_topics_are_left_and_taken_again(served: ServedPages) -> None:
    link = served.link(ANA)
    stamp = served.get(link).value_of("stamp")
    served.later(seconds=5)

    served.press(link, [("from", "page"), ("do", "topics"), ("stamp", stamp), ("topic", "news"), ("topic", "x")])
    left = [each.topic for each in suppressions_of(served.database, ANA)]
    page = served.get(link)
    served.press(link, [("from", "page"), ("do", "topics"), ("stamp", stamp), ("topic", "news"), ("topic", "events")])

    assert left == ["events"]
    assert 'value="news" checked' in page.text
    assert 'value="events" checked' not in page.text
    assert suppressions_of(served.database, ANA) == ()


def test_a_topic_that_someone_else_blocked_is_not_given_back(served: ServedPages) -> None:
    add_suppression(served.database, ANA, SuppressionReason.MANUAL, topic="events", now=NOW)
    link = served.link(ANA)
    stamp = served.get(link).value_of("stamp")
    served.later(seconds=5)

    served.press(link, [("from", "page"), ("do", "topics"), ("stamp", stamp), ("topic", "news"), ("topic", "events")])

    assert [each.topic for each in suppressions_of(served.database, ANA)] == ["events"]


def test_why_someone_left_is_kept_as_text(served: ServedPages) -> None:
    link = served.link(ANA)
    left = served.ask("POST", link, ONE_CLICK)
    served.later(seconds=5)

    answer = served.press(
        link,
        {
            "from": "page",
            "do": "why",
            "stamp": left.value_of("stamp", form=1),
            "reason": "often",
            "remark": "<b>No\0</b> " + "x" * 2000,
        },
    )

    remarks = known_person(served.database, ANA).leaving_remarks
    assert "Thank you" in answer.text
    assert [(each.reason, each.remark) for each in remarks] == [("often", ("<b>No</b> " + "x" * 2000)[:1000])]
    assert known_person(served.database, "bo@example.org").leaving_remarks == ()


def test_the_page_speaks_the_language_of_the_person_and_then_of_the_browser(served: ServedPages) -> None:
    german = served.get(served.link("bo@example.org"), Accept_Language="fr")
    french = served.get(served.link(ANA), Accept_Language="tlh;q=1, fr-CA;q=0.8, en;q=0.1, de;q=x")
    nobody = served.get("/u/5-x", Accept_Language="ar")

    assert '<html lang="de" dir="ltr">' in german.text
    assert '<html lang="fr" dir="ltr">' in french.text
    assert '<html lang="ar" dir="rtl">' in nobody.text


def test_every_answer_protects_the_link_in_its_address(served: ServedPages) -> None:
    for answer in (served.get(served.link(ANA)), served.get("/nowhere"), served.ask("PUT", served.link(ANA))):
        assert answer.headers["referrer-policy"] == "same-origin"
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["x-robots-tag"] == "noindex, nofollow"
        assert answer.headers["cache-control"] == "no-store"
        assert "https://" not in answer.text.replace("https://www.example.org", "")
