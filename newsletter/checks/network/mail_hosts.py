"""D5: whoever answers a newsletter must reach somebody."""

from collections.abc import Iterator

from newsletter.checks.network.names import Names
from newsletter.checks.network.sender import FROM_KEY, Judgement, Sender, SenderFault
from newsletter.model.dns_record import DnsRecord
from newsletter.model.finding import Severity

RULE = "D5"
_REPLY_KEY = ("newsletter", "reply_to")


def judge_mail_hosts(sender: Sender, names: Names) -> Judgement:
    """Judges that mail to From and to Reply-To has somewhere to go; raises CannotRunError where the DNS is silent."""
    domains = {sender.from_domain: FROM_KEY}
    if sender.reply_domain is not None:
        domains[sender.reply_domain] = _REPLY_KEY
    faults = tuple(fault for domain, key in domains.items() for fault in _faults(domain, key, names))
    return Judgement(rule=RULE, faults=faults, found=f"{' and '.join(domains)} {_takes(len(domains))} mail")


def _faults(domain: str, key: tuple[str, ...], names: Names) -> Iterator[SenderFault]:
    hosts = names.mail_hosts(domain)
    if any(hosts):
        return
    says = "says that it takes no mail" if hosts else "names no host that takes mail"
    yield SenderFault(
        severity=Severity.WARNING,
        what=f"{domain} {says} (MX): answers, complaints and bounces come back",
        remedy="name an address that somebody reads, or publish the host of its mailboxes",
        key=key,
        records=(DnsRecord(name=domain, type="MX", value=f"10 <the host of the mailboxes of {domain}>"),),
    )


def _takes(count: int) -> str:
    return "takes" if count == 1 else "take"
