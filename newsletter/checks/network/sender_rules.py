"""The rules about the domain that sends, D1 to D6, judged one after the other with what each finds."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import checkdmarc.utils

from newsletter.checks.base import Circumstances, Evidence, Fault, Probed
from newsletter.checks.network import alignment, dkim, dmarc, mail_hosts, relay, spf
from newsletter.checks.network.dkim import Signature
from newsletter.checks.network.dmarc import Policy
from newsletter.checks.network.names import Names
from newsletter.checks.network.sender import Judgement, Sender, SenderFault, sender_of, why_mail_stays
from newsletter.errors import CannotRunError
from newsletter.model.finding import NotRun

SENDER_RULES = (spf.RULE, dkim.RULE, dmarc.RULE, alignment.RULE, mail_hosts.RULE, relay.RULE)
Outcome = TypeVar("Outcome", Judgement, Signature, Policy)

logging.getLogger("checkdmarc").setLevel(logging.CRITICAL)  # what it has to say, it also returns


@dataclass(frozen=True, slots=True, kw_only=True)
class SenderVerdict:
    """A judgement for each rule, and what the domain asks of receivers."""

    judgements: tuple[Judgement, ...]
    policy: str  # DMARC's: none, quarantine or reject


def examine_sender(evidence: Evidence, _: Circumstances) -> Probed:
    """Judges D1 to D6."""
    config = evidence.subject.config
    if stays := why_mail_stays(config.settings):
        raise CannotRunError(stays)
    names = Names(config.settings.authentication.nameserver_addresses)
    judgements = judge_sender(sender_of(config), names).judgements
    return Probed(
        faults=tuple((judged.rule, _fault(evidence, fault)) for judged in judgements for fault in judged.faults),
        not_run=tuple(NotRun(rule=judged.rule, why=judged.not_judged) for judged in judgements if judged.not_judged),
    )


def judge_sender(sender: Sender, names: Names) -> SenderVerdict:
    """Judges all rules; one that cannot be judged says why, and holds up no other."""
    checkdmarc.utils.DNS_CACHE.clear()  # it knows nothing of name servers, and keeps answers for half an hour
    signature = _judged(names, lambda: dkim.judge_dkim(sender, names))
    policy = _judged(names, lambda: dmarc.judge_dmarc(sender, names))
    outcomes = {
        spf.RULE: _judged(names, lambda: spf.judge_spf(sender, names)),
        dkim.RULE: signature.judgement if isinstance(signature, Signature) else signature,
        dmarc.RULE: policy.judgement if isinstance(policy, Policy) else policy,
        alignment.RULE: _judged(names, lambda: _alignment(sender, signature, policy)),
        mail_hosts.RULE: _judged(names, lambda: mail_hosts.judge_mail_hosts(sender, names)),
        relay.RULE: _judged(names, lambda: relay.judge_relay(sender, names)),
    }
    judgements = tuple(
        outcome if isinstance(outcome, Judgement) else Judgement(rule=rule, not_judged=str(outcome))
        for rule, outcome in outcomes.items()
    )
    return SenderVerdict(judgements=judgements, policy=policy.asks if isinstance(policy, Policy) else "none")


def _alignment(sender: Sender, signature: Signature | CannotRunError, policy: Policy | CannotRunError) -> Judgement:
    """D4, by how strict the domain's policy asks it to be; where that could not be read, only what holds either way.

    Raises CannotRunError where nothing holds either way.
    """

    def judge(*, dkim_is_strict: bool, spf_is_strict: bool) -> Judgement:
        return alignment.judge_alignment(
            sender,
            signed_by=signature.domain if isinstance(signature, Signature) else sender.dkim_domain,
            is_signature_known=isinstance(signature, Signature) or sender.dkim_domain is not None,
            dkim_is_strict=dkim_is_strict,
            spf_is_strict=spf_is_strict,
        )

    if isinstance(policy, Policy):
        return judge(dkim_is_strict=policy.dkim_is_strict, spf_is_strict=policy.spf_is_strict)
    strict, relaxed = (judge(dkim_is_strict=each, spf_is_strict=each) for each in (True, False))
    if bool(strict.faults) != bool(relaxed.faults):
        raise CannotRunError("it is not known how strict the domain asks it to be; see D3")
    return strict


def _judged(names: Names, judge: Callable[[], Outcome]) -> Outcome | CannotRunError:
    names.forget_unanswered()
    try:
        return judge()
    except CannotRunError as err:
        return err


def _fault(evidence: Evidence, fault: SenderFault) -> Fault:
    place = evidence.config_place(*fault.key)
    return Fault(severity=fault.severity, place=place, what=fault.what, remedy=fault.advice)
