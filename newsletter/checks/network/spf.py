"""D1: SPF, by which a domain says who may send in its name (RFC 7208)."""

from collections.abc import Iterator
from ipaddress import ip_address, ip_network
from typing import Any

from checkdmarc.spf import SPFError, SPFTooManyDNSLookups, SPFTooManyVoidDNSLookups, parse_spf_record

from newsletter.checks.network.dmarc import signing_domains
from newsletter.checks.network.names import Names
from newsletter.checks.network.sender import FROM_KEY, RuleResult, Sender, SenderProblem, broken
from newsletter.checks.network.web import is_private_literal
from newsletter.errors import CannotRunError
from newsletter.model.diagnosis import DnsRecord
from newsletter.model.finding import Severity

RULE = "D1"
_MOST_LOOKUPS = 10
_ENVELOPE_KEY = ("authentication", "envelope_domain")
_PROVIDER_KEY = ("provider", "use")
_TELL = "write under [authentication] spf_include what its operator asks you to include"


def judge_spf(sender: Sender, names: Names) -> RuleResult:
    """Judge the record of the domain to which bounces go, since that is the one that receivers look at.

    Raise CannotRunError where the DNS does not answer, or where nobody can know what the record must hold, or what it
    lets pass.
    """
    domain = sender.envelope_domain or sender.from_domain
    records = sorted(text for text in names.texts(domain) if f"{text.lower()} ".startswith("v=spf1 "))
    if not records:
        _require_known_envelope(sender, names)
        what = f"{domain} has no SPF record, so nobody can tell that {sender.carrier_name} may send for it"
        return _broken(what, "publish", domain, _advised(sender), sender)
    if len(records) > 1:
        what = f"{domain} has {len(records)} SPF records, and receivers then heed none"
        merged = _merged(records)
        return _broken(what, "keep one that says all of it, and delete the others", domain, merged, sender)
    return _judge_record(sender, names, domain, records[0])


def _judge_record(sender: Sender, names: Names, domain: str, record: str) -> RuleResult:
    try:
        result: Any = parse_spf_record(record, domain, **names.for_library)
    except (SPFTooManyDNSLookups, SPFTooManyVoidDNSLookups) as err:
        names.require_answers()
        what = f"needs more than {_MOST_LOOKUPS} look-ups, and receivers then heed none of it"
        if isinstance(err, SPFTooManyVoidDNSLookups):
            what = "names several things that are not there, and receivers then heed none"
        named = ", ".join(_terms(record)[1:]) or "nothing"
        remedy = f"take out what no longer sends for you; these are named now: {named}"
        return broken(RULE, f"the SPF record of {domain} {what}", remedy, _key(sender))
    except SPFError as err:
        names.require_answers()
        what = f"the SPF record of {domain} cannot be read: {str(err).rstrip('.')}"
        return _broken(what, "correct it, for example to", domain, _advised(sender), sender)
    if not _covers(result["parsed"], sender, names) and not _is_carriers_own(sender, names, domain):
        names.require_answers()
        if _asks_for_each(result["parsed"]):
            raise CannotRunError(f"the SPF record of {domain} has macros or exists:, whose answer depends on each mail")
        return _uncovered(sender, names, domain, record)
    lookups = result["dns_lookups"]
    found = f"the SPF record of {domain} covers {sender.carrier_name}, with {lookups} of {_MOST_LOOKUPS} look-ups"
    return RuleResult(rule=RULE, found=found, problems=_too_open(sender, domain, record, result["parsed"]))


def _uncovered(sender: Sender, names: Names, domain: str, record: str) -> RuleResult:
    _require_known_envelope(sender, names)
    if sender.spf_include is None and sender.relay and is_private_literal(sender.relay.host):
        raise CannotRunError(f"the relay {sender.relay.host} passes mail on from who knows where; {_TELL}")
    what = f"the SPF record of {domain} does not cover {sender.carrier_name}"
    include, remedy = sender.spf_include, "publish in its place"
    term, remedy = (f"include:{include}", remedy) if include else (f"a:{sender.carrier_name}", f"{_TELL}, or {remedy}")
    # In front of all others: what follows `all` would not be heeded.
    return _broken(what, remedy, domain, record.replace(" ", f" {term} ", 1), sender)


