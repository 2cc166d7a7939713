"""What is wrong with the address of a link, as far as its text shows."""

import re
from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from linkify_it.tlds import TLDS

from newsletter.model.slots import MERGE_TOKEN
from newsletter.model.values import PLAIN_ADDRESS
from newsletter.model.web_address import host_of_address
from newsletter.system.hosts import host_of, is_local, literal_address

# The endings of host names that exist (IANA), with the reserved one for examples (RFC 2606).
_ENDINGS = frozenset({*map(str.lower, TLDS), "example"})
_WEB = frozenset({"http", "https"})
_TWICE = re.compile(r"https?:?/+(?:https?|mailto|tel)(?::|/)", re.IGNORECASE)
_LABEL = re.compile(r"[^\W_](?:[\w-]*[^\W_])?")
_DIGITS = re.compile(r"[0-9+().\-\s/]+")
# Names and ports of copies of a website that are made for testing. They often need a password, or are gone tomorrow.
_TRIAL_NAMES = frozenset(
    {"staging", "stg", "preprod", "uat", "qa", "test", "testing", "dev", "develop", "sandbox"}
    | {"preview", "drafts", "intranet", "internal", "cms", "admin"}
)
_TUNNELS = ("ngrok.io", "ngrok.app", "ngrok-free.app", "trycloudflare.com", "loca.lt", "localtunnel.me", "serveo.net")
_TRIAL_PORTS = frozenset({1313, 3000, 4000, 4321, 5000, 5173, 5500, 8000, 8080, 8888})
_EDITORS = re.compile(
    r"/wp-admin/|/admin/|//mail\.google\.com/|//outlook\.(?:office|live)\.com/mail|\.sharepoint\.com/|/my-drive\b"
    r"|/wp-login\.php|[?&](?:preview|elementor-preview|preview_id)=|//(?:docs\.google|www\.canva)\.com/\S+/edit\b"
    r"|//(?:app|mc|login)\.(?:sendgrid|hubspot|klaviyo|mailchimp|convertkit|kit)\.com/|//webmail\.|/publish/post/\d",
    re.IGNORECASE,
)
_UNFILLED = frozenset(
    {"tbd", "tbc", "placeholder", "changeme", "insert-link", "insert-link-here", "link-here", "your-link", "insert-url"}
)
# Parameters that email programs and advertisers add to the links of one person, who would be followed everywhere.
_PERSONAL = frozenset(
    {
        "fbclid",
        "gclid",
        "dclid",
        "wbraid",
        "gbraid",
        "msclkid",
        "yclid",
        "ttclid",
        "twclid",
        "li_fat_id",
        "igshid",
        "igsh",
    }
    | {"mc_eid", "_hsenc", "_hsmi", "mkt_tok", "vero_id", "oly_enc_id", "oly_anon_id", "ck_subscriber_id", "_kx"}
    | {"bsft_uid", "rb_clickid", "phpsessid", "jsessionid"}
)
_PUBLIC = "write the address of the page on your public website"
_WHOLE = "write the address of the page, as your browser shows it"


def site_of(address: str) -> str:
    """Return the host of an address in the form that the DNS knows, without `www.`, or an empty string."""
    return host_of_address(address if "://" in address else f"https://{address}").removesuffix(".").removeprefix("www.")


def has_known_ending(host: str) -> bool:
    """Return whether a host name ends as names on the internet do."""
    return host.removesuffix(".").rpartition(".")[2] in _ENDINGS


@lru_cache(maxsize=4096)
def flaw_of(address: str) -> tuple[str, str] | None:
    """Return why no reader can follow an address, and what to do, or None if nothing is wrong with it."""
    with suppress(ValueError):
        parts = urlsplit(address)
        if parts.scheme in _WEB:
            return next(_flaws_of_page(address, parts), None)
        if parts.scheme == "mailto":
            return _flaw_of_mailto(address, parts)
        if parts.scheme in {"tel", "sms"}:
            return _flaw_of_number(address, parts)
    return None


@lru_cache(maxsize=4096)
def trial_of(address: str) -> str | None:
    """Return why an address looks like a page that is not for readers, or None."""
    with suppress(ValueError):
        parts = urlsplit(address)
        if parts.scheme not in _WEB:
            return None
        host = host_of(address)
        first = host.split(".")[:-2]
        if any(name in _TRIAL_NAMES for label in first for name in label.split("-")):
            return "looks like a copy of the website that is made for testing"
        if host.endswith(_TUNNELS) or parts.port in _TRIAL_PORTS:
            return "leads to someone's own computer"
        if _EDITORS.search(address):
            return "leads to a page that only its authors or members see"
    return None


@lru_cache(maxsize=4096)
def personal_part_of(address: str) -> str | None:
    """Return the part of an address by which other programs recognize one person, such as `fbclid=…`, or None."""
    with suppress(ValueError):
        for part in urlsplit(address).query.split("&"):
            name, _, value = part.partition("=")
            if value and name.casefold() in _PERSONAL:
                return part
    return None


def _flaws_of_page(address: str, parts: SplitResult) -> Iterator[tuple[str, str]]:
    host = host_of(address)
    if _TWICE.match(address):
        yield f"the address {address} begins twice", "delete the first https://"
    if not host:
        yield f"the address {address} names no website", _WHOLE
    if not host or MERGE_TOKEN.search(host):
        return
    if parts.username is not None:
        yield f"the address {address} contains a user name or password", f"delete everything between // and {host}"
    if is_local(host):
        what = f"the address {address} exists only on your computer or in your network, so readers cannot reach it"
        yield what, _PUBLIC
    if literal_address(host) is not None:
        return
    if not all(_LABEL.fullmatch(label) for label in host.removesuffix(".").split(".")):
        yield f"the address {address} cannot exist, because of the name {host}", _WHOLE
    if not has_known_ending(host):
        ending = host.removesuffix(".").rpartition(".")[2]
        yield f"no address on the internet ends in .{ending}, as {host} does", _WHOLE
    segments = [*unquote(parts.path).casefold().split("/"), *host.split(".")[:-1]]
    if any(segment in _UNFILLED or re.fullmatch(r"x{3,}", segment) for segment in segments):
        yield f"the address {address} contains a placeholder", _WHOLE


def _flaw_of_mailto(address: str, parts: SplitResult) -> tuple[str, str] | None:
    """Return what is wrong with the recipients. Without any, an email app asks whom to write to (RFC 6068)."""
    recipients = [unquote(each).strip() for each in parts.path.split(",")]
    recipients += [value for key, value in parse_qsl(parts.query) if key.lower() == "to"]
    remedy = "write it as mailto:name@example.org"
    if not any(recipients) and not parts.query:
        return f"the address {address} names no one to write to", remedy
    for each in filter(None, recipients):
        if MERGE_TOKEN.search(each):
            continue
        if not PLAIN_ADDRESS.fullmatch(each) or not has_known_ending(each.rpartition("@")[2].lower()):
            return f"“{each}” is not an email address", remedy
    return None


def _flaw_of_number(address: str, parts: SplitResult) -> tuple[str, str] | None:
    number = unquote(parts.path).partition(";")[0]
    digits = re.sub(r"\D", "", number)
    remedy = "write it with the code of the country: tel:+353911234567"
    if MERGE_TOKEN.search(number):
        return None
    is_made_up = len(digits) >= 6 and (len(set(digits)) == 1 or digits in "01234567890123")
    if not _DIGITS.fullmatch(number) or not 3 <= len(digits) <= 15 or is_made_up:
        return f"the address {address} is not a telephone number", remedy
    return None
