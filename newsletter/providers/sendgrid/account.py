"""What a SendGrid account says about itself: what its key may do, and for which domains it is authenticated.

https://www.twilio.com/docs/sendgrid/api-reference/api-key-permissions and …/domain-authentication
"""

from collections.abc import Iterator
from dataclasses import dataclass

from newsletter.model.dns_record import DnsRecord
from newsletter.providers.sendgrid.client import Reply, SendGridAccount, list_of, refusal, text_of

_MOST_DOMAINS = 50
_AGAIN = "run doctor again"
# What the part of a domain's DNS is called that stands for its envelope, with automated security and without.
_ENVELOPE_PARTS = ("mail_cname", "mail_server")


@dataclass(frozen=True, slots=True, kw_only=True)
class Permissions:
    """What a key may do."""

    scopes: frozenset[str]
    date: str  # what SendGrid takes for the present, as HTTP writes it; empty where it does not say


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthenticatedDomain:
    """A domain for which the account signs, or will once its records are published."""

    domain: str
    is_valid: bool  # SendGrid has seen all of its records
    envelope_domain: str
    records: tuple[DnsRecord, ...]  # all that it asks to be published


def read_permissions(account: SendGridAccount) -> Permissions:
    """What the key may do (`GET /v3/scopes`); raises ProviderError."""
    answer = account.endpoint("scopes").ask("get")
    content = answer.json() if isinstance(answer, Reply) and answer.status == 200 else None
    if not isinstance(answer, Reply) or not isinstance(content, dict):
        raise refusal("did not say what the key may do", answer, remedies={}, again=_AGAIN, secrets=account.secrets)
    scopes = frozenset(scope for scope in list_of(content, "scopes") if isinstance(scope, str))
    return Permissions(scopes=scopes, date=str(answer.headers.get("Date") or ""))


def read_domains(account: SendGridAccount) -> tuple[AuthenticatedDomain, ...]:
    """The domains of the account (`GET /v3/whitelabel/domains`); raises ProviderError."""
    answer = account.endpoint("whitelabel", "domains").ask("get", query={"limit": _MOST_DOMAINS})
    content = answer.json() if isinstance(answer, Reply) and answer.status == 200 else None
    if not isinstance(content, list):
        raise refusal("did not show its domains", answer, remedies={}, again=_AGAIN, secrets=account.secrets)
    return tuple(_domain(row) for row in content if text_of(row, "domain"))


def _domain(row: object) -> AuthenticatedDomain:
    parts = row.get("dns") if isinstance(row, dict) else None
    parts = parts if isinstance(parts, dict) else {}
    envelope = next((text_of(parts[name], "host") for name in _ENVELOPE_PARTS if name in parts), "")
    return AuthenticatedDomain(
        domain=text_of(row, "domain").lower(),
        is_valid=isinstance(row, dict) and row.get("valid") is True,
        envelope_domain=envelope.lower(),
        records=tuple(_records(parts)),
    )


def _records(parts: dict[str, object]) -> Iterator[DnsRecord]:
    for part in parts.values():
        name, kind, value = (text_of(part, key) for key in ("host", "type", "data"))
        if name and kind and value:
            yield DnsRecord(name=name.lower(), type=kind.upper(), value=f"10 {value}" if kind == "mx" else value)
