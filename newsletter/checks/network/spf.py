"""D1: SPF, the DNS record in which a domain lists who may send in its name (RFC 7208)."""

from collections.abc import Iterator
from ipaddress import ip_address, ip_network
from typing import Any

from checkdmarc.spf import SPFError, SPFTooManyDNSLookups, SPFTooManyVoidDNSLookups, parse_spf_record

from newsletter.checks.network.dmarc import signing_domains
from newsletter.checks.network.names import Names
from newsletter.checks.network.sender import FROM_KEY, RuleResult, Sender, SenderProblem, broken
from newsletter.errors import CannotRunError
from newsletter.model.diagnosis import DnsRecord
from newsletter.model.finding import Severity
from newsletter.system.hosts import is_private_literal

RULE = "D1"
_MOST_LOOKUPS = 10
_ENVELOPE_KEY = ("authentication", "envelope_domain")
_PROVIDER_KEY = ("provider", "use")
_TELL = "in newsletter.toml, set spf_include under [authentication] to the value that its operator gives you"


def judge_spf(sender: Sender, names: Names) -> RuleResult:
    """Check the SPF record of the domain that bounces go to, because receivers look at that one.

    Raise CannotRunError if the DNS does not answer, if it is not known which record counts or what it must contain, or
    if the record's result depends on each email.
    """
    domain = sender.envelope_domain or sender.from_domain
    records = sorted(text for text in names.texts(domain) if f"{text.lower()} ".startswith("v=spf1 "))
    if not records:
        _require_known_envelope(sender, names)
        what = f"{domain} has no SPF record, so receivers cannot tell that {sender.carrier_name} may send for it"
        return _broken(what, "publish this record", domain, _advised(sender), sender)
    if len(records) > 1:
        what = f"{domain} has {len(records)} SPF records, so receivers ignore all of them"
        merged = _merged(records)
        return _broken(what, "replace them with this one, which combines them", domain, merged, sender)
    return _judge_record(sender, names, domain, records[0])


def _judge_record(sender: Sender, names: Names, domain: str, record: str) -> RuleResult:
    try:
        result: Any = parse_spf_record(record, domain, **names.for_library)
    except (SPFTooManyDNSLookups, SPFTooManyVoidDNSLookups) as err:
        names.require_answers()
        what = f"needs more than {_MOST_LOOKUPS} DNS lookups, so receivers ignore it"
        if isinstance(err, SPFTooManyVoidDNSLookups):
            what = "names several hosts that do not exist, so receivers ignore it"
        named = ", ".join(_terms(record)[1:]) or "nothing"
        remedy = f"remove everything that no longer sends for you (the record currently contains {named})"
        return broken(RULE, f"the SPF record of {domain} {what}", remedy, _key(sender))
    except SPFError as err:
        names.require_answers()
        what = f"the SPF record of {domain} cannot be read: {str(err).rstrip('.')}"
        return _broken(what, "replace it, for example with this", domain, _advised(sender), sender)
    if not _covers(result["parsed"], sender, names) and not _is_carriers_own(sender, names, domain):
        names.require_answers()
        if _asks_for_each(result["parsed"]):
            raise CannotRunError(
                f"the result of the SPF record of {domain} differs from email to email (macros or exists:)"
            )
        return _uncovered(sender, names, domain, record)
    lookups = result["dns_lookups"]
    used = f"uses {lookups} of the {_MOST_LOOKUPS} DNS lookups allowed"
    found = f"the SPF record of {domain} covers {sender.carrier_name} and {used}"
    return RuleResult(rule=RULE, found=found, problems=_too_open(sender, domain, record, result["parsed"]))


def _uncovered(sender: Sender, names: Names, domain: str, record: str) -> RuleResult:
    _require_known_envelope(sender, names)
    if sender.spf_include is None and sender.relay and is_private_literal(sender.relay.host):
        raise CannotRunError(f"the servers through which {sender.relay.host} sends email are not known; {_TELL}")
    what = f"the SPF record of {domain} does not cover {sender.carrier_name}"
    include, remedy = sender.spf_include, "publish this record instead"
    term, remedy = (f"include:{include}", remedy) if include else (f"a:{sender.carrier_name}", f"{_TELL}, or {remedy}")
    # The new term comes first, because receivers ignore everything after `all`.
    return _broken(what, remedy, domain, record.replace(" ", f" {term} ", 1), sender)


def _require_known_envelope(sender: Sender, names: Names) -> None:
    """Raise CannotRunError if only the provider knows the domain whose SPF record counts.

    This is the case if the DKIM keys are aliases of the provider's keys: authenticating a domain with SendGrid also
    creates a subdomain for bounces.
    """
    if sender.envelope_domain is not None or not sender.selectors:
        return
    for domain in signing_domains(sender):
        if _is_carriers_own(sender, names, f"{sender.selectors[0]}._domainkey.{domain}"):
            what = f"only {sender.carrier_name} knows the domain that bounces go to"
            remedy = f"in newsletter.toml, set envelope_domain under [authentication], for example to em123.{domain}"
            raise CannotRunError(f"{what}; {remedy}")


