"""D3 and D4: DMARC, by which a domain says what becomes of mail that proves nothing (RFC 9989).

What proves the sender must do so for the domain that readers see: that is alignment, D4.
"""

from functools import cache
from typing import Any

from checkdmarc.dmarc import (
    DMARCError,
    DMARCRecordNotFound,
    MultipleDMARCRecords,
    parse_dmarc_record,
    query_dmarc_record,
)
from msgspec import Struct
from publicsuffixlist import PublicSuffixList

from newsletter.checks.network.names import Names
from newsletter.checks.network.sender import FROM_KEY, RuleResult, Sender, SenderProblem, broken
from newsletter.errors import CannotRunError
from newsletter.model.diagnosis import DnsRecord
from newsletter.model.finding import Severity
from newsletter.model.mailbox import MailboxProvider, mailbox_provider_of

RULE, ALIGNMENT_RULE = "D3", "D4"


class Policy(Struct, frozen=True, kw_only=True):
    """What the record asks of receivers."""

    judgement: RuleResult
    asks: str = "none"  # none, quarantine or reject
    dkim_is_strict: bool = False
    spf_is_strict: bool = False


def judge_dmarc(sender: Sender, names: Names) -> Policy:
    """Judge the record of the sender's domain, or of the one above it that holds for it.

    Raise CannotRunError where the DNS does not answer.
    """
    domain = sender.from_domain
    names.texts(f"_dmarc.{domain}")
    try:
        options = {"ignore_unrelated_records": True, **names.for_library}
        found: Any = query_dmarc_record(domain, **options)
        parsed: Any = parse_dmarc_record(found["record"], found["location"], **options)
    except DMARCError as err:
        names.require_answers()
        return Policy(judgement=_unreadable(err, domain))
    tags, location = parsed["tags"], found["location"]
    asks = tags["p" if location == domain else "sp"]["value"]
    where = f"_dmarc.{location}"
    problems = () if "rua" in tags else (_without_reports(where, found["record"], domain),)
    judgement = RuleResult(rule=RULE, problems=problems, found=f"{where} asks receivers for p={asks}")
    strict = {tag: tags[tag]["value"] == "s" for tag in ("adkim", "aspf")}
    return Policy(judgement=judgement, asks=asks, dkim_is_strict=strict["adkim"], spf_is_strict=strict["aspf"])


def _unreadable(err: DMARCError, domain: str) -> RuleResult:
    name = f"_dmarc.{domain}"
    record = DnsRecord(name=name, type="TXT", value=f"v=DMARC1; p=none; rua=mailto:dmarc@{domain}")
    remedy = f"publish (reports come to that address; make a mailbox dmarc@{domain}, or name another)"
    if isinstance(err, DMARCRecordNotFound):
        what = f"{domain} has no DMARC record, and Gmail, Yahoo and Microsoft turn away bulk mail without one"
    elif isinstance(err, MultipleDMARCRecords):
        what, remedy = f"{domain} has several DMARC records, and receivers then heed none", "leave only one, such as"
    else:
        said = str(err).strip().splitlines()[0].rstrip(".")
        what, remedy = f"the DMARC record of {domain} cannot be read: {said}", "correct it, for example to"
    return broken(RULE, what, remedy, FROM_KEY, record)


def _without_reports(where: str, record: str, domain: str) -> SenderProblem:
    value = f"{record.rstrip('; ')}; rua=mailto:dmarc@{domain}"
    return SenderProblem(
        severity=Severity.WARNING,
        what=f"the DMARC record {where} names no address for reports (rua), so you do not hear who sends in your name",
        remedy="make a mailbox for them, and publish",
        key=FROM_KEY,
        records=(DnsRecord(name=where, type="TXT", value=value),),
    )


def organisation_of(domain: str) -> str:
    """Return the domain that somebody registered: `example.co.uk` of `mail.example.co.uk`."""
    return str(_suffixes().privatesuffix(domain) or domain)


def signing_domains(sender: Sender) -> tuple[str, ...]:
    """For which domains mail may be signed: the one that the settings name, or the sender's and its organisation's."""
    if sender.dkim_domain:
        return (sender.dkim_domain,)
    return tuple(dict.fromkeys((sender.from_domain, organisation_of(sender.from_domain))))


def judge_alignment(
    sender: Sender, *, signed_by: str | None, is_signature_known: bool, dkim_is_strict: bool, spf_is_strict: bool
) -> RuleResult:
    """Judge whether DKIM's domain or the envelope's belongs to the domain in From.

    Raise CannotRunError where the envelope's does not, and nobody knows the other.
    """
    seen, envelope = sender.from_domain, sender.envelope_domain
    if signed_by and _is_aligned(signed_by, seen, is_strict=dkim_is_strict):
        return RuleResult(rule=ALIGNMENT_RULE, found=f"mail is signed for {signed_by}, which readers see as {seen}")
    if envelope and _is_aligned(envelope, seen, is_strict=spf_is_strict):
        return RuleResult(rule=ALIGNMENT_RULE, found=f"bounces go to {envelope}, which readers see as {seen}")
    if not is_signature_known:
        raise CannotRunError("it is not known for which domain mail is signed; see D2")
    proofs = [f"the signature is for {signed_by}" if signed_by else f"no signature is for {seen}"]
    if envelope:
        proofs.append(f"bounces go to {envelope}")
    what = f"readers see {seen}, but {' and '.join(proofs)}: nothing proves that the mail is yours"
    if mailbox_provider_of(f"any@{seen}") is not MailboxProvider.OTHER:
        remedy = f"send from an address of a domain of your own; only {seen} itself may send as {seen}"
        return broken(ALIGNMENT_RULE, what, remedy, FROM_KEY)
    remedy = f"have {sender.carrier_name} sign for {seen}: authenticate the domain there"
    return broken(ALIGNMENT_RULE, what, remedy, FROM_KEY, *sender.to_publish)


def _is_aligned(proved: str, seen: str, *, is_strict: bool) -> bool:
    return proved == seen if is_strict else organisation_of(proved) == organisation_of(seen)


@cache
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList()
