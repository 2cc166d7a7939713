"""The questions about who sends the newsletter."""

from email.utils import formataddr, parseaddr
from urllib.parse import urlsplit

from msgspec.structs import replace

from newsletter.errors import FaultError
from newsletter.language.catalogue import spoken_languages
from newsletter.language.offered import own_name, zone_names
from newsletter.model.typography import has_ideographs
from newsletter.model.values import EmailAddress, Language, OneLine, TimeZone, WebAddress
from newsletter.system.zone_database import zone_of_machine
from newsletter.workflows.setup.asking import Option, SetupQuestion, checked, saving, setting
from newsletter.workflows.setup.settings_file import Changes
from newsletter.workflows.setup.situation import Situation

_FROM = ("newsletter", "from")
_ADDRESS = ("newsletter", "address")
_LEAST_WORDS = 4  # of a postal address: a street with its number, and a town with its postal code


def _domain(situation: Situation) -> str:
    return situation.sender.rpartition("@")[2]


def _sender_name(situation: Situation, text: str) -> Changes:
    name = checked(OneLine, text)
    return {_FROM: _mailbox(name, situation.config.settings.newsletter.from_email)}


def _sender(situation: Situation, text: str) -> Changes:
    typed_name, address = parseaddr(text) if "<" in text else ("", text)
    name = typed_name or situation.sender_name or situation.own("newsletter", "organization")
    return {_FROM: _mailbox(name, checked(EmailAddress, address))}


def _mailbox(name: str, address: str) -> str:
    """Return `Name <address>` as a person would write it: with quotes only where the standard needs them."""
    plain = f"{name} <{address}>"
    return plain if not name or parseaddr(plain) == (name, address) else formataddr((name, address))


def _website(_: Situation, text: str) -> Changes:
    return {("newsletter", "website"): web_address(text)}


def _pages(_: Situation, text: str) -> Changes:
    return {("service", "url"): web_address(text)}


def web_address(text: str) -> str:
    """Return a web address. One without https:// in front gets it. Raise FaultError if it is not one."""
    complete = text if "://" in text else f"https://{text}"
    return str(checked(WebAddress, complete))


def _reason(situation: Situation) -> str:
    name = situation.own("newsletter", "name")
    host = urlsplit(situation.own("newsletter", "website")).hostname or ""
    return f"You receive {name} because you signed up for it at {host.removeprefix('www.')}." if name and host else ""


SENDER_QUESTIONS: tuple[SetupQuestion, ...] = (
    setting("name", "The newsletter's name", "newsletter", "name", about="Shown above each issue.", type_=OneLine),
    setting(
        "organization",
        "The publisher",
        "newsletter",
        "organization",
        about="The organization or person who sends it, named at the foot of each email.",
        type_=OneLine,
        suggested=lambda situation: situation.own("newsletter", "name"),
    ),
    SetupQuestion(
        name="sender",
        asks="The address that emails come from",
        about="An address of your own domain that you can read, such as news@your-domain.",
        current=lambda situation: situation.sender,
        apply=saving(_sender),
    ),
    SetupQuestion(
        name="sender_name",
        asks="The sender's name in the inbox",
        current=lambda situation: situation.sender_name,
        suggested=lambda situation: situation.own("newsletter", "organization"),
        apply=saving(_sender_name),
    ),
    setting(
        "reply_to",
        "The address for replies",
        "newsletter",
        "reply_to",
        about="Without one, replies go to the sender.",
        type_=EmailAddress,
        suggested=lambda situation: situation.sender,
        is_optional=True,
    ),
    SetupQuestion(
        name="website",
        asks="Your website",
        current=lambda situation: situation.own("newsletter", "website"),
        suggested=lambda situation: f"https://www.{_domain(situation)}" if situation.sender else "",
        apply=saving(_website),
    ),
    SetupQuestion(
        name="pages",
        asks="Your subscribers' pages",
        about="The links in your emails begin with it. It leads to this program's service, or to pages of your own.",
        current=lambda situation: situation.own("service", "url"),
        suggested=lambda situation: f"https://news.{_domain(situation)}" if situation.sender else "",
        apply=saving(_pages),
    ),
    setting(
        "reason",
        "Why people receive it",
        "newsletter",
        "reason",
        about="One sentence at the foot of each email. It must be true.",
        type_=OneLine,
        suggested=_reason,
    ),
    replace(
        setting(
            "language",
            "The newsletter's language",
            "newsletter",
            "language",
            about="A code such as en, es or pt-BR.",
            type_=Language,
        ),
        choices=lambda: tuple(Option(value=code, label=own_name(code)) for code in spoken_languages()),
    ),
    replace(
        setting(
            "timezone",
            "Your time zone",
            "newsletter",
            "timezone",
            about="A continent and a city, such as Europe/Paris.",
            type_=TimeZone,
            suggested=lambda situation: zone_of_machine(situation.environ),
        ),
        choices=lambda: tuple(Option(value=zone, label=label) for zone, label in zone_names("en")),
        is_long=True,
    ),
)


def _address(_: Situation, text: str) -> Changes:
    """Return the change for the postal address. Raise FaultError if it can be no more than a street."""
    if len(text.split()) < _LEAST_WORDS and not has_ideographs(text):
        what = f"“{text}” is not a whole postal address"
        raise FaultError(what, "write the street or the post-office box, the town and the country, separated by commas")
    return {_ADDRESS: checked(OneLine, text, _ADDRESS)}


ADDRESS_QUESTIONS: tuple[SetupQuestion, ...] = (
    SetupQuestion(
        name="address",
        asks="Your postal address, on one line",
        about="The law requires it in every email, such as: 1 Example Street, 12345 Example Town, Portugal",
        current=lambda situation: situation.own(*_ADDRESS),
        apply=saving(_address),
    ),
)
