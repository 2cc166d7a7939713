"""The service, a real relay that takes its email, and what people do with both when they join."""

import email
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import default
from threading import Event
from urllib.parse import urlsplit

from newsletter.providers.registry import open_provider
from newsletter.workflows.send.carry_out import DoneBroadcast
from newsletter.workflows.send.deliver import Listener
from newsletter.workflows.send.run_due import run_due
from tests.providers.smtp_server import SmtpServer
from tests.web.public.conftest import Answer, ServedPages

QUIET = Listener(on_settled=lambda _: None, on_wait=lambda *_: None)
NEW = "new@example.org"
_LINK = re.compile(r"https://news\.example\.org(/\S+)")


Fields = Mapping[str, str | tuple[str, ...]]


@dataclass
class Joining:
    """People who join at a service, whose email a relay takes."""

    pages: ServedPages
    relay: SmtpServer
    logged: list[str] = field(default_factory=list)

    def ask(self, address: str, fields: Fields | None = None, **headers: str) -> Answer:
        """Open the form, wait as a person does, fill it in and send it."""
        page = self.pages.get("/join")
        self.pages.later(seconds=5)
        return self.send(page, {"email": address, **(fields or {})}, **headers)

    def send(self, page: Answer, fields: Fields, **headers: str) -> Answer:
        """Send the form of a page at once."""
        hidden = ("from", "stamp", "form", "language", "wording")
        filled: dict[str, str | tuple[str, ...]] = {**{name: page.value_of(name) for name in hidden}, **fields}
        pairs = [
            (name, each) for name, value in filled.items() for each in ((value,) if isinstance(value, str) else value)
        ]
        return self.pages.press("/join", pairs, **headers)

    def run(self) -> list[DoneBroadcast]:
        """Send what is due, as the timer does."""
        config = self.pages.config

        def log(words: str, /, **_: str | int | None) -> None:
            self.logged.append(words)

        return list(
            run_due(
                config,
                self.pages.database,
                lambda: open_provider(config, {}),
                listener=QUIET,
                new_stop=Event,
                clock=lambda: self.pages.now,
                log=log,
            )
        )

    def mails_to(self, address: str) -> list[EmailMessage]:
        """The emails that the relay took for someone, the oldest first."""
        taken = [mail for mail in self.relay.taken if mail.recipient == address]
        return [email.message_from_bytes(mail.content, _class=EmailMessage, policy=default) for mail in taken]

    def link_in(self, mail: EmailMessage, kind: str = "/join/") -> str:
        """The path of the link in the text of an email, as it was delivered."""
        return next(path for path in links_in(mail) if path.startswith(kind))

    def confirm(self, link: str, **headers: str) -> Answer:
        """Open a link, wait as a person does, and press the button."""
        page = self.pages.get(link)
        self.pages.later(seconds=4)
        return self.press(page, link, **headers)

    def press(self, page: Answer, link: str, **headers: str) -> Answer:
        """Press the button of a page at once."""
        fields = {name: page.value_of(name) for name in ("from", "stamp", "do")}
        return self.pages.press(link, fields, **headers)

    def join(self, address: str, fields: Fields | None = None, **headers: str) -> Answer:
        """Ask, read the email, and confirm."""
        self.ask(address, fields, **headers)
        self.run()
        return self.confirm(self.link_in(self.mails_to(address)[-1]), **headers)


def body_of(mail: EmailMessage, kind: str) -> str:
    """The text or the HTML of an email."""
    part = mail.get_body((kind,))
    assert part is not None
    return str(part.get_content())


def links_in(mail: EmailMessage) -> list[str]:
    """The paths of all links to the service in both parts of an email."""
    found = [urlsplit(match[0]).path for kind in ("plain", "html") for match in _LINK.finditer(body_of(mail, kind))]
    return [path.split('"')[0].split("<")[0] for path in found]
