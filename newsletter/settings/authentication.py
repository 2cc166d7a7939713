"""`[authentication]`: the domains that prove who sent an email."""

import re
from ipaddress import ip_address
from typing import Annotated, NamedTuple

from pydantic import AfterValidator, Field

from newsletter.errors import FaultError
from newsletter.model.values import Fields

_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?"
_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_DNS_PORT = 53


class NameserverAddress(NamedTuple):
    """The address and port of a name server."""

    address: str
    port: int


def _dns_name(value: str) -> str:
    name = value.strip().rstrip(".").lower()
    if len(name) > 253 or not _NAME.fullmatch(name):
        raise FaultError(f"{value!r} is not a DNS name", "use only letters, digits, hyphens, underscores and dots")
    return name


def _domain(value: str) -> str:
    name = _dns_name(value)
    if "." not in name:
        raise FaultError(f"{value!r} is not a domain", "write it in full, for example em123.example.org")
    return name


def _nameserver(value: str) -> str:
    read_nameserver(value)
    return value


def read_nameserver(value: str) -> NameserverAddress:
    """Read `192.0.2.1`, `192.0.2.1:5353`, `2001:db8::1` or `[2001:db8::1]:5353`. Raise ValueError otherwise."""
    match = re.fullmatch(r"\[([0-9A-Fa-f:.]+)\](?::(\d{1,5}))?|([0-9.]+):(\d{1,5})|([0-9A-Fa-f:.]+)", value)
    try:
        if match is None:
            raise ValueError
        address, port = match[1] or match[3] or match[5], int(match[2] or match[4] or _DNS_PORT)
        ip_address(address)
        if not 1 <= port <= 65535:
            raise ValueError
    except ValueError:
        raise FaultError(f"{value!r} is not the address of a name server", "write one such as 192.0.2.1") from None
    return NameserverAddress(address, port)


DnsName = Annotated[str, AfterValidator(_dns_name)]
Domain = Annotated[str, AfterValidator(_domain)]
Nameserver = Annotated[str, AfterValidator(_nameserver)]


class AuthenticationSettings(Fields):
    """`[authentication]`: details that do not follow from the sender and the provider."""

    dkim_selectors: tuple[DnsName, ...] = Field(
        default=(), description="the names (selectors) of the provider's DKIM keys; SendGrid's are s1 and s2"
    )
    dkim_domain: Domain | None = Field(
        default=None, description="the domain of the DKIM signature; default: the sender's"
    )
    envelope_domain: Domain | None = Field(
        default=None, description="the domain that receives bounces (Return-Path); at SendGrid em….example.org"
    )
    spf_include: Domain | None = Field(
        default=None, description="the domain that your SPF record must include; built in for the larger providers"
    )
    nameservers: tuple[Nameserver, ...] = Field(
        default=(), description="addresses of name servers to ask, with :port if needed; default: this machine's own"
    )

    @property
    def nameserver_addresses(self) -> tuple[NameserverAddress, ...]:
        """The name servers to ask. Empty if this machine's own are used."""
        return tuple(read_nameserver(value) for value in self.nameservers)
