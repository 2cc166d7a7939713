"""D3 and D4: DMARC, the record that tells receivers what to do with unauthenticated email (RFC 9989).

SPF or DKIM must prove the domain that readers see in From. This is called alignment, and D4 checks it.
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
    """The DMARC policy of a domain: what it asks of receivers."""

    judgment: RuleResult
    asks: str = "none"  # none, quarantine or reject
    dkim_is_strict: bool = False
    spf_is_strict: bool = False


def judge_dmarc(sender: Sender, names: Names) -> Policy:
    """Check the record of the sender's domain, or of the parent domain whose record applies to it.

    Raise CannotRunError if the DNS does not answer.
    """
    domain = sender.from_domain
    names.texts(f"_dmarc.{domain}")
    try:
        options = {"ignore_unrelated_records": True, **names.for_library}
        found: Any = query_dmarc_record(domain, **options)
        parsed: Any = parse_dmarc_record(found["record"], found["location"], **options)
    except DMARCError as err:
        names.require_answers()
        return Policy(judgment=_unreadable(err, domain))
    tags, location = parsed["tags"], found["location"]
    asks = tags["p" if location == domain else "sp"]["value"]
    where = f"_dmarc.{location}"
    problems = () if "rua" in tags else (_without_reports(where, found["record"], domain),)
    judgment = RuleResult(rule=RULE, problems=problems, found=f"{where} asks receivers for p={asks}")
    strict = {tag: tags[tag]["value"] == "s" for tag in ("adkim", "aspf")}
    return Policy(judgment=judgment, asks=asks, dkim_is_strict=strict["adkim"], spf_is_strict=strict["aspf"])


def _unreadable(err: DMARCError, domain: str) -> RuleResult:
    name = f"_dmarc.{domain}"
    record = DnsRecord(name=name, type="TXT", value=f"v=DMARC1; p=none; rua=mailto:dmarc@{domain}")
    remedy = f"publish this record (create the mailbox dmarc@{domain} for its reports, or use another address)"
    if isinstance(err, DMARCRecordNotFound):
        what = f"{domain} has no DMARC record, and Gmail, Yahoo and Microsoft reject bulk email without one"
    elif isinstance(err, MultipleDMARCRecords):
        what = f"{domain} has several DMARC records, so receivers ignore all of them"
        remedy = "keep only one, for example this"
    else:
        said = str(err).strip().splitlines()[0].rstrip(".")
        what = f"the DMARC record of {domain} cannot be read: {said}"
        remedy = "replace it, for example with this"
    return broken(RULE, what, remedy, FROM_KEY, record)


def _without_reports(where: str, record: str, domain: str) -> SenderProblem:
    value = f"{record.rstrip('; ')}; rua=mailto:dmarc@{domain}"
    return SenderProblem(
        severity=Severity.WARNING,
        what=f"the DMARC record {where} has no address for reports (rua), so you cannot see who sends in your name",
        remedy="create a mailbox for the reports, and publish this record",
        key=FROM_KEY,
        records=(DnsRecord(name=where, type="TXT", value=value),),
    )


def organization_of(domain: str) -> str:
    """Return the registered domain of a name: `example.co.uk` for `mail.example.co.uk`."""
    return str(_suffixes().privatesuffix(domain) or domain)


def signing_domains(sender: Sender) -> tuple[str, ...]:
    """Return the domains that emails may be signed for.

    These are the domain in the settings, or else the sender's domain and the registered domain above it.
    """
    if sender.dkim_domain:
        return (sender.dkim_domain,)
    return tuple(dict.fromkeys((sender.from_domain, organization_of(sender.from_domain))))


def judge_alignment(
    sender: Sender, *, signed_by: str | None, is_signature_known: bool, dkim_is_strict: bool, spf_is_strict: bool
) -> RuleResult:
    """Check whether the domain of the DKIM signature or of the envelope matches the From domain.

    Raise CannotRunError if the envelope's domain does not match and the signature's is not known.
    """
    seen, envelope = sender.from_domain, sender.envelope_domain
    if signed_by and _is_aligned(signed_by, seen, is_strict=dkim_is_strict):
        return RuleResult(rule=ALIGNMENT_RULE, found=f"emails are signed for {signed_by}, which matches {seen}")
    if envelope and _is_aligned(envelope, seen, is_strict=spf_is_strict):
        return RuleResult(rule=ALIGNMENT_RULE, found=f"bounces go to {envelope}, which matches {seen}")
    if not is_signature_known:
        raise CannotRunError("the domain that emails are signed for is not known; see D2")
    proofs = [f"the signature is for {signed_by}" if signed_by else f"there is no signature for {seen}"]
    if envelope:
        proofs.append(f"bounces go to {envelope}")
    what = f"readers see {seen}, but {' and '.join(proofs)}, so nothing proves that the email is yours"
    if mailbox_provider_of(f"any@{seen}") is not MailboxProvider.OTHER:
        remedy = f"use a From address at your own domain; only {seen} itself may send as {seen}"
        return broken(ALIGNMENT_RULE, what, remedy, FROM_KEY)
    remedy = f"authenticate {seen} at {sender.carrier_name}, so that emails are signed for it"
    return broken(ALIGNMENT_RULE, what, remedy, FROM_KEY, *sender.to_publish)


def _is_aligned(proved: str, seen: str, *, is_strict: bool) -> bool:
    return proved == seen if is_strict else organization_of(proved) == organization_of(seen)


@cache
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList()
