"""D2: DKIM, the signature of each email, and the public key that verifies it (RFC 6376)."""

import base64
import binascii
from collections.abc import Iterator

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key
from msgspec import Struct

from newsletter.checks.network.dmarc import signing_domains
from newsletter.checks.network.names import Names
from newsletter.checks.network.sender import RuleResult, Sender, SenderProblem
from newsletter.errors import CannotRunError
from newsletter.model.diagnosis import DnsRecord
from newsletter.model.finding import Severity

RULE = "D2"
_FEWEST_BITS, _WANTED_BITS = 1024, 2048
_ED25519_BYTES = 32
_KEY = ("authentication", "dkim_selectors")
_PROVIDER_KEY = ("provider", "use")
_NEW_KEY = "create a new 2048-bit key at {carrier}, and publish it"


class DkimSignature(Struct, frozen=True, kw_only=True):
    """The result of the check, and the domain that emails are signed for."""

    judgment: RuleResult
    domain: str | None  # None if no key was found


def judge_dkim(sender: Sender, names: Names) -> DkimSignature:
    """Check the key of each selector, at the sender's domain or at the registered domain above it.

    Raise CannotRunError if the DNS does not answer, or if the selectors are not known.
    """
    if not sender.selectors:
        raise CannotRunError(
            f"the DKIM selectors (key names) of {sender.carrier_name} are not known; "
            "set dkim_selectors under [authentication] in newsletter.toml"
        )
    domain, keys = _keys(sender, names)
    problems = [
        problem for selector in sender.selectors for problem in _problems(sender, domain, selector, keys[selector])
    ]
    is_published = any(keys.values())
    shown = ", ".join(f"{selector}._domainkey" for selector in sender.selectors)
    judgment = RuleResult(rule=RULE, problems=tuple(problems), found=f"{domain} publishes its DKIM keys at {shown}")
    return DkimSignature(judgment=judgment, domain=domain if is_published else None)


def _keys(sender: Sender, names: Names) -> tuple[str, dict[str, tuple[str, ...]]]:
    """Return the domain that has keys, and the TXT records of each selector.

    If no domain has keys, return the first one that was tried.
    """
    found = {}
    for domain in signing_domains(sender):
        found[domain] = {selector: names.texts(_name(selector, domain)) for selector in sender.selectors}
        if any(found[domain].values()):
            return domain, found[domain]
    return next(iter(found.items()))


def _problems(sender: Sender, domain: str, selector: str, texts: tuple[str, ...]) -> Iterator[SenderProblem]:
    """Yield the problem with the key of a selector, if there is one."""
    trouble = next(_troubles(_name(selector, domain), texts), None)
    if trouble is not None:
        severity, what, remedy = trouble
        yield SenderProblem(
            severity=severity,
            what=what,
            remedy=remedy.format(carrier=sender.carrier_name),
            key=_PROVIDER_KEY if sender.carrier and sender.selectors == sender.carrier.selectors else _KEY,
            records=(_record(sender, selector, domain),),
        )


def _troubles(name: str, texts: tuple[str, ...]) -> Iterator[tuple[Severity, str, str]]:
    """Yield the reasons why receivers reject or distrust a key, worst first. Remedies may contain {carrier}."""
    if not texts:
        what = f"the DKIM key {name} is not published, so the signature of each email proves nothing"
        yield Severity.ERROR, what, "publish this record"
        return
    tags = _tags(texts[0])
    if len(texts) > 1 or "p" not in tags or tags.get("v", "DKIM1") != "DKIM1":
        what = f"{name} contains {'several records' if len(texts) > 1 else 'no DKIM key'}, so receivers cannot use it"
        yield Severity.ERROR, what, "keep only this record"
        return
    if not tags["p"]:
        yield Severity.ERROR, f"the DKIM key {name} is revoked: its p= is empty", _NEW_KEY
    bits = _bits(tags)
    if bits is None:
        what = f"the DKIM key {name} cannot be read, perhaps because part of it was lost when it was copied"
        yield Severity.ERROR, what, "copy it again, and publish it"
    elif bits < _FEWEST_BITS:
        yield Severity.ERROR, f"the DKIM key {name} has only {bits} bits, so receivers reject it", _NEW_KEY
    elif bits < _WANTED_BITS:
        what = f"the DKIM key {name} has {bits} bits, but receivers now ask for {_WANTED_BITS}"
        yield Severity.WARNING, what, _NEW_KEY
    if "y" in tags.get("t", "").split(":"):
        what = f"the DKIM key {name} contains t=y (testing), so receivers treat the email as unsigned"
        yield Severity.WARNING, what, "remove t=y from it"


def _bits(tags: dict[str, str]) -> int | None:
    """Return the size of a key in bits, or None if it is not a valid key.

    Ed25519 keys have only one size, which is secure enough.
    """
    try:
        content = base64.b64decode("".join(tags["p"].split()), validate=True)
        if tags.get("k", "rsa") == "ed25519":
            return _WANTED_BITS if len(content) == _ED25519_BYTES else None
        key = load_der_public_key(content)
    except (binascii.Error, ValueError, UnsupportedAlgorithm):
        return None
    return key.key_size if isinstance(key, RSAPublicKey) else None


def _tags(text: str) -> dict[str, str]:
    """Return the `tag=value` pairs of a record (RFC 6376, section 3.2)."""
    pairs = (part.split("=", 1) for part in text.split(";") if "=" in part)
    return {name.strip(): value.strip() for name, value in pairs}


def _record(sender: Sender, selector: str, domain: str) -> DnsRecord:
    """Return the record to publish: the one that the provider gave, else one of the usual form."""
    name = _name(selector, domain)
    if (told := sender.told(name)) is not None:
        return told
    if sender.carrier is not None and sender.carrier.dkim_alias:
        return DnsRecord(name=name, type="CNAME", value=sender.carrier.dkim_alias.format(selector=selector))
    value = f"v=DKIM1; k=rsa; p=<the public key that {sender.carrier_name} shows>"
    return DnsRecord(name=name, type="TXT", value=value)


def _name(selector: str, domain: str) -> str:
    return f"{selector}._domainkey.{domain}"
