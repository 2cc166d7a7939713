"""Every request that the SendGrid adapter makes is as SendGrid's published OpenAPI descriptions say.

They are not part of this repository: set SENDGRID_OPENAPI to a folder with the files that `openapi.FILES` names
(https://github.com/twilio/sendgrid-oai).
"""

import json
import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from newsletter.model.broadcast import OutgoingChunk
from newsletter.model.event import ProviderList
from newsletter.model.slots import Template
from newsletter.providers.sendgrid.mail import compile_request
from tests.fakes.sendgrid_api import SendGridApi
from tests.providers.mailings import ENVELOPE, PICTURE, chunk, mailing, recipient, variant
from tests.providers.sendgrid.openapi import FILES, Descriptions
from tests.providers.sendgrid.parts import (
    log_of,
    scheduler_of,
    sendgrid,
    standing_api,
    submit,
    suppression_lists_of,
    unknown,
)
from tests.providers.workspace import NOW

ANA = recipient(1, "ana@example.org")
CHUNKS = {
    "one recipient": chunk(ANA),
    "a thousand recipients": chunk(*(recipient(number, f"person{number}@example.org") for number in range(1000))),
    "pictures": chunk(ANA, of=mailing(variant(pictures=(PICTURE,)))),
    "names": chunk(recipient(1, "ana@example.org", name='Lima, "Ana"; Zoë 张伟')),
    "values": chunk(recipient(1, "ana@example.org", 'José 🙂 <b>&"\\ \n\t%x%')),
    "no values": chunk(
        ANA._replace(values=()),
        of=mailing(variant(subject=Template(("Hello",)), html=Template(("<p>",)), text=Template(("Hello",)), slots=())),
    ),
    "no reply address": chunk(ANA, of=mailing(envelope=replace(ENVELOPE, reply_to=""))),
    "a test email": chunk(ANA, of=mailing(broadcast="test-x", subject_prefix="[TEST] ")),
    "a later attempt": chunk(ANA, number=120, attempt=7),
    "an issue of any name": chunk(ANA, of=replace(mailing(), category="März " * 60)),
    "a domain in any script": chunk(recipient(1, "ana@bücher.example")),
}


@pytest.fixture(scope="session")
def descriptions() -> Descriptions:
    """The published descriptions, from where the environment says."""
    folder = os.environ.get("SENDGRID_OPENAPI", "")
    if not folder:
        pytest.skip("SENDGRID_OPENAPI is not set to a folder with SendGrid's OpenAPI descriptions")
    missing = [name for name in FILES if not (Path(folder) / name).is_file()]
    assert not missing, f"SENDGRID_OPENAPI names a folder without {', '.join(missing)}"
    return Descriptions(Path(folder))


@pytest.fixture
def api(descriptions: Descriptions) -> Iterator[SendGridApi]:
    """The API on loopback; at the end, everything that was said must be as described."""
    with standing_api() as running:
        yield running
    assert running.exchanges
    for exchange in running.exchanges:
        asked, answer = (exchange.method, exchange.path), exchange.answer
        assert exchange.headers.get("Content-Type", "application/json").startswith("application/json")
        assert not descriptions.mistakes_in_request(*asked, exchange.body)
        assert not descriptions.mistakes_in_query(*asked, exchange.query)
        is_of_the_sandbox = answer.status == 200 and exchange.path.endswith("/mail/send")  # which is not described
        if answer.status < 400 and not is_of_the_sandbox:
            assert not descriptions.mistakes_in_answer(*asked, answer.status, answer.body)


@pytest.mark.parametrize("handed", CHUNKS.values(), ids=CHUNKS)
def test_mail_of_every_shape_is_as_described(api: SendGridApi, tmp_path: Path, handed: OutgoingChunk) -> None:
    submit(sendgrid(tmp_path, api.url), handed)

    assert len(api.accepted) == len(handed.recipients)


def test_a_request_to_be_validated_is_as_described(api: SendGridApi, tmp_path: Path) -> None:
    submit(sendgrid(tmp_path, api.url, more="sandbox = true"), chunk(ANA))

    assert len(api.validated) == 1