def _require_known_envelope(sender: Sender, names: Names) -> None:
    """Raise where only the provider knows the domain whose record counts, and has been let into the DNS at least.

    Whoever has authenticated a domain with SendGrid has given it a name below that domain for bounces.
    """
    if sender.envelope_domain is not None or not sender.selectors:
        return
    for domain in signing_domains(sender):
        if _is_carriers_own(sender, names, f"{sender.selectors[0]}._domainkey.{domain}"):
            what = f"bounces go to a domain that {sender.carrier_name} knows"
            remedy = f"write it, such as em123.{domain}, under [authentication] envelope_domain"
            raise CannotRunError(f"{what}; {remedy}")


def _is_carriers_own(sender: Sender, names: Names, domain: str) -> bool:
    """Return whether the name is an alias of one of the carrier's, whose record is the carrier's business."""
    alias = names.alias(domain)
    return bool(alias and sender.carrier and alias.endswith(f".{sender.carrier.spf_include}"))


def _covers(parsed: Any, sender: Sender, names: Names) -> bool:
    """Return whether a record lets the carrier pass: by including it, or by naming an address of the relay."""
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
    """Yield all domains whose records are taken in, at whatever depth."""
    for record, domain in _inner(parsed):
        yield domain
        yield from _included(record)


def _allowed(parsed: Any, names: Names) -> Iterator[str]:
    """Yield all networks that may pass, at whatever depth."""
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
    """Whether a record, at whatever depth, lets pass by names that only the mail at hand completes (section 7)."""
    passing = [mechanism for mechanism in parsed["mechanisms"] if mechanism["action"] == "pass"]
    if any(each["mechanism"] == "exists" or "%" in str(each.get("value")) for each in passing):
        return True
    if parsed["redirect"] and parsed["redirect"]["parsed"] is None:
        return True
    return any(_asks_for_each(record) for record, _ in _inner(parsed))


def _inner(parsed: Any) -> Iterator[tuple[Any, str]]:
    """Yield the records that a record takes in directly, with their domains."""
    for mechanism in parsed["mechanisms"]:
        if mechanism["mechanism"] == "include" and mechanism["action"] == "pass" and mechanism.get("parsed"):
            yield mechanism["parsed"], mechanism["value"]
    redirect = parsed["redirect"]
    if redirect and redirect["parsed"]:
        yield redirect["parsed"], redirect["domain"]


def _too_open(sender: Sender, domain: str, record: str, parsed: Any) -> tuple[SenderProblem, ...]:
    if parsed["all"] != "pass":
        return ()
    what = f"the SPF record of {domain} ends with +all: it lets everybody send in your name"
    closed = DnsRecord(name=domain, type="TXT", value=" ".join([*_terms(record), "~all"]))
    severity = Severity.WARNING
    return (SenderProblem(severity=severity, what=what, remedy="publish", key=_key(sender), records=(closed,)),)


def _broken(what: str, remedy: str, domain: str, value: str, sender: Sender) -> RuleResult:
    record = sender.told(domain) or DnsRecord(name=domain, type="TXT", value=value)
    return broken(RULE, what, remedy, _key(sender), record)


def _key(sender: Sender) -> tuple[str, ...]:
    if sender.envelope_domain not in {None, sender.from_domain}:
        return _ENVELOPE_KEY
    return FROM_KEY if sender.relay else _PROVIDER_KEY


def _advised(sender: Sender) -> str:
    """Return a whole record for a domain that has none."""
    if sender.spf_include:
        return f"v=spf1 include:{sender.spf_include} ~all"
    return f"v=spf1 mx a:{sender.carrier_name} ~all"


def _merged(records: list[str]) -> str:
    """Return one record that says what several do; one that sent receivers elsewhere is taken in instead."""
    terms = (term.replace("redirect=", "include:") for record in records for term in _terms(record)[1:])
    return " ".join(["v=spf1", *dict.fromkeys(terms), "~all"])


def _terms(record: str) -> list[str]:
    """Return what a record says, without its end."""
    return [term for term in record.split() if not term.lower().endswith("all") or ":" in term]
