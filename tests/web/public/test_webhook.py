"""SendGrid's webhook over HTTP: what is signed is saved before the answer, and nothing else changes anything."""

import random
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from threading import Event, Thread

import pytest

from newsletter.config import load_config
from newsletter.errors import InputError
from newsletter.store.database import Database
from newsletter.store.group_writer import GroupWriter
from newsletter.store.posts import count_waiting_posts
from newsletter.web.public.app import service_app
from newsletter.web.public.service import Service
from newsletter.web.public.webhook import LARGEST_POST, PATH
from newsletter.workflows.events.interpret import interpret_posts
from newsletter.workflows.tracking.recorder import Recorder
from tests.fakes.event_webhook import EventWebhook, body_of
from tests.fuzz.amount import EXAMPLES
from tests.store.builders import NOW, freeze, id_of
from tests.web.public.conftest import Answer, ServedPages
from tests.web.public.fuzzed_posts import fuzzed_posts
from tests.workspaces import CONFIG, write_workspace

WEBHOOK = EventWebhook()
ANA = "ana@example.org"


@pytest.fixture
def settings() -> str:
    return f'{CONFIG}\n[provider.sendgrid]\nwebhook_keys = ["{WEBHOOK.public_key}"]\n'


def send(served: ServedPages, body: bytes, *, webhook: EventWebhook = WEBHOOK, path: str = PATH, **more: str) -> Answer:
    headers = {name.replace("-", "_"): value for name, value in webhook.headers(body, at=served.now).items()}
    return served.ask("POST", path, body, **{**headers, **more})


def complaint(served: ServedPages) -> dict[str, object]:
    broadcast = freeze(served.database)
    return {
        "event": "spamreport",
        "email": ANA,
        "timestamp": int(NOW.timestamp()),
        "nl_broadcast": broadcast.mailing_id,
        "nl_chunk": "1",
        "nl_attempt": "1",
        "nl_delivery": str(id_of(served.database, ANA)),
    }


def rows_of(database: Database) -> dict[str, list[tuple[object, ...]]]:
    """Everything that a post could change."""
    tables = ("post", "event", "event_total", "reaction", "suppression", "soft_bounce", "subscriber", "chunk", "notice")
    with database.read() as connection:
        return {table: connection.execute(f"SELECT * FROM {table}", {}).fetchall() for table in tables}


@pytest.mark.parametrize("path", [PATH, f"{PATH}/"])
def test_a_signed_post_is_on_disk_when_it_is_answered(served: ServedPages, path: str) -> None:
    answer = send(served, body_of(complaint(served)), path=path)

    assert (answer.status, answer.body) == (200, b"")
    assert count_waiting_posts(served.database) == 1
    interpret_posts(served.config, served.database, now=NOW)
    assert served.has_left(ANA)


@pytest.mark.parametrize(
    "body",
    [
        body_of({"event": "surprise", "timestamp": 1}),
        body_of({"Key": "event", "Value": "processed"}),
        b"[]\r\n",
        b"{}",
        b"not json",
        b"",
        b"\xff\0",
        b"[" * 100_000,
        b"[{}]" * 2,
        b'[{"event":"bounce","email":"\\ud800@example.org","timestamp":1796000000}]',
        b'[{"event":"spamreport","email":"a@\\udfff.example.org","nl_delivery":"\\ud800"}]',
    ],
    ids=lambda body: repr(body)[:20],
)
def test_anything_with_the_right_signature_is_accepted(served: ServedPages, body: bytes) -> None:
    assert send(served, body).status == 200


def test_what_is_not_signed_changes_nothing(served: ServedPages) -> None:
    body = body_of(complaint(served))
    signed = WEBHOOK.headers(body, at=NOW)
    signature, timestamp = (value for name, value in signed.items() if name.startswith("X-Twilio"))
    forged = {"X_Twilio_Email_Event_Webhook_Signature": b64encode(b"forged").decode()}
    before = rows_of(served.database)

    answers = [
        send(served, body, webhook=EventWebhook()),
        send(served, body, **forged),
        send(served, body, X_Twilio_Email_Event_Webhook_Timestamp=f"{int(timestamp) + 1}"),
        send(served, body, X_Twilio_Email_Event_Webhook_Timestamp="\xb2" * 10),
        served.ask("POST", PATH, body),
        served.ask("POST", PATH, body, X_Twilio_Email_Event_Webhook_Signature=signature),
        served.ask("POST", PATH, body + b" ", **{name.replace("-", "_"): value for name, value in signed.items()}),
        served.ask("POST", PATH, body[:-2], **{name.replace("-", "_"): value for name, value in signed.items()}),
    ]

    assert [answer.status for answer in answers] == [401] * len(answers)
    assert rows_of(served.database) == before


