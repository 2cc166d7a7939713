"""Small validated values that several records share: addresses, links, colors, zones, languages, names."""

import re
from email.utils import parseaddr
from functools import cache
from typing import Annotated
from unicodedata import category, normalize
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict

from newsletter.errors import FaultError, Fix
from newsletter.model.slots import MERGE_TOKEN
from newsletter.model.typography import inside_curly_quotes, sign_that_turns

# Deliberately narrow: the addresses in common use. For all others, `email-validator` decides.
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
PLAIN_ADDRESS = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@(?:{_LABEL}\.)+[A-Za-z]{{2,63}}")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\u0085\u2028\u2029]")
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_NO_PLACES = frozenset({"Factory", "localtime", "posixrules"})
_IN_NAMES = frozenset("._-\u200c\u200d")  # the last two join or separate letters in some scripts
_LONGEST_NAME = 200  # bytes; file systems allow 255, and an ending may follow
_LINK_SCHEMES = frozenset({"https", "http", "mailto", "tel"})


def _matching(pattern: str, what: str, remedy: str) -> AfterValidator:
    """Return a validator that requires the whole text to match. `what` completes “… is not”."""

    def check(value: str) -> str:
        refuse_curly_quotes(value)
        if not re.fullmatch(pattern, value):
            raise FaultError(f"{value!r} is not {what}", remedy)
        return value

    return AfterValidator(check)


def refuse_curly_quotes(value: str) -> None:
    """Raise FaultError for a value in curly quotes, which word processors put in place of straight quotes."""
    if (inside := inside_curly_quotes(value.strip())) is not None:
        fix = Fix(old=value.strip(), new=f'"{inside}"')
        raise FaultError(f"the curly quotes in {value} do not count as quotes", f'write "{inside}"', fix=fix)


def _email(value: str) -> str:
    if len(value) > 320 or not PLAIN_ADDRESS.fullmatch(value):
        raise FaultError(f"{value!r} is not an email address", "write it as name@example.org")
    return value


def _mailbox(value: str) -> str:
    _, address = parseaddr(value)
    if len(address) > 320 or not PLAIN_ADDRESS.fullmatch(address):
        raise FaultError(f"{value!r} is not a name with an address", "write it as Ana Lima <ana@example.org>")
    return _one_line(value)


class LinkAddress(str):
    """The address of a link. Its type distinguishes it from the other strings of a record."""

    __slots__ = ()


def _link(value: str) -> LinkAddress:
    refuse_curly_quotes(value)
    if MERGE_TOKEN.fullmatch(value.strip()):
        return LinkAddress(value.strip())  # a merge field that is a whole address
    if "&amp;" in value:
        plain = value.replace("&amp;", "&")
        fix = Fix(old=value, new=plain)
        raise FaultError(f"{value!r} contains the HTML entity &amp;", f"write {plain}", fix=fix)
    parts = urlsplit(value)
    if parts.scheme not in _LINK_SCHEMES or not (parts.netloc or parts.scheme in {"mailto", "tel"}):
        remedy = "write it with https:// in front, or mailto: for an email address"
        raise FaultError(f"{value!r} is not a complete link", remedy)
    if _CONTROL.search(value) or " " in value:
        raise FaultError(f"{value!r} contains a space or a control character", "write %20 for a space")
    return LinkAddress(value)


def _web_address(value: str) -> str:
    if urlsplit(_link(value)).scheme != "https":
        raise FaultError(f"{value!r} is not secure", "write it with https:// in front")
    if not value.isascii():
        remedy = "write it with only the letters a to z, as browsers do"
        raise FaultError(f"{value!r} cannot be used in an email's header", remedy)
    return value.rstrip("/")


def _feed_address(value: str) -> str:
    """Return the address of a feed or calendar. `webcal:` is how calendars are often given, and means https."""
    _, is_webcal, rest = value.strip().partition("webcal://")
    address = f"https://{rest}" if is_webcal else value.strip()
    if not re.match(r"https?://", address) or MERGE_TOKEN.search(address):
        raise FaultError(f"{value!r} is not a web address", "write the whole address, with https:// in front")
    return str(_link(address))


