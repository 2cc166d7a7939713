"""D2: DKIM, the signature under each mail, and the public key by which it is verified (RFC 6376)."""

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
_NEW_KEY = "have {carrier} make a new key of 2048 bits, and publish it"


class DkimSignature(Struct, frozen=True, kw_only=True):
    """What is known of the signature: the judgement, and the domain in whose name it is made."""

    judgement: RuleResult
    domain: str | None  # None where no key was found


def judge_dkim(sender: Sender, names: Names) -> DkimSignature:
    """Judge the key of each selector, at the sender's domain or at the organisation's above it.

    Raise CannotRunError where the DNS does not answer, or the selectors are not known.
    """
    if not sender.selectors:
        raise CannotRunError(
            f"under which names the DKIM keys of {sender.carrier_name} stand is not known; "
            "write them under [authentication] dkim_selectors"
        )
    domain, keys = _keys(sender, names)
    problems = [
        problem for selector in sender.selectors for problem in _problems(sender, domain, selector, keys[selector])
    ]
    is_published = any(keys.values())
    shown = ", ".join(f"{selector}._domainkey" for selector in sender.selectors)
    judgement = RuleResult(rule=RULE, problems=tuple(problems), found=f"{domain} publishes its DKIM keys at {shown}")
    return DkimSignature(judgement=judgement, domain=domain if is_published else None)


def _keys(sender: Sender, names: Names) -> tuple[str, dict[str, tuple[str, ...]]]:
    """The domain at which keys stand, and what stands under each selector; the first candidate where there is none."""
    found = {}
    for domain in signing_domains(sender):
        found[domain] = {selector: names.texts(_name(selector, domain)) for selector in sender.selectors}
        if any(found[domain].values()):
            return domain, found[domain]
    return next(iter(found.items()))


def _problems(sender: Sender, domain: str, selector: str, texts: tuple[str, ...]) -> Iterator[SenderProblem]:
    """Yield what is wrong with the key under a selector: one thing at most."""
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
    """Yield why receivers cannot verify by a key, or do not believe it, worst first; remedies may name {carrier}."""
    if not texts:
        what = f"the DKIM key {name} is not published, so the signature under each mail proves nothing"
        yield Severity.ERROR, what, "publish"
        return
    tags = _tags(texts[0])
    if len(texts) > 1 or "p" not in tags or tags.get("v", "DKIM1") != "DKIM1":
        what = f"{name} holds {'several records' if len(texts) > 1 else 'no DKIM key'}, and receivers cannot use it"
        yield Severity.ERROR, what, "leave only this"
        return
    if not tags["p"]:
        yield Severity.ERROR, f"the DKIM key {name} is withdrawn: its p= is empty", _NEW_KEY
    bits = _bits(tags)
    if bits is None:
        what = f"the DKIM key {name} cannot be read; it may have lost a part when it was copied"
        yield Severity.ERROR, what, "copy it once more, and publish"
    elif bits < _FEWEST_BITS:
        yield Severity.ERROR, f"the DKIM key {name} has {bits} bits, which receivers do not accept", _NEW_KEY
    elif bits < _WANTED_BITS:
        what = f"the DKIM key {name} has {bits} bits, and {_WANTED_BITS} are asked for today"
        yield Severity.WARNING, what, _NEW_KEY
    if "y" in tags.get("t", "").split(":"):
        what = f"the DKIM key {name} says t=y, only a test: receivers take the mail for unsigned"
        yield Severity.WARNING, what, "take t=y out of it"


def _bits(tags: dict[str, str]) -> int | None:
    """Return the size of a key; None where it is none. Ed25519 has one size, which is enough."""
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
    """Return what to publish: what the provider said, where it was asked, and else the form that it has."""
    name = _name(selector, domain)
    if (told := sender.told(name)) is not None:
        return told
    if sender.carrier is not None and sender.carrier.dkim_alias:
        return DnsRecord(name=name, type="CNAME", value=sender.carrier.dkim_alias.format(selector=selector))
    value = f"v=DKIM1; k=rsa; p=<the public key that {sender.carrier_name} shows>"
    return DnsRecord(name=name, type="TXT", value=value)


def _name(selector: str, domain: str) -> str:
    return f"{selector}._domainkey.{domain}"
