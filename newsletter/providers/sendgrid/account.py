"""The state of a SendGrid account: what its key may do, and for which domains the account is authenticated.

https://www.twilio.com/docs/sendgrid/api-reference/api-key-permissions and …/domain-authentication
"""

from collections.abc import Iterator

from msgspec import Struct
from msgspec.structs import replace

from newsletter.errors import ProviderError
from newsletter.model.diagnosis import DnsRecord, Health, HealthItem, from_words, not_judged, ok, warning
from newsletter.providers.base import AuthenticatedDomain, ProviderFacts
from newsletter.providers.sendgrid.client import SendGridAccount, list_of, text_of
from newsletter.providers.sendgrid.needs import NEEDS

_SCOPES_AT = "https://app.sendgrid.com/settings/api_keys"
_DOMAINS_AT = "https://app.sendgrid.com/settings/sender_auth"
_MOST_DOMAINS = 50
_AGAIN = "run `newsletter doctor` again"
_SECONDS = 10.0  # the longest wait for an answer, because a person is waiting for the result
# The keys of the DNS record for a domain's envelope: with automated security, and without.
_ENVELOPE_PARTS = ("mail_cname", "mail_server")


class Permissions(Struct, frozen=True, kw_only=True):
    """The permissions of a key."""

    scopes: frozenset[str]
    date: str  # SendGrid's current time in HTTP's format; empty if the answer contains none


def examine_account(account: SendGridAccount, *, is_online: bool) -> ProviderFacts:
    """Return the problems that would keep email from being sent, and the domains for which the account signs."""
    settings = account.settings
    items = [ok("key", "SENDGRID_API_KEY is set")]
    if settings.sandbox:
        what = "the sandbox is on: SendGrid checks each request but sends nothing"
        items.append(
            warning("sandbox", what, "before you send, delete sandbox under [provider.sendgrid] in newsletter.toml")
        )
    if not is_online:
        return ProviderFacts(
            items=(*items, not_judged("scopes", "the permissions of the key were not checked (--without network)"))
        )
    patience = min(settings.timeout_seconds, _SECONDS)
    account = replace(account, settings=settings.model_copy(update={"timeout_seconds": patience}))
    domains: tuple[AuthenticatedDomain, ...] | None = None
    try:
        permissions = read_permissions(account)
    except ProviderError as err:
        return ProviderFacts(items=(*items, from_words("scopes", Health.ERROR, err)))
    items += _missing_scopes(permissions.scopes) or [ok("scopes", "the key has all permissions that are needed")]
    if "whitelabel.read" in permissions.scopes:
        try:
            domains = read_domains(account)
        except ProviderError as err:
            items.append(from_words("domain", Health.NOT_JUDGED, err))
    clock = (account.host.partition("://")[2], permissions.date) if permissions.date else None
    return ProviderFacts(items=tuple(items), domains=domains, domains_at=_DOMAINS_AT, clock=clock)


def read_permissions(account: SendGridAccount) -> Permissions:
    """Return the permissions of the key (`GET /v3/scopes`). Raise ProviderError if SendGrid does not list them."""
    answer = account.ask("get", "scopes")
    content = answer.content(200)
    if not isinstance(content, dict):
        raise account.refusal("did not say what the key may do", answer, again=_AGAIN)
    scopes = frozenset(scope for scope in list_of(content, "scopes") if isinstance(scope, str))
    return Permissions(scopes=scopes, date=str(answer.headers.get("Date") or ""))


def read_domains(account: SendGridAccount) -> tuple[AuthenticatedDomain, ...]:
    """Return the domains (`GET /v3/whitelabel/domains`). Raise ProviderError if SendGrid does not list them."""
    answer = account.ask("get", "whitelabel", "domains", query={"limit": _MOST_DOMAINS})
    content = answer.content(200)
    if not isinstance(content, list):
        raise account.refusal("did not list its domains", answer, again=_AGAIN)
    return tuple(_domain(row) for row in content if isinstance(row, dict) and text_of(row, "domain"))


def _missing_scopes(scopes: frozenset[str]) -> list[HealthItem]:
    lacking = [need for need in NEEDS if not scopes.issuperset(need[1])]
    return [
        HealthItem(
            id="scopes",
            health=health,
            what=f"the key lacks {', '.join(scope for scope in needed if scope not in scopes)}: {consequence}",
            remedy=f"give the key the permission “{name}” at {_SCOPES_AT}",
        )
        for name, needed, health, consequence in lacking
    ]


def _domain(row: dict[str, object]) -> AuthenticatedDomain:
    dns = row.get("dns")
    parts: dict[str, object] = dns if isinstance(dns, dict) else {}
    envelope = next((text_of(parts[name], "host") for name in _ENVELOPE_PARTS if name in parts), "")
    return AuthenticatedDomain(
        domain=text_of(row, "domain").lower(),
        is_valid=row.get("valid") is True,
        envelope_domain=envelope.lower(),
        records=tuple(_records(parts)),
    )


def _records(parts: dict[str, object]) -> Iterator[DnsRecord]:
    for part in parts.values():
        name, kind, value = (text_of(part, key) for key in ("host", "type", "data"))
        if name and kind and value:
            yield DnsRecord(name=name.lower(), type=kind.upper(), value=f"10 {value}" if kind == "mx" else value)
