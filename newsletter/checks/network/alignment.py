"""D4: what proves the sender must do so for the domain that readers see (RFC 9989, alignment)."""

from functools import cache

from publicsuffixlist import PublicSuffixList

from newsletter.checks.network.sender import FROM_KEY, Judgement, Sender, SenderFault
from newsletter.errors import CannotRunError
from newsletter.model.dns_record import DnsRecord
from newsletter.model.finding import Severity
from newsletter.model.mailbox import MailboxProvider, mailbox_provider_of

RULE = "D4"


def organisation_of(domain: str) -> str:
    """The domain that somebody registered: `example.co.uk` of `mail.example.co.uk`."""
    return str(_suffixes().privatesuffix(domain) or domain)


def signing_domains(sender: Sender) -> tuple[str, ...]:
    """For which domains mail may be signed: the one that the settings name, or the sender's and its organisation's."""
    if sender.dkim_domain:
        return (sender.dkim_domain,)
    return tuple(dict.fromkeys((sender.from_domain, organisation_of(sender.from_domain))))


def judge_alignment(
    sender: Sender, *, signed_by: str | None, is_signature_known: bool, dkim_is_strict: bool, spf_is_strict: bool
) -> Judgement:
    """Judges whether DKIM's domain or the envelope's belongs to the domain in From.

    Raises CannotRunError where the envelope's does not, and nobody knows the other.
    """
    seen, envelope = sender.from_domain, sender.envelope_domain
    if signed_by and _is_aligned(signed_by, seen, is_strict=dkim_is_strict):
        return Judgement(rule=RULE, found=f"mail is signed for {signed_by}, which readers see as {seen}")
    if envelope and _is_aligned(envelope, seen, is_strict=spf_is_strict):
        return Judgement(rule=RULE, found=f"bounces go to {envelope}, which readers see as {seen}")
    if not is_signature_known:
        raise CannotRunError("it is not known for which domain mail is signed; see D2")
    proofs = [f"the signature is for {signed_by}" if signed_by else f"no signature is for {seen}"]
    if envelope:
        proofs.append(f"bounces go to {envelope}")
    what = f"readers see {seen}, but {' and '.join(proofs)}: nothing proves that the mail is yours"
    if mailbox_provider_of(f"any@{seen}") is not MailboxProvider.OTHER:
        remedy = f"send from an address of a domain of your own; only {seen} itself may send as {seen}"
        return _broken(what, remedy)
    return _broken(
        what, f"have {sender.carrier_name} sign for {seen}: authenticate the domain there", *sender.to_publish
    )


def _broken(what: str, remedy: str, *records: DnsRecord) -> Judgement:
    fault = SenderFault(severity=Severity.ERROR, what=what, remedy=remedy, key=FROM_KEY, records=records)
    return Judgement(rule=RULE, faults=(fault,))


def _is_aligned(proved: str, seen: str, *, is_strict: bool) -> bool:
    return proved == seen if is_strict else organisation_of(proved) == organisation_of(seen)


@cache
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList()
