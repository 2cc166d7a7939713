"""The rules about the domain that sends, D1 to D6, judged one after the other with what each finds."""

import logging
import smtplib
import socket
import ssl
from collections.abc import Callable, Iterator
from typing import TypeVar

import checkdmarc.utils
from msgspec import Struct

from newsletter.checks.base import CheckContext, Circumstances, Probed, Problem
from newsletter.checks.network import dkim, dmarc, spf
from newsletter.checks.network.dkim import DkimSignature
from newsletter.checks.network.dmarc import Policy
from newsletter.checks.network.names import Names
from newsletter.checks.network.sender import (
    FROM_KEY,
    RuleResult,
    Sender,
    SenderProblem,
    broken,
    sender_of,
    why_mail_stays,
)
from newsletter.checks.network.web import is_private_literal
from newsletter.errors import CannotRunError
from newsletter.model.diagnosis import DnsRecord
from newsletter.model.finding import NotRun, Severity
from newsletter.settings.provider import SmtpSettings

SENDER_RULES = ("D1", "D2", "D3", "D4", "D5", "D6")
DomainOutcome = TypeVar("DomainOutcome", RuleResult, DkimSignature, Policy)

logging.getLogger("checkdmarc").setLevel(logging.CRITICAL)  # what it has to say, it also returns
_REPLY_KEY = ("newsletter", "reply_to")


class SenderVerdict(Struct, frozen=True, kw_only=True):
    """A judgement for each rule, and what the domain asks of receivers."""

    judgements: tuple[RuleResult, ...]
    policy: str  # DMARC's: none, quarantine or reject


def examine(context: CheckContext, _: Circumstances) -> Probed:
    """Judge D1 to D6."""
    config = context.subject.config
    if stays := why_mail_stays(config.settings):
        raise CannotRunError(stays)
    names = Names(config.settings.authentication.nameserver_addresses)
    judgements = judge_sender(sender_of(config), names).judgements
    return Probed(
        problems=tuple(
            (judged.rule, _problem(context, problem)) for judged in judgements for problem in judged.problems
        ),
        not_run=tuple(NotRun(rule=judged.rule, why=judged.not_judged) for judged in judgements if judged.not_judged),
    )


def judge_sender(sender: Sender, names: Names) -> SenderVerdict:
    """Judge all rules; one that cannot be judged says why, and holds up no other."""
    checkdmarc.utils.DNS_CACHE.clear()  # it knows nothing of name servers, and keeps answers for half an hour
    signature = _judged(names, lambda: dkim.judge_dkim(sender, names))
    policy = _judged(names, lambda: dmarc.judge_dmarc(sender, names))
    outcomes = (
        _judged(names, lambda: spf.judge_spf(sender, names)),
        signature.judgement if isinstance(signature, DkimSignature) else signature,
        policy.judgement if isinstance(policy, Policy) else policy,
        _judged(names, lambda: _alignment(sender, signature, policy)),
        _judged(names, lambda: judge_mail_hosts(sender, names)),
        _judged(names, lambda: judge_relay(sender, names)),
    )
    judgements = tuple(
        outcome if isinstance(outcome, RuleResult) else RuleResult(rule=rule, not_judged=str(outcome))
        for rule, outcome in zip(SENDER_RULES, outcomes, strict=True)
    )
    return SenderVerdict(judgements=judgements, policy=policy.asks if isinstance(policy, Policy) else "none")


def _alignment(
    sender: Sender, signature: DkimSignature | CannotRunError, policy: Policy | CannotRunError
) -> RuleResult:
    """D4, by how strict the domain's policy asks it to be; where that could not be read, only what holds either way.

    Raises CannotRunError where nothing holds either way.
    """

    def judge(*, dkim_is_strict: bool, spf_is_strict: bool) -> RuleResult:
        return dmarc.judge_alignment(
            sender,
            signed_by=signature.domain if isinstance(signature, DkimSignature) else sender.dkim_domain,
            is_signature_known=isinstance(signature, DkimSignature) or sender.dkim_domain is not None,
            dkim_is_strict=dkim_is_strict,
            spf_is_strict=spf_is_strict,
        )

    if isinstance(policy, Policy):
        return judge(dkim_is_strict=policy.dkim_is_strict, spf_is_strict=policy.spf_is_strict)
    strict, relaxed = (judge(dkim_is_strict=each, spf_is_strict=each) for each in (True, False))
    if bool(strict.problems) != bool(relaxed.problems):
        raise CannotRunError("it is not known how strict the domain asks it to be; see D3")
    return strict