@pytest.mark.parametrize(("hours", "status"), [(24, 200), (26, 401), (-1, 401)])
def test_an_old_post_is_taken_as_long_as_sendgrid_may_repeat_it(served: ServedPages, hours: float, status: int) -> None:
    body = body_of(complaint(served))
    headers = {name.replace("-", "_"): value for name, value in WEBHOOK.headers(body, at=NOW).items()}
    served.later(hours=hours)

    assert served.ask("POST", PATH, body, **headers).status == status
    assert count_waiting_posts(served.database) == int(status == 200)


def test_a_replayed_post_changes_nothing(served: ServedPages) -> None:
    body = body_of(complaint(served), {"event": "open", "timestamp": 1, "nl_broadcast": "b1-x"})
    send(served, body)
    interpret_posts(served.config, served.database, now=NOW)
    before = rows_of(served.database)

    assert [send(served, body).status for _ in range(20)] == [200] * 20

    assert interpret_posts(served.config, served.database, now=NOW) is None
    assert rows_of(served.database) == before


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_only_a_post_is_answered(served: ServedPages, method: str) -> None:
    assert served.ask(method, PATH).status == 405


@pytest.mark.parametrize("is_chunked", [False, True])
def test_a_body_that_is_too_large_is_refused(served: ServedPages, is_chunked: bool) -> None:
    body = b"[" + b" " * LARGEST_POST + b"]"
    more = {"Transfer_Encoding": "chunked"} if is_chunked else {}
    if is_chunked:
        body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)

    try:
        assert send(served, body, **more).status == 413
    except ConnectionError:
        assert not is_chunked  # the server may close the connection before it has read everything
    assert count_waiting_posts(served.database) == 0


def test_a_body_of_the_largest_size_is_accepted(served: ServedPages) -> None:
    entry = {**complaint(served), "padding": ""}
    entry["padding"] = "x" * (LARGEST_POST - len(body_of(entry)))
    body = body_of(entry)

    assert len(body) == LARGEST_POST
    assert send(served, body).status == 200
    interpret_posts(served.config, served.database, now=NOW)
    assert served.has_left(ANA)


def test_while_nothing_can_be_saved_sendgrid_is_asked_to_try_again(
    served: ServedPages, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = body_of(complaint(served))
    with busy_writer(served, monkeypatch):
        answer = send(served, body)

    assert answer.status == 503
    assert int(answer.headers["retry-after"]) > 0
    assert send(served, body).status == 200
    assert count_waiting_posts(served.database) == 1  # also if it was saved after that answer


@contextmanager
def busy_writer(served: ServedPages, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Keep the service from saving anything."""
    monkeypatch.setattr("newsletter.web.public.service._SECONDS_TO_SAVE", 0.3)
    is_over, has_begun = Event(), Event()

    def hold() -> None:
        with served.database.transaction():
            has_begun.set()
            is_over.wait(30)

    holder = Thread(target=hold)
    holder.start()
    has_begun.wait(30)
    try:
        yield
    finally:
        is_over.set()
        holder.join()


@pytest.mark.parametrize("keys", ["", 'webhook_keys = ["MFkw"]'])
def test_without_keys_there_is_no_webhook(tmp_path: Path, database: Database, keys: str) -> None:
    told = f"{CONFIG}\n[provider.sendgrid]\n{keys}\n"
    config = load_config(write_workspace(tmp_path / "other", {"newsletter.toml": told}))
    with GroupWriter(database) as writer:
        service = Service(config=config, database=database, writer=writer, recorder=Recorder(config, database))
        if keys:
            with pytest.raises(InputError, match="webhook_keys"):
                service_app(service)
        else:
            assert PATH not in {getattr(route, "path", "") for route in service_app(service).routes}


def test_hostile_bodies_change_nothing(served: ServedPages) -> None:
    """Half of them have the right signature, so that they are read."""
    freeze(served.database)
    before = rows_of(served.database)
    numbers, stranger = random.Random(20260219), EventWebhook()
    connection = HTTPConnection("127.0.0.1", served.port, timeout=20)
    for number, body in enumerate(fuzzed_posts(numbers, EXAMPLES)):
        webhook = WEBHOOK if number % 2 else stranger
        connection.request("POST", PATH, body, dict(webhook.headers(body, at=NOW)))
        answer = connection.getresponse()
        answer.read()
        assert answer.status == (200 if number % 2 else 401), body
    connection.close()
    while interpret_posts(served.config, served.database, now=NOW):
        pass

    after = rows_of(served.database)
    assert [failure for *_, failure in after.pop("post") if failure] == []
    assert after == {name: rows for name, rows in before.items() if name != "post"}
