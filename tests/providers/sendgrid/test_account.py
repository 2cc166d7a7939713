"""What a SendGrid account says about itself."""

from collections.abc import Iterator

import pytest

from newsletter.errors import ProviderError
from newsletter.model.diagnosis import DnsRecord
from newsletter.providers.sendgrid.account import read_domains, read_permissions
from newsletter.providers.sendgrid.client import SendGridAccount
from newsletter.settings.provider import SendGridSettings
from tests.fakes.sendgrid_api import Answer, Fault, SendGridApi
from tests.providers.workspace import NOW

KEY = "SG.secret-key-of-the-tests"
WITHOUT_AUTOMATED_SECURITY = {
    "domain": "Example.org",
    "automatic_security": False,
    "valid": False,
    "dns": {
        "mail_server": {"valid": False, "type": "mx", "host": "em5.example.org", "data": "mx.sendgrid.net"},
        "subdomain_spf": {"type": "txt", "host": "em5.example.org", "data": "v=spf1 include:sendgrid.net ~all"},
        "dkim": {"valid": False, "type": "txt", "host": "m1._domainkey.example.org", "data": "k=rsa; t=s; p=AB"},
    },
}


@pytest.fixture
def api() -> Iterator[SendGridApi]:
    """The API on loopback."""
    with SendGridApi(api_key=KEY) as running:
        yield running


def account(api: SendGridApi, key: str = KEY) -> SendGridAccount:
    settings = SendGridSettings(api_url=api.url, timeout_seconds=5)
    return SendGridAccount(settings=settings, api_key=key, clock=lambda: NOW)


def test_permissions_come_with_the_time(api: SendGridApi) -> None:
    permissions = read_permissions(account(api))

    assert permissions.scopes == frozenset(api.account.scopes)
    assert permissions.date.endswith("GMT")


def test_a_domain_with_automated_security_asks_for_three_aliases(api: SendGridApi) -> None:
    api.account.authenticate("example.org", is_valid=True)

    (domain,) = read_domains(account(api))

    assert (domain.domain, domain.is_valid, domain.envelope_domain) == ("example.org", True, "em123.example.org")
    assert {record.type for record in domain.records} == {"CNAME"}
    assert len(domain.records) == 3


def test_a_domain_without_it_asks_for_its_own_records(api: SendGridApi) -> None:
    api.account.domains.append(dict(WITHOUT_AUTOMATED_SECURITY))

    (domain,) = read_domains(account(api))

    assert (domain.domain, domain.is_valid, domain.envelope_domain) == ("example.org", False, "em5.example.org")
    assert domain.records == (
        DnsRecord(name="em5.example.org", type="MX", value="10 mx.sendgrid.net"),
        DnsRecord(name="em5.example.org", type="TXT", value="v=spf1 include:sendgrid.net ~all"),
        DnsRecord(name="m1._domainkey.example.org", type="TXT", value="k=rsa; t=s; p=AB"),
    )


@pytest.mark.parametrize("body", [b"null", b"<html>", b"{}", b'{"scopes": 1}'])
def test_an_answer_of_another_form_is_no_permission(api: SendGridApi, body: bytes) -> None:
    api.script(Answer(status=200, body=body))

    try:
        assert read_permissions(account(api)).scopes == frozenset()
    except ProviderError as err:
        assert "did not say what the key may do" in str(err)  # noqa: PT017 - either is right


@pytest.mark.parametrize("content", [[None], [{"domain": "example.org", "dns": []}], [{"dns": {"dkim": 1}}]])
def test_rows_of_another_form_are_no_records(api: SendGridApi, content: list[object]) -> None:
    api.script(Answer.json(200, content))

    assert all(domain.records == () for domain in read_domains(account(api)))


@pytest.mark.parametrize("step", [Answer.error(500, "try later"), Fault.RESET])
def test_what_is_not_answered_is_told_without_the_key(api: SendGridApi, step: Answer | Fault) -> None:
    api.script(step)

    with pytest.raises(ProviderError) as raised:
        read_domains(account(api))

    assert KEY not in str(raised.value)
