"""The checks of the sender's domain, D1 to D6, run one after the other."""

import logging
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
from newsletter.errors import CannotRunError
from newsletter.model.diagnosis import DnsRecord
from newsletter.model.finding import NotRun, Severity
from newsletter.settings.provider import SmtpSettings
from newsletter.system.hosts import is_private_literal
from newsletter.system.smtp_connection import NotOfferedError, SmtpLimits, connect

SENDER_RULES = ("D1", "D2", "D3", "D4", "D5", "D6")
DomainOutcome = TypeVar("DomainOutcome", RuleResult, DkimSignature, Policy)

logging.getLogger("checkdmarc").setLevel(logging.CRITICAL)  # it also returns everything that it logs
_REPLY_KEY = ("newsletter", "reply_to")


class SenderVerdict(Struct, frozen=True, kw_only=True):
    """The result of each check, and what the domain's DMARC policy asks of receivers."""

    judgments: tuple[RuleResult, ...]
    policy: str  # none, quarantine or reject


def examine(context: CheckContext, _: Circumstances) -> Probed:
    """Run D1 to D6. Raise CannotRunError if email stays on this machine."""
    config = context.subject.config
    if stays := why_mail_stays(config.settings):
        raise CannotRunError(stays)
    names = Names(config.settings.authentication.nameserver_addresses)
    judgments = judge_sender(sender_of(config), names).judgments
    return Probed(
        problems=tuple(
            (judged.rule, _problem(context, problem)) for judged in judgments for problem in judged.problems
        ),
        not_run=tuple(NotRun(rule=judged.rule, why=judged.not_judged) for judged in judgments if judged.not_judged),
    )


def judge_sender(sender: Sender, names: Names) -> SenderVerdict:
    """Run all checks. If a check cannot run, its result says why, and the others still run."""
    checkdmarc.utils.DNS_CACHE.clear()  # it ignores which name servers are used, and keeps answers for half an hour
    signature = _judged(names, lambda: dkim.judge_dkim(sender, names))
    policy = _judged(names, lambda: dmarc.judge_dmarc(sender, names))
    outcomes = (
        _judged(names, lambda: spf.judge_spf(sender, names)),
        signature.judgment if isinstance(signature, DkimSignature) else signature,
        policy.judgment if isinstance(policy, Policy) else policy,
        _judged(names, lambda: _alignment(sender, signature, policy)),
        _judged(names, lambda: judge_mail_hosts(sender, names)),
        _judged(names, lambda: judge_relay(sender, names)),
    )
    judgments = tuple(
        outcome if isinstance(outcome, RuleResult) else RuleResult(rule=rule, not_judged=str(outcome))
        for rule, outcome in zip(SENDER_RULES, outcomes, strict=True)
    )
    return SenderVerdict(judgments=judgments, policy=policy.asks if isinstance(policy, Policy) else "none")


def _alignment(
    sender: Sender, signature: DkimSignature | CannotRunError, policy: Policy | CannotRunError
) -> RuleResult:
    """Run D4 as strictly as the domain's DMARC policy asks.

    If the policy could not be read, return the result only if it is the same for strict and relaxed alignment. Raise
    CannotRunError if it is not.
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
        raise CannotRunError("the domain's DMARC policy could not be read; see D3")
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
    """Run D5: check whether email to the From and Reply-To addresses can be delivered.

    Raise CannotRunError if the DNS does not answer.
    """
    domains = {sender.from_domain: FROM_KEY} | ({sender.reply_domain: _REPLY_KEY} if sender.reply_domain else {})
    problems = tuple(problem for domain, key in domains.items() for problem in _unreachable(domain, key, names))
    accept = "accepts" if len(domains) == 1 else "accept"
    return RuleResult(rule="D5", problems=problems, found=f"{' and '.join(domains)} {accept} email")


def _unreachable(domain: str, key: tuple[str, ...], names: Names) -> Iterator[SenderProblem]:
    hosts = names.mail_hosts(domain)
    if any(hosts):
        return
    says = "declares that it accepts no email" if hosts else "has no mail server"
    yield SenderProblem(
        severity=Severity.WARNING,
        what=f"{domain} {says} (MX), so replies, complaints and bounces cannot be delivered",
        remedy="use an address that someone reads, or publish the mail server of this domain",
        key=key,
        records=(DnsRecord(name=domain, type="MX", value=f"10 <the mail server of {domain}>"),),
    )


_GREETING_SECONDS = 5.0
_HOST_KEY = ("provider", "smtp", "host")
_SECURITY_KEY = ("provider", "smtp", "security")
_SECURITY_REMEDY = "set `port` and `security` to the values that its operator recommends"


def judge_relay(sender: Sender, names: Names) -> RuleResult:
    """Run D6: connect to the mail server, start encryption, verify its certificate, and disconnect.

    Raise CannotRunError if the mail server cannot be reached.
    """
    relay = sender.relay
    if relay is None:
        return RuleResult(rule="D6", found=f"email is sent to {sender.carrier_name} over HTTPS")
    if relay.security == "none":
        return RuleResult(rule="D6", found="the mail server is on this machine, so email crosses no network")
    where = f"{relay.host}:{relay.port}"
    if not is_private_literal(relay.host):
        names.addresses(relay.host)  # if the DNS does not answer, the system's own lookup would wait much longer
    try:
        _greet(relay)
    except NotOfferedError:
        what = f"the mail server {where} does not offer STARTTLS, so anyone along the way could read your email"
        return broken("D6", what, _SECURITY_REMEDY, _SECURITY_KEY)
    except ssl.SSLCertVerificationError as err:
        what = f"the certificate of the mail server {where} is not valid ({err.verify_message})"
        remedy = "set `host` to the name in the certificate, or ask the operator to renew the certificate"
        return broken("D6", what, remedy, _HOST_KEY)
    except ssl.SSLError:
        what = f"no encrypted connection to the mail server {where} is possible"
        return broken("D6", what, _SECURITY_REMEDY, _SECURITY_KEY)
    except (OSError, UnicodeError) as err:
        said = getattr(err, "strerror", None) or err
        what = f"the mail server {where} cannot be reached ({said})"
        raise CannotRunError(
            f"{what}; check your internet connection, and the `host` setting under [provider.smtp] in newsletter.toml"
        ) from err
    return RuleResult(rule="D6", found=f"the connection to {where} is encrypted, and its certificate is valid")


def _greet(relay: SmtpSettings) -> None:
    limits = SmtpLimits().within(relay.timeout_seconds).within(_GREETING_SECONDS)
    connect(relay.host, relay.port, relay.security, limits).quit()
