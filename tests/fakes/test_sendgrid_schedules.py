"""The stand-in for SendGrid holds mail, and gives it back, by the documented rules."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from tests.fakes.sendgrid_api import SendGridApi
from tests.fakes.talk import REQUEST, ask

NOW = datetime(2026, 2, 19, 16, 0, tzinfo=UTC)
DUE = NOW + timedelta(hours=2)
STATUSES = "/v3/user/scheduled_sends"


@pytest.fixture
def api() -> Iterator[SendGridApi]:
    """The API on loopback, at a standing clock."""
    with SendGridApi() as running:
        running.now = NOW
        yield running


def test_held_mail_is_delivered_at_its_time(api: SendGridApi) -> None:
    _hold(api, _batch(api))

    assert not api.delivered(DUE - timedelta(seconds=1))
    assert len(api.delivered(DUE)) == 2


@pytest.mark.parametrize(("ahead", "status"), [(72 * 3600, 202), (72 * 3600 + 1, 400), (-3600, 202)])
def test_mail_is_held_for_72_hours_at_most(api: SendGridApi, ahead: int, status: int) -> None:
    request = {**REQUEST, "send_at": int(NOW.timestamp()) + ahead}

    assert ask(api, "POST", "/v3/mail/send", request)[0] == status


@pytest.mark.parametrize("wrong", [{"send_at": "soon"}, {"send_at": 1.5}, {"send_at": True}, {"batch_id": "unknown"}])
def test_a_time_that_is_none_and_an_unknown_batch_are_refused(api: SendGridApi, wrong: dict[str, object]) -> None:
    status, body, _ = ask(api, "POST", "/v3/mail/send", {**REQUEST, **wrong})

    assert status == 400
    assert [error["field"] for error in json.loads(body)["errors"]] == list(wrong)
    assert not api.accepted


@pytest.mark.parametrize("status", ["cancel", "pause"])
def test_what_is_held_back_early_enough_is_not_delivered(api: SendGridApi, status: str) -> None:
    batch_id = _batch(api)
    _hold(api, batch_id)
    api.now = DUE - timedelta(minutes=10)

    assert ask(api, "POST", STATUSES, {"batch_id": batch_id, "status": status})[0] == 201
    assert not api.delivered(DUE + timedelta(days=3))


def test_what_is_cancelled_in_the_last_ten_minutes_is_delivered(api: SendGridApi) -> None:
    batch_id = _batch(api)
    _hold(api, batch_id)
    api.now = DUE - timedelta(minutes=9)

    ask(api, "POST", STATUSES, {"batch_id": batch_id, "status": "cancel"})

    assert len(api.delivered(DUE)) == 2


def test_a_status_is_given_once_and_then_changed_or_undone(api: SendGridApi) -> None:
    batch_id = _batch(api)
    _hold(api, batch_id)
    one = f"{STATUSES}/{batch_id}"

    answers = [
        ask(api, "PATCH", one, {"status": "cancel"})[0],
        ask(api, "POST", STATUSES, {"batch_id": batch_id, "status": "pause"})[0],
        ask(api, "POST", STATUSES, {"batch_id": batch_id, "status": "cancel"})[0],
        ask(api, "PATCH", one, {"status": "cancel"})[0],
    ]
    shown = json.loads(ask(api, "GET", one)[1])
    undone = ask(api, "DELETE", one)[0], ask(api, "DELETE", one)[0]

    assert answers == [404, 201, 400, 204]
    assert shown == [{"batch_id": batch_id, "status": "cancel"}]
    assert undone == (204, 404)
    assert len(api.delivered(DUE)) == 2


@pytest.mark.parametrize("status", ["cancel", "pause"])
@pytest.mark.parametrize(("minutes", "is_sent"), [(-30, True), (0, True), (30, False)])
def test_held_back_mail_is_judged_at_its_time(api: SendGridApi, status: str, minutes: int, is_sent: bool) -> None:
    batch_id = _batch(api)
    _hold(api, batch_id)
    ask(api, "POST", STATUSES, {"batch_id": batch_id, "status": status})
    api.now = DUE + timedelta(minutes=minutes)

    assert ask(api, "DELETE", f"{STATUSES}/{batch_id}")[0] == 204

    # What was paused is sent when the pause ends.
    assert bool(api.delivered(DUE + timedelta(hours=1))) is (is_sent or status == "pause")


def test_ten_batches_may_have_a_status(api: SendGridApi) -> None:
    batches = [_batch(api) for _ in range(11)]

    answers = [ask(api, "POST", STATUSES, {"batch_id": batch, "status": "cancel"})[0] for batch in batches]

    assert answers == [201] * 10 + [400]
    assert len(json.loads(ask(api, "GET", STATUSES)[1])) == 10


@pytest.mark.parametrize(
    "content", [{}, {"batch_id": "unknown", "status": "cancel"}, {"batch_id": "x", "status": "go"}]
)
def test_a_status_of_nothing_is_refused(api: SendGridApi, content: dict[str, str]) -> None:
    assert ask(api, "POST", STATUSES, content)[0] == 400


def test_a_batch_without_a_status_shows_none(api: SendGridApi) -> None:
    assert json.loads(ask(api, "GET", f"{STATUSES}/{_batch(api)}")[1]) == []


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("to_email = 'ana@example.org'", 1),
        ("to_email = 'ANA@example.com'", 0),
        ("subject = 'Hello Ben'", 1),
        ("status IN ('processed', 'delivered')", 2),
        ("categories IN ('issue')", 2),
        ('sg_message_id_created_at >= TIMESTAMP "2026-02-19T16:00:00Z"', 2),
        ("to_email = 'ana@example.org' AND sg_message_id_created_at < TIMESTAMP \"2026-02-19T16:00:00Z\"", 0),
        ("", 2),
    ],
)
def test_the_log_is_searched_by_conditions(api: SendGridApi, query: str, found: int) -> None:
    ask(api, "POST", "/v3/mail/send", {**REQUEST, "categories": ["issue"]})

    status, body, _ = ask(api, "POST", "/v3/logs", {"query": query})

    assert status == 200
    assert len(json.loads(body)["messages"]) == found


@pytest.mark.parametrize(
    "content",
    [
        {"query": "to_email LIKE 'a'"},
        {"query": "to_email = a"},
        {"query": "(to_email = 'a')"},
        {"query": "to_email IN ('a')"},
        {"query": "custom_args = 'a'"},
        {"query": "sg_message_id_created_at > '2026-02-19'"},
        {"limit": 0},
        {"limit": 1001},
    ],
)
def test_a_query_outside_the_documented_language_is_refused(api: SendGridApi, content: dict[str, object]) -> None:
    ask(api, "POST", "/v3/mail/send", REQUEST)

    assert ask(api, "POST", "/v3/logs", content)[0] == 400


def test_the_details_of_a_message_hold_its_custom_arguments_and_the_rows_do_not(api: SendGridApi) -> None:
    one = {**REQUEST["personalizations"][0], "custom_args": {"a": "1"}}
    ask(api, "POST", "/v3/mail/send", {**REQUEST, "personalizations": [one]})

    (row,) = json.loads(ask(api, "POST", "/v3/logs", {})[1])["messages"]
    details = json.loads(ask(api, "GET", f"/v3/logs/{row['sg_message_id']}")[1])

    assert "custom_args" not in row
    assert details["custom_args"] == {"a": "1"}
    assert ask(api, "GET", "/v3/logs/another")[0] == 404


def _batch(api: SendGridApi) -> str:
    return str(json.loads(ask(api, "POST", "/v3/mail/batch")[1])["batch_id"])


def _hold(api: SendGridApi, batch_id: str) -> None:
    request = {**REQUEST, "send_at": int(DUE.timestamp()), "batch_id": batch_id}
    assert ask(api, "POST", "/v3/mail/send", request)[0] == 202