def _judged(names: Names, judge: Callable[[], DomainOutcome]) -> DomainOutcome | CannotRunError:
    names.forget_unanswered()
    try:
        return judge()
    except CannotRunError as err:
        return err


def _problem(context: CheckContext, problem: SenderProblem) -> Problem:
    place = context.config_place(*problem.key)
    return Problem(severity=problem.severity, place=place, what=problem.what, remedy=problem.advice)


def judge_mail_hosts(sender: Sender, names: Names) -> RuleResult:
    """Judge D5: mail to From and to HttpReply-To has somewhere to go. Raise CannotRunError where the DNS is silent."""
    domains = {sender.from_domain: FROM_KEY} | ({sender.reply_domain: _REPLY_KEY} if sender.reply_domain else {})
    problems = tuple(problem for domain, key in domains.items() for problem in _unreachable(domain, key, names))
    takes = "takes" if len(domains) == 1 else "take"
    return RuleResult(rule="D5", problems=problems, found=f"{' and '.join(domains)} {takes} mail")


def _unreachable(domain: str, key: tuple[str, ...], names: Names) -> Iterator[SenderProblem]:
    hosts = names.mail_hosts(domain)
    if any(hosts):
        return
    says = "says that it takes no mail" if hosts else "names no host that takes mail"
    yield SenderProblem(
        severity=Severity.WARNING,
        what=f"{domain} {says} (MX): answers, complaints and bounces come back",
        remedy="name an address that somebody reads, or publish the host of its mailboxes",
        key=key,
        records=(DnsRecord(name=domain, type="MX", value=f"10 <the host of the mailboxes of {domain}>"),),
    )


_GREETING_SECONDS = 5.0
_HOST_KEY = ("provider", "smtp", "host")
_SECURITY_KEY = ("provider", "smtp", "security")


def judge_relay(sender: Sender, names: Names) -> RuleResult:
    """Connect, greet, and ask for encryption with the relay's certificate verified; then go away again.

    Raise CannotRunError where the relay cannot be reached.
    """
    relay = sender.relay
    if relay is None:
        return RuleResult(rule="D6", found=f"mail goes to {sender.carrier_name} over HTTPS")
    if relay.security == "none":
        return RuleResult(rule="D6", found="the relay is on this machine, and mail crosses no network")
    where = f"{relay.host}:{relay.port}"
    if not is_private_literal(relay.host):
        names.addresses(relay.host)  # where the DNS is silent, the system would wait for it much longer
    try:
        _greet(relay)
    except smtplib.SMTPNotSupportedError:
        what = f"the relay {where} offers no STARTTLS: mail would cross the network for everybody to read"
        return broken("D6", what, "write the port and the security that its operator names", _SECURITY_KEY)
    except ssl.SSLCertVerificationError as err:
        what = f"the certificate of the relay {where} is not valid ({err.verify_message})"
        remedy = "write the host by the name that its certificate has, or have its operator renew it"
        return broken("D6", what, remedy, _HOST_KEY)
    except ssl.SSLError:
        what = f"no encrypted connection can be made to the relay {where}"
        return broken("D6", what, "write the port and the security that its operator names", _SECURITY_KEY)
    except (OSError, UnicodeError, smtplib.SMTPException) as err:
        said = getattr(err, "strerror", None) or err
        raise CannotRunError(f"the relay {where} cannot be reached ({said}); check the network and its host") from err
    return RuleResult(rule="D6", found=f"mail goes to {where} encrypted, and its certificate is valid")


def _greet(relay: SmtpSettings) -> None:
    context = ssl.create_default_context()
    seconds = min(relay.timeout_seconds, _GREETING_SECONDS)
    ourselves = socket.gethostname() if "." in socket.gethostname() else "[127.0.0.1]"
    if relay.security == "tls":
        with smtplib.SMTP_SSL(relay.host, relay.port, ourselves, timeout=seconds, context=context) as server:
            server.ehlo()
        return
    with smtplib.SMTP(relay.host, relay.port, ourselves, timeout=seconds) as server:
        server.starttls(context=context)
        server.ehlo()
