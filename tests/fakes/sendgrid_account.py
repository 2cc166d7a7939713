"""What an account says about itself, as SendGrid documents it: its key's scopes, and its authenticated domains."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.fakes.sendgrid_answer import Answer

# Those of a key with full access that this product has a use for, and some that it has none for.
FULL_ACCESS = (
    "alerts.read",
    "mail.batch.create",
    "mail.batch.delete",
    "mail.batch.read",
    "mail.batch.update",
    "mail.send",
    "messages.read",
    "suppression.create",
    "suppression.delete",
    "suppression.read",
    "suppression.update",
    "user.scheduled_sends.create",
    "user.scheduled_sends.delete",
    "user.scheduled_sends.read",
    "user.scheduled_sends.update",
    "whitelabel.read",
)


@dataclass
class Account:
    """The account; `domains` are answered as they stand here."""

    scopes: list[str] = field(default_factory=lambda: list(FULL_ACCESS))
    domains: list[dict[str, object]] = field(default_factory=list)

    def authenticate(self, domain: str, *, is_valid: bool, subdomain: str = "em123", number: int = 7) -> None:
        """Adds a domain with automated security: three aliases lead to SendGrid's own records."""
        target = f"u{number}.wl001.sendgrid.net"

        def part(host: str, data: str) -> dict[str, object]:
            return {"valid": is_valid, "type": "cname", "host": host, "data": data}

        self.domains.append(
            {
                "id": len(self.domains) + 1,
                "user_id": number,
                "subdomain": subdomain,
                "domain": domain,
                "username": "harbour",
                "ips": [],
                "custom_spf": False,
                "default": not self.domains,
                "legacy": False,
                "automatic_security": True,
                "valid": is_valid,
                "dns": {
                    "mail_cname": part(f"{subdomain}.{domain}", target),
                    "dkim1": part(f"s1._domainkey.{domain}", f"s1.domainkey.{target}"),
                    "dkim2": part(f"s2._domainkey.{domain}", f"s2.domainkey.{target}"),
                },
            }
        )

    def scopes_answer(self) -> Answer:
        """`GET /v3/scopes`."""
        return Answer.json(200, {"scopes": self.scopes})

    def domains_answer(self, query: Mapping[str, str]) -> Answer:
        """`GET /v3/whitelabel/domains`."""
        if "whitelabel.read" not in self.scopes:
            return Answer.error(403, "access forbidden")
        if not query.get("limit", "50").isdecimal():
            return Answer.error(400, "limit must be an integer", of="limit")
        return Answer.json(200, self.domains[: int(query.get("limit", 50))])