def file_name(value: str) -> str:
    """Return a name for a file or folder in one spelling (NFC), without its ending. The name may be in any script.

    Raise FaultError if it contains anything but letters, digits, dots, dashes and underscores, or is too long.
    """
    refuse_curly_quotes(value)
    name = normalize("NFC", value)
    kinds = [category(sign)[0] for sign in name]
    if (
        not kinds
        or kinds[0] not in "LN"
        or any(kind not in "LMN" and sign not in _IN_NAMES for kind, sign in zip(kinds, name, strict=True))
    ):
        raise FaultError(f"{value!r} is not a name", "use letters, digits, dots, dashes and underscores")
    if len(name.encode()) > _LONGEST_NAME:
        raise FaultError(f"the name {name[:20]}… is too long for a file", "choose one of at most 60 letters")
    return name


def _time_zone(value: str) -> str:
    refuse_curly_quotes(value)
    try:
        # The database also has names that are no places, and two more spellings of each zone.
        if value not in _NO_PLACES and not value.startswith(("posix/", "right/")):
            ZoneInfo(value)
            return value
    except (ZoneInfoNotFoundError, ValueError, OSError):
        pass
    similar = _similar_zone(value)
    remedy = (
        f"write {similar}" if similar else "write a continent and a city, such as America/Los_Angeles or Europe/Paris"
    )
    fix = Fix(old=value, new=similar) if similar else None
    raise FaultError(f"{value!r} is not a time zone", remedy, fix=fix)


def _similar_zone(value: str) -> str | None:
    """Return the zone of which a name is another spelling, or whose city it is."""
    return _zones_by_letters().get(_letters(value))


@cache
def _zones_by_letters() -> dict[str, str]:
    names = sorted(available_timezones() - _NO_PLACES)
    cities = {_letters(name.rpartition("/")[2]): name for name in names if "/" in name}
    return {**cities, **{_letters(name): name for name in names}}


def _letters(name: str) -> str:
    return "".join(sign for sign in name if sign.isalnum()).casefold()


def _one_line(value: str) -> str:
    text = value.strip()
    if _CONTROL.search(text) or "\n" in text:
        raise FaultError("the text contains a line break or another control character", "write it on one line")
    if (sign := sign_that_turns(text)) or (sign := _LONE_SURROGATE.search(text)):
        why = "is half of a character" if sign[0] >= "\ud800" else "turns the order of the letters around"
        raise FaultError(f"an invisible character (U+{ord(sign[0]):04X}) {why}", "delete the text, and type it again")
    if not text:
        raise FaultError("the text is empty", "write some text")
    return text


Color = Annotated[str, _matching(r"#[0-9A-Fa-f]{6}", "a color", "write six hexadecimal digits, for example #9C3353")]
EmailAddress = Annotated[str, AfterValidator(_email)]
Mailbox = Annotated[str, AfterValidator(_mailbox)]  # `Ana Lima <ana@example.org>`, or only an address
Link = Annotated[str, AfterValidator(_link)]  # https, http, mailto or tel
FeedAddress = Annotated[str, AfterValidator(_feed_address)]  # https or http; `webcal:` becomes https
WebAddress = Annotated[str, AfterValidator(_web_address)]  # https, without a slash at the end
TimeZone = Annotated[str, AfterValidator(_time_zone)]
_LANGUAGE = r"[a-z]{2,3}(?:-[A-Z][a-z]{3})?(?:-(?:[A-Z]{2}|[0-9]{3}))?"  # BCP 47
Language = Annotated[str, _matching(_LANGUAGE, "a language", "write a code such as en, es or pt-BR")]


def is_language(code: str) -> bool:
    """Return whether a text is the code of a language, such as `en` or `pt-BR`."""
    return re.fullmatch(_LANGUAGE, code) is not None


_SLUG = _matching(r"[A-Za-z0-9][A-Za-z0-9._-]*", "a name", "use letters, digits, dots, dashes and underscores")
Slug = Annotated[str, _SLUG]
FileName = Annotated[str, AfterValidator(file_name)]  # of a section or an item, without its ending
OneLine = Annotated[str, AfterValidator(_one_line)]
_RULE_ID = _matching(r"[A-Z]{1,2}\d{1,3}", "the code of a check", "write one from `newsletter check`, for example S16")
RuleId = Annotated[str, _RULE_ID]


class Fields(BaseModel):
    """The keys that a user may write in `newsletter.toml` or in an issue's files. Any other key is a mistake."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)
