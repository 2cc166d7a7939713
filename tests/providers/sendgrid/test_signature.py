"""Only posts that SendGrid signed, and not too long ago, are taken."""

from base64 import b64decode, b64encode
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP384R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from newsletter.errors import InputError
from newsletter.providers.sendgrid.signature import WebhookKeys
from tests.fakes.event_webhook import EventWebhook

# A signed post that SendGrid published with its Python library (test/unit/test_eventwebhook.py).
KEY = (
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE83T4O/n84iotIvIW4mdBgQ/7dAfSmpqIM8kF9mN1flpVKS3GRqe62gw+2fNNRaINXvVpiglSI8eN"
    "Ec6wEA3F+g=="
)
OTHER_KEY = (
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEqTxd43gyp8IOEto2LdIfjRQrIbsd4SXZkLW6jDutdhXSJCWHw8REntlo7aNDthvj+y7GjUuFDb/R"
    "1NGe1OPzpA=="
)
SIGNATURE = "MEUCIGHQVtGj+Y3LkG9fLcxf3qfI10QysgDWmMOVmxG0u6ZUAiEAyBiXDWzM+uOe5W0JuG+luQAbPIqHh89M15TluLtEZtM="
TIMESTAMP = "1600112502"
BODY = (
    b'[{"email":"hello@world.com","event":"dropped","reason":"Bounced Address",'
    b'"sg_event_id":"ZHJvcC0xMDk5NDkxOS1MUnpYbF9OSFN0T0doUTRrb2ZTbV9BLTA",'
    b'"sg_message_id":"LRzXl_NHStOGhQ4kofSm_A.filterdrecv-p3mdw1-756b745b58-kmzbl-18-5F5FC76C-9.0",'
    b'"smtp-id":"<LRzXl_NHStOGhQ4kofSm_A@ismtpd0039p1iad1.sendgrid.net>","timestamp":1600112492}]\r\n'
)
THEN = datetime.fromtimestamp(int(TIMESTAMP), UTC)
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # of the curve P-256


def is_signed(
    body: bytes = BODY, signature: str = SIGNATURE, timestamp: str = TIMESTAMP, *, key: str = KEY, now: datetime = THEN
) -> bool:
    return WebhookKeys([key]).have_signed(body, signature=signature, timestamp=timestamp, now=now)


def test_the_published_example_is_signed() -> None:
    assert is_signed()


@pytest.mark.parametrize(
    "body",
    [
        BODY.rstrip(b"\r\n"),
        BODY.replace(b"\r\n", b"\n"),
        BODY + b"\n",
        BODY.replace(b"Bounced", b"bounced"),
        BODY.replace(b":", b": "),
        b"",
        b"payload",
        b"[]",
    ],
)
def test_an_altered_body_is_not_signed(body: bytes) -> None:
    assert not is_signed(body)


@pytest.mark.parametrize(
    "timestamp",
    [
        *("1600112503", "01600112502", "160011250", "+600112502", " 1600112502", "1600112502 ", "1600112502\n"),
        *("timestamp", "", "1600112502.0", "16001125O2", "१६००११२५०२", "1_600_112_502"),
    ],
)
def test_another_timestamp_is_not_signed(timestamp: str) -> None:
    assert not is_signed(timestamp=timestamp)


def test_no_digit_can_move_between_the_timestamp_and_the_body() -> None:
    assert not is_signed(TIMESTAMP[-1:].encode() + BODY, timestamp=TIMESTAMP[:-1], now=THEN)
    assert not is_signed(BODY[1:], timestamp=f"{TIMESTAMP}[")


@pytest.mark.parametrize(
    "signature",
    [
        *("", "=", "====", "AA==", "MEUC", SIGNATURE[:-4], f"{SIGNATURE}AA==", f"{SIGNATURE}\n", f" {SIGNATURE}"),
        *(SIGNATURE.replace("+", "-"), SIGNATURE * 3, "\N{GREEK SMALL LETTER ALPHA}", "\0", "A" * 10_000),
        "MEUCIQCtIHJeH93Y+qpYeWrySphQgpNGNr/U+UyUlBkU6n7RAwIgJTz2C+8a8xonZGi6BpSzoQsbVRamr2nlxFDWYNH3j/0=",
    ],
)
def test_another_signature_is_refused_and_raises_nothing(signature: str) -> None:
    assert not is_signed(signature=signature)


def test_both_forms_of_a_signature_are_one_so_it_is_no_key_against_replays() -> None:
    r, s = decode_dss_signature(b64decode(SIGNATURE))

    assert is_signed(signature=b64encode(encode_dss_signature(r, ORDER - s)).decode())


def test_another_key_has_not_signed_it() -> None:
    assert not is_signed(key=OTHER_KEY)


def test_while_a_key_is_being_replaced_either_has_signed_it() -> None:
    keys, now = WebhookKeys([OTHER_KEY, KEY]), THEN

    assert keys.have_signed(BODY, signature=SIGNATURE, timestamp=TIMESTAMP, now=now)
    assert not WebhookKeys([]).have_signed(BODY, signature=SIGNATURE, timestamp=TIMESTAMP, now=now)


@pytest.mark.parametrize(
    ("age", "is_taken"),
    [
        (timedelta(hours=25), True),  # SendGrid tries for 24 hours
        (timedelta(hours=25, seconds=1), False),
        (timedelta(minutes=-10), True),  # our clock may be slow
        (timedelta(minutes=-10, seconds=-1), False),
        (timedelta(days=3650), False),
    ],
)
def test_a_post_is_taken_for_25_hours(age: timedelta, is_taken: bool) -> None:
    assert is_signed(now=THEN + age) is is_taken


def test_any_bytes_can_be_signed() -> None:
    webhook, body = EventWebhook(), bytes(range(256)) * 4000
    headers = webhook.headers(body, at=THEN)

    assert WebhookKeys([webhook.public_key]).have_signed(
        body,
        signature=headers["X-Twilio-Email-Event-Webhook-Signature"],
        timestamp=headers["X-Twilio-Email-Event-Webhook-Timestamp"],
        now=THEN,
    )


def _other_curve() -> str:
    public = generate_private_key(SECP384R1()).public_key()
    return b64encode(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()


@pytest.mark.parametrize("text", ["", "x", "SG.key", KEY[:-8], KEY.replace("/", "_"), KEY + "AAAA", _other_curve()])
def test_what_is_no_key_is_told_with_what_to_do(text: str) -> None:
    with pytest.raises(InputError, match=r"webhook_keys under .* is not a public key .* copy the verification key"):
        WebhookKeys([KEY, text])
