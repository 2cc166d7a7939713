"""A record of the DNS, as whoever keeps a domain publishes it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class DnsRecord:
    """Name, type and value of a record."""

    name: str  # in full, without a dot at its end
    type: str  # TXT, CNAME, MX
    value: str  # as it is typed into a form: without quotes

    def __str__(self) -> str:
        value = f'"{self.value}"' if self.type == "TXT" else self.value
        return f"{self.name} {self.type} {value}"
