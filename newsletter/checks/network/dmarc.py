"""D3: DMARC, by which a domain says what becomes of mail that proves nothing (RFC 9989)."""

from dataclasses import dataclass
from typing import Any

from checkdmarc.dmarc import (
    DMARCError,
    DMARCRecordNotFound,
    MultipleDMARCRecords,
    parse_dmarc_record,
    query_dmarc_record,
)

from newsletter.checks.network.names import Names
from newsletter.checks.network.sender import FROM_KEY, Judgement, Sender, SenderFault
from newsletter.model.dns_record import DnsRecord
from newsletter.model.finding import Severity

RULE = "D3"


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What the record asks of receivers."""

    judgement: Judgement
    asks: str = "none"  # none, quarantine or reject
    dkim_is_strict: bool = False
    spf_is_strict: bool = False


def judge_dmarc(sender: Sender, names: Names) -> Policy:
    """Judges the record of the sender's domain, or of the one above it that holds for it.

    Raises CannotRunError where the DNS does not answer.
    """
    domain = sender.from_domain
    names.texts(f"_dmarc.{domain}")
    try:
        found: Any = query_dmarc_record(domain, ignore_unrelated_records=True, **names.for_library)
        parsed: Any = parse_dmarc_record(
            found["record"], found["location"], ignore_unrelated_records=True, **names.for_library
        )
    except DMARCError as err:
        names.require_answers()
        return Policy(judgement=Judgement(rule=RULE, faults=(_fault_of(err, domain),)))
    tags, location = parsed["tags"], found["location"]
    asks = tags["p" if location == domain else "sp"]["value"]
    where = f"_dmarc.{location}"
    faults = () if "rua" in tags else (_without_reports(where, found["record"], domain),)
    judgement = Judgement(rule=RULE, faults=faults, found=f"{where} asks receivers for p={asks}")
    strict = {tag: tags[tag]["value"] == "s" for tag in ("adkim", "aspf")}
    return Policy(judgement=judgement, asks=asks, dkim_is_strict=strict["adkim"], spf_is_strict=strict["aspf"])


def _fault_of(err: DMARCError, domain: str) -> SenderFault:
    name = f"_dmarc.{domain}"
    record = DnsRecord(name=name, type="TXT", value=f"v=DMARC1; p=none; rua=mailto:dmarc@{domain}")
    remedy = f"publish (reports come to that address; make a mailbox dmarc@{domain}, or name another)"
    if isinstance(err, DMARCRecordNotFound):
        what = f"{domain} has no DMARC record, and Gmail, Yahoo and Microsoft turn away bulk mail without one"
    elif isinstance(err, MultipleDMARCRecords):
        what, remedy = f"{domain} has several DMARC records, and receivers then heed none", "leave only one, such as"
    else:
        what, remedy = f"the DMARC record of {domain} cannot be read: {_first_line(err)}", "correct it, for example to"
    return SenderFault(severity=Severity.ERROR, what=what, remedy=remedy, key=FROM_KEY, records=(record,))


def _without_reports(where: str, record: str, domain: str) -> SenderFault:
    value = f"{record.rstrip('; ')}; rua=mailto:dmarc@{domain}"
    return SenderFault(
        severity=Severity.WARNING,
        what=f"the DMARC record {where} names no address for reports (rua), so you do not hear who sends in your name",
        remedy="make a mailbox for them, and publish",
        key=FROM_KEY,
        records=(DnsRecord(name=where, type="TXT", value=value),),
    )


def _first_line(err: DMARCError) -> str:
    return str(err).strip().splitlines()[0].rstrip(".")
