"""DNS lookups with a time budget. They distinguish a missing record from an unanswered query."""

from collections.abc import Sequence
from time import monotonic
from typing import Any

import dns.exception
import dns.name
import dns.nameserver
import dns.rdatatype
import dns.resolver

from newsletter.errors import CannotRunError
from newsletter.settings.authentication import NameserverAddress

_QUESTION_SECONDS = 3.0  # for one query, with its retries
_TRY_SECONDS = 1.2  # for one attempt
_BUDGET_SECONDS = 10.0  # for all queries together
_REMEDY = "check your internet connection, or nameservers under [authentication] in newsletter.toml"


class PatientResolver(dns.resolver.Resolver):
    """A resolver with a time budget that caches answers and remembers which queries were not answered.

    If the very first query gets no answer, there is no network, and no more queries are made. The same is true if the
    name server says that not even the DNS root exists, which happens if it has no connection to the internet.
    """

    def __init__(self, nameservers: Sequence[NameserverAddress], *, budget_seconds: float) -> None:
        super().__init__(configure=not nameservers)
        if nameservers:
            self.nameservers = [dns.nameserver.Do53Nameserver(place.address, place.port) for place in nameservers]
        self.timeout, self.lifetime = _TRY_SECONDS, _QUESTION_SECONDS
        self.cache = dns.resolver.LRUCache()
        self.unanswered: set[str] = set()
        self._ends = monotonic() + budget_seconds
        self.is_cut_off = False
        self._has_answered = self._is_dead = False

    def resolve(self, qname: Any, rdtype: Any = dns.rdatatype.A, *rest: Any, **options: Any) -> dns.resolver.Answer:
        """Make one query. Raise dnspython's exceptions."""
        left = self._ends - monotonic()
        if left <= 0 or self._is_dead:
            self.unanswered.add(str(qname))
            raise dns.exception.Timeout
        options["lifetime"] = min(left, _QUESTION_SECONDS)
        try:
            answer = super().resolve(qname, rdtype, *rest, **options)
        except dns.resolver.NoAnswer:
            self._has_answered = True
            raise
        except dns.resolver.NXDOMAIN:
            self._require_root(qname)
            raise
        except dns.resolver.NoNameservers:  # there is a network, but this query was not answered
            self._has_answered = True
            self.unanswered.add(str(qname))
            raise
        except (dns.exception.Timeout, OSError):
            self.unanswered.add(str(qname))
            self._is_dead = not self._has_answered
            raise
        self._has_answered = True
        return answer

    def _require_root(self, qname: Any) -> None:
        """Raise Timeout if the answer that a name does not exist cannot be trusted."""
        if self._has_answered:
            return
        try:
            super().resolve(dns.name.root, "NS", lifetime=_QUESTION_SECONDS)
        except dns.resolver.NXDOMAIN as err:
            self.is_cut_off = self._is_dead = True
            self.unanswered.add(str(qname))
            raise dns.exception.Timeout from err
        except (dns.exception.DNSException, OSError):
            pass  # the server may refuse this query and still answer others
        self._has_answered = True


class Names:
    """DNS records by name. Each query raises CannotRunError if it is not answered."""

    def __init__(self, nameservers: Sequence[NameserverAddress], *, budget_seconds: float = _BUDGET_SECONDS) -> None:
        try:
            self.resolver = PatientResolver(nameservers, budget_seconds=budget_seconds)
        except dns.resolver.NoResolverConfiguration as err:
            raise CannotRunError(f"this machine has no name server configured; {_REMEDY}") from err

    @property
    def for_library(self) -> dict[str, Any]:
        """The options that make checkdmarc use only this resolver."""
        return {"resolver": self.resolver, "nameservers": self.resolver.nameservers, "timeout": _QUESTION_SECONDS}

    def texts(self, name: str) -> tuple[str, ...]:
        """Return the TXT records of a name, each as one string."""
        return tuple(b"".join(row.strings).decode("utf-8", "replace") for row in self._rows(name, "TXT"))

    def mail_hosts(self, name: str) -> tuple[str, ...]:
        """Return the mail servers of a domain (MX). An empty name means that it accepts no email (RFC 7505)."""
        return tuple(row.exchange.to_text(omit_final_dot=True).removesuffix(".") for row in self._rows(name, "MX"))

    def addresses(self, host: str) -> tuple[str, ...]:
        """Return the addresses of a host, IPv4 before IPv6."""
        found = [row.address for row in self._rows(host, "A")]
        try:
            found += [row.address for row in self._rows(host, "AAAA")]
        except CannotRunError:  # some name servers do not answer queries for IPv6
            if not found:
                raise
        return tuple(found)

    def alias(self, name: str) -> str | None:
        """Return the name that an alias points to (CNAME), in lower case, or None if the name is not an alias."""
        rows = self._rows(name, "CNAME")
        return rows[0].target.to_text(omit_final_dot=True).lower() if rows else None

    def forget_unanswered(self) -> None:
        """Forget the unanswered queries, so that `require_answers` starts again."""
        self.resolver.unanswered.clear()

    def require_answers(self) -> None:
        """Raise CannotRunError if any query, including those made by a library, was not answered."""
        if self.resolver.unanswered:
            raise self._no_answer(min(self.resolver.unanswered))

    def _rows(self, name: str, kind: str) -> list[Any]:
        try:
            return list(self.resolver.resolve(f"{name.removesuffix('.')}.", kind))
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer, dns.name.LabelTooLong, dns.name.EmptyLabel):
            return []
        except (dns.exception.DNSException, OSError, UnicodeError) as err:
            raise self._no_answer(name) from err

    def _no_answer(self, name: str) -> CannotRunError:
        if self.resolver.is_cut_off:
            return CannotRunError(f"the name server has no connection to the internet; {_REMEDY}")
        return CannotRunError(f"the DNS gave no answer about {name.rstrip('.')}; {_REMEDY}")