def _is_carriers_own(sender: Sender, names: Names, domain: str) -> bool:
    """Return whether a name is an alias of one of the carrier's names, whose record the carrier maintains."""
    alias = names.alias(domain)
    return bool(alias and sender.carrier and alias.endswith(f".{sender.carrier.spf_include}"))


def _covers(parsed: Any, sender: Sender, names: Names) -> bool:
    """Return whether a record covers the carrier: it includes the carrier, or allows an address of the mail server."""
    wanted = sender.spf_include
    if wanted and any(included == wanted or included.endswith(f".{wanted}") for included in _included(parsed)):
        return True
    if sender.relay is None or is_private_literal(sender.relay.host):
        return False
    allowed = [ip_network(address, strict=False) for address in _allowed(parsed, names)]
    return any(ip_address(own) in network for own in _relay_addresses(sender.relay.host, names) for network in allowed)


def _relay_addresses(host: str, names: Names) -> tuple[str, ...]:
    try:
        return (str(ip_address(host)),)
    except ValueError:
        return names.addresses(host)


def _included(parsed: Any) -> Iterator[str]:
    """Yield the domains of all included records, at any depth."""
    for record, domain in _inner(parsed):
        yield domain
        yield from _included(record)


def _allowed(parsed: Any, names: Names) -> Iterator[str]:
    """Yield all networks that a record allows, at any depth."""
    for mechanism in parsed["mechanisms"]:
        if mechanism["action"] != "pass":
            continue
        match mechanism["mechanism"]:
            case "ip4" | "ip6":
                yield mechanism["value"]
            case "a":
                yield from mechanism.get("addresses", ())
            case "mx":
                for host in mechanism.get("hosts", ()):
                    yield from names.addresses(host["hostname"])
    for record, _ in _inner(parsed):
        yield from _allowed(record, names)


def _asks_for_each(parsed: Any) -> bool:
    """Return whether the result of a record, at any depth, depends on each email (RFC 7208, section 7)."""
    passing = [mechanism for mechanism in parsed["mechanisms"] if mechanism["action"] == "pass"]
    if any(each["mechanism"] == "exists" or "%" in str(each.get("value")) for each in passing):
        return True
    if parsed["redirect"] and parsed["redirect"]["parsed"] is None:
        return True
    return any(_asks_for_each(record) for record, _ in _inner(parsed))


def _inner(parsed: Any) -> Iterator[tuple[Any, str]]:
    """Yield the records that a record directly includes or redirects to, with their domains."""
    for mechanism in parsed["mechanisms"]:
        if mechanism["mechanism"] == "include" and mechanism["action"] == "pass" and mechanism.get("parsed"):
            yield mechanism["parsed"], mechanism["value"]
    redirect = parsed["redirect"]
    if redirect and redirect["parsed"]:
        yield redirect["parsed"], redirect["domain"]


def _too_open(sender: Sender, domain: str, record: str, parsed: Any) -> tuple[SenderProblem, ...]:
    if parsed["all"] != "pass":
        return ()
    what = f"the SPF record of {domain} ends with +all, which lets anyone send in your name"
    closed = DnsRecord(name=domain, type="TXT", value=" ".join([*_terms(record), "~all"]))
    severity, remedy = Severity.WARNING, "publish this record instead"
    return (SenderProblem(severity=severity, what=what, remedy=remedy, key=_key(sender), records=(closed,)),)


def _broken(what: str, remedy: str, domain: str, value: str, sender: Sender) -> RuleResult:
    record = sender.told(domain) or DnsRecord(name=domain, type="TXT", value=value)
    return broken(RULE, what, remedy, _key(sender), record)


def _key(sender: Sender) -> tuple[str, ...]:
    if sender.envelope_domain not in {None, sender.from_domain}:
        return _ENVELOPE_KEY
    return FROM_KEY if sender.relay else _PROVIDER_KEY


def _advised(sender: Sender) -> str:
    """Return a complete record for a domain that has none."""
    if sender.spf_include:
        return f"v=spf1 include:{sender.spf_include} ~all"
    return f"v=spf1 mx a:{sender.carrier_name} ~all"


def _merged(records: list[str]) -> str:
    """Return one record that combines several. A redirect to another record becomes an include."""
    terms = (term.replace("redirect=", "include:") for record in records for term in _terms(record)[1:])
    return " ".join(["v=spf1", *dict.fromkeys(terms), "~all"])


def _terms(record: str) -> list[str]:
    """Return the terms of a record without the final `all`."""
    return [term for term in record.split() if not term.lower().endswith("all") or ":" in term]