def test_held_mail_its_batch_and_its_end_are_as_described(api: SendGridApi, tmp_path: Path) -> None:
    provider = sendgrid(tmp_path, api.url)
    scheduler = scheduler_of(provider)
    batch_id = scheduler.open_batch()

    submit(provider, replace(chunk(ANA, of=replace(mailing(), batch_id=batch_id)), hold_until=NOW + timedelta(hours=2)))
    scheduler.cancel_batch(batch_id)
    scheduler.cancel_batch(batch_id)
    paused = scheduler.open_batch()
    api.schedules.set({"batch_id": paused, "status": "pause"}, NOW)
    scheduler.cancel_batch(paused)

    assert [(exchange.method, exchange.answer.status) for exchange in api.exchanges] == [
        *(("POST", status) for status in (201, 202, 201, 400)),
        ("GET", 200),
        *(("POST", status) for status in (201, 400)),
        ("GET", 200),
        ("PATCH", 204),
    ]


def test_a_search_of_the_log_is_as_described(api: SendGridApi, tmp_path: Path) -> None:
    provider = sendgrid(tmp_path, api.url)
    submit(provider, chunk(ANA))

    assert log_of(provider).find("b7", unknown(ANA.email))
    assert [exchange.method for exchange in api.exchanges] == ["POST", "POST", "GET"]


def test_suppressions_read_added_to_and_taken_off_are_as_described(api: SendGridApi, tmp_path: Path) -> None:
    lists = suppression_lists_of(sendgrid(tmp_path, api.url))
    for listed in ProviderList:
        api.suppressions.put(listed.value, "ana@example.org", NOW)

        assert [len(page) for page in lists.pull(listed, since=NOW, until=NOW)] == [1]
        assert [len(page) for page in lists.pull(listed, since=None, until=NOW)] == [1]
        lists.remove(listed, "ana@example.org")

    assert lists.add(["ana@example.org", "ben@bücher.example"]) == ()


@given(name=st.text(), value=st.text(max_size=50), subject=st.text(min_size=1))
def test_mail_of_any_name_value_and_subject_is_as_described(
    descriptions: Descriptions, name: str, value: str, subject: str
) -> None:
    made = compile_request(mailing(variant(subject=Template((subject,)))), sandbox=False)

    body = made.request(chunk(recipient(1, "ana@example.org", value, name=name))).body

    assert not descriptions.mistakes_in_request("POST", "/v3/mail/send", body)


@pytest.mark.parametrize(
    ("path", "request_body", "mistake"),
    [
        ("/v3/mail/send", {"from": {"email": "a@example.org"}, "personalizations": [{}]}, "'to' is a required"),
        ("/v3/mail/send", {"send_at": "soon"}, "not of type 'integer'"),
        ("/v3/mail/send", {"sandbox": True}, "'sandbox' was unexpected"),
        ("/v3/mail/send", {"mail_settings": {"sandbox": {"enable": True}}}, "'sandbox' was unexpected"),
        ("/v3/user/scheduled_sends", {"batch_id": "x", "status": "stop"}, "is not one of"),
        ("/v3/logs", {"query": "", "limit": 1001}, "greater than the maximum"),
        ("/v3/letters", {}, "not described"),
    ],
)
def test_a_request_that_is_not_as_described_is_told(
    descriptions: Descriptions, path: str, request_body: dict[str, Any], mistake: str
) -> None:
    found = descriptions.mistakes_in_request("POST", path, json.dumps(request_body).encode())

    assert any(mistake in words for words in found), found


@pytest.mark.parametrize(
    ("query", "mistake"),
    [
        ({"limit": "501"}, "greater than the maximum"),
        ({"limit": "all"}, "not of type 'integer'"),
        ({"page": "2"}, "page is not described"),
    ],
)
def test_a_query_that_is_not_as_described_is_told(
    descriptions: Descriptions, query: dict[str, str], mistake: str
) -> None:
    found = descriptions.mistakes_in_query("GET", "/v3/suppression/bounces", query)

    assert any(mistake in words for words in found), found
