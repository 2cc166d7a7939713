"""The lists of whom SendGrid does not mail: read page by page, added to, and taken off."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from newsletter.errors import ProviderError
from newsletter.model.event import ListedAddress, ProviderList
from newsletter.providers.sendgrid.client import SendGridAccount
from newsletter.providers.sendgrid.lists import SendGridSuppressionLists
from newsletter.settings.provider import SendGridSettings
from tests.fakes.sendgrid_api import Answer, Fault, SendGridApi
from tests.providers.sendgrid.parts import API_KEY
from tests.providers.workspace import NOW

BOUNCES, UNSUBSCRIBES = ProviderList.BOUNCES, ProviderList.UNSUBSCRIBES


@pytest.fixture
def waits() -> list[float]:
    """How long the lists waited before each further try, in seconds; nothing waits."""
    return []


@pytest.fixture
def lists(api: SendGridApi, waits: list[float]) -> SendGridSuppressionLists:
    return _lists(api.url, waits)


def _lists(url: str, waits: list[float], *, api_key: str = API_KEY) -> SendGridSuppressionLists:
    settings = SendGridSettings(api_url=url, timeout_seconds=0.5)
    account = SendGridAccount(settings=settings, api_key=api_key, clock=lambda: NOW)
    return SendGridSuppressionLists(account, pause=waits.append)


def pulled(
    lists: SendGridSuppressionLists, listed: ProviderList, *, since: datetime | None = None, until: datetime = NOW
) -> list[ListedAddress]:
    return [entry for page in lists.pull(listed, since=since, until=until) for entry in page]


@pytest.mark.parametrize("count", [0, 1, 499, 500, 501, 1000, 1203])
def test_every_page_of_a_list_is_read_once(api: SendGridApi, lists: SendGridSuppressionLists, count: int) -> None:
    for number in range(count):
        api.suppressions.put("bounces", f"person{number}@example.org", NOW - timedelta(seconds=number // 7))

    assert sorted(entry.email for entry in pulled(lists, BOUNCES)) == api.suppressions.emails("bounces")
    assert api.requests == count // 500 + 1


def test_what_is_added_while_a_list_is_read_moves_nothing(api: SendGridApi, lists: SendGridSuppressionLists) -> None:
    for number in range(750):
        api.suppressions.put("bounces", f"person{number}@example.org", NOW - timedelta(minutes=number))
    before = api.suppressions.emails("bounces")
    pages = lists.pull(BOUNCES, since=None, until=NOW)

    read = [entry.email for entry in next(pages)]
    for number in range(10):
        api.suppressions.put("bounces", f"later{number}@example.org", NOW + timedelta(seconds=1))
    read += [entry.email for page in pages for entry in page]

    assert sorted(read) == before


def test_only_what_lies_in_the_window_is_read(api: SendGridApi, lists: SendGridSuppressionLists) -> None:
    for hours in (-3, -2, -1, 0):
        api.suppressions.put("bounces", f"at{hours}@example.org", NOW + timedelta(hours=hours))

    found = pulled(lists, BOUNCES, since=NOW - timedelta(hours=2), until=NOW - timedelta(hours=1))

    assert sorted(entry.email for entry in found) == ["at-1@example.org", "at-2@example.org"]


@pytest.mark.parametrize("listed", ProviderList)
def test_each_list_tells_who_since_when_and_why(
    api: SendGridApi, lists: SendGridSuppressionLists, listed: ProviderList
) -> None:
    api.suppressions.put(listed.value, "ana@example.org", NOW, reason="550 5.1.1 <ana@example.org>: no such user")

    has_words = listed not in {ProviderList.UNSUBSCRIBES, ProviderList.SPAM_REPORTS}
    words = "550 5.1.1 <a***@example.org>: no such user" if has_words else ""
    assert pulled(lists, listed) == [ListedAddress(on=listed, email="ana@example.org", created_at=NOW, detail=words)]


def test_rows_that_say_nothing_are_left_out(api: SendGridApi, lists: SendGridSuppressionLists) -> None:
    rows: list[object] = [
        7,
        {"email": "ana@example.org"},
        {"created": 1, "email": " "},
        {"created": 1e300, "email": "bo@example.org"},
        {"created": 1, "email": "cy@example.org"},
    ]
    api.script(Answer.json(200, rows))

    assert [entry.email for entry in pulled(lists, BOUNCES)] == ["cy@example.org"]


def test_addresses_are_put_among_those_who_left(api: SendGridApi, lists: SendGridSuppressionLists) -> None:
    emails = [f"person{number}@example.org" for number in range(1100)]

    assert lists.add(emails) == ()
    assert api.suppressions.emails("unsubscribes") == sorted(emails)
    assert api.requests == 3


def test_to_add_nobody_asks_nothing(api: SendGridApi, lists: SendGridSuppressionLists) -> None:
    assert lists.add([]) == ()
    assert api.requests == 0


def test_addresses_that_the_provider_refuses_stop_no_others(api: SendGridApi, lists: SendGridSuppressionLists) -> None:
    good = [f"person{number}@example.org" for number in range(40)]
    unknown_to_it = ["ann@localhost", "bo@x.1"]

    refused = lists.add([*good[:13], *unknown_to_it, *good[13:], "zoë@example.org"])

    assert sorted(refused) == [*unknown_to_it, "zoë@example.org"]
    assert api.suppressions.emails("unsubscribes") == sorted(good)


def test_a_domain_in_any_script_is_added_in_ascii(api: SendGridApi, lists: SendGridSuppressionLists) -> None:
    assert lists.add(["ana@bücher.example"]) == ()
    assert api.suppressions.emails("unsubscribes") == ["ana@xn--bcher-kva.example"]


def test_a_refusal_that_no_address_explains_is_an_error(api: SendGridApi, lists: SendGridSuppressionLists) -> None:
    api.script(*[Answer.error(400, "recipient_emails is unknown")] * 23)

    with pytest.raises(ProviderError, match="returned 400: recipient_emails is unknown"):
        lists.add([f"person{number}@example.org" for number in range(12)])


@pytest.mark.parametrize("listed", ProviderList)
def test_an_address_is_taken_off_a_list_and_stays_on_others(
    api: SendGridApi, lists: SendGridSuppressionLists, listed: ProviderList
) -> None:
    email = "a+b/c%d@example.org"
    for name in ProviderList:
        api.suppressions.put(name.value, email, NOW)
        api.suppressions.put(name.value, "bo@example.org", NOW)

    lists.remove(listed, email)
    lists.remove(listed, email)

    assert api.suppressions.emails(listed.value) == ["bo@example.org"]
    assert all(
        api.suppressions.emails(name.value) == [email, "bo@example.org"] for name in set(ProviderList) - {listed}
    )


@pytest.mark.parametrize(
    "fault", [Fault.RESET, Fault.QUEUE_THEN_500, Fault.TRUNCATE, Answer.error(503, "busy"), Answer.error(429, "slow")]
)
def test_a_passing_fault_is_waited_out(
    api: SendGridApi, lists: SendGridSuppressionLists, waits: list[float], fault: Fault | Answer
) -> None:
    api.suppressions.put("bounces", "ana@example.org", NOW)
    for step in (lambda: pulled(lists, BOUNCES), lambda: lists.add(["bo@example.org"]), _removal(lists)):
        api.script(fault)
        step()

    assert waits == [1.0] * 3
    assert api.suppressions.emails("unsubscribes") == ["bo@example.org"]
    assert api.suppressions.emails("bounces") == []


def test_it_waits_as_long_as_the_provider_asks(
    api: SendGridApi, lists: SendGridSuppressionLists, waits: list[float]
) -> None:
    api.now = NOW
    api.script(Answer.error(429, "slow down", X_RateLimit_Reset=str(int(NOW.timestamp()) + 40)))

    pulled(lists, BOUNCES)

    assert waits == [40.0]


def test_it_does_not_wait_for_ages(api: SendGridApi, lists: SendGridSuppressionLists, waits: list[float]) -> None:
    api.now = NOW
    api.script(Answer.error(429, "slow down", X_RateLimit_Reset=str(int(NOW.timestamp()) + 900)))

    with pytest.raises(ProviderError, match=r"returned 429.*then sync again"):
        pulled(lists, BOUNCES)

    assert waits == []


def test_a_fault_that_stays_is_told(api: SendGridApi, lists: SendGridSuppressionLists, waits: list[float]) -> None:
    api.script(*[Answer.error(500, "oh")] * 4)

    with pytest.raises(ProviderError, match="did not show its list of spam reports: it returned 500: oh"):
        pulled(lists, ProviderList.SPAM_REPORTS)

    assert waits == [1.0, 2.0, 4.0]


def test_a_server_that_hangs_is_given_up(api: SendGridApi, lists: SendGridSuppressionLists) -> None:
    api.script(*[Fault.HANG] * 4)

    with pytest.raises(ProviderError, match="the answer was lost"):
        pulled(lists, BOUNCES)


@pytest.mark.parametrize(
    ("status", "remedy"),
    [
        (401, "check SENDGRID_API_KEY"),
        (403, "Suppressions permission"),
        (404, "check region and api_url"),
        (302, "api_url"),
    ],
)
def test_a_refusal_is_told_at_once(
    api: SendGridApi, lists: SendGridSuppressionLists, waits: list[float], status: int, remedy: str
) -> None:
    for step in (lambda: pulled(lists, BOUNCES), lambda: lists.add(["bo@example.org"])):
        api.script(Answer.error(status, "no"))

        with pytest.raises(ProviderError, match=remedy):
            step()

    assert waits == []


def test_a_wrong_key_is_refused_and_not_shown(api: SendGridApi, waits: list[float]) -> None:
    with pytest.raises(ProviderError, match="401") as refusal:
        pulled(_lists(api.url, waits, api_key="SG.another"), BOUNCES)

    assert "SG.another" not in str(refusal.value)


@pytest.mark.parametrize("body", [b"<html>", b'{"errors": []}', b"", b"null"])
def test_an_answer_that_is_no_list_is_an_error(api: SendGridApi, lists: SendGridSuppressionLists, body: bytes) -> None:
    api.script(Answer(status=200, body=body))

    with pytest.raises(ProviderError, match="did not show its list of bounces"):
        pulled(lists, BOUNCES)


def _removal(lists: SendGridSuppressionLists) -> Callable[[], None]:
    return lambda: lists.remove(BOUNCES, "ana@example.org")
