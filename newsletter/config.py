"""`newsletter.toml`, read once into a frozen `Config`.

Secrets are not part of it: they come from the environment alone, read by the provider that needs them.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parseaddr
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from newsletter.errors import InputError, Mistake, MistakesError
from newsletter.model.mistakes import Location, mistakes_of
from newsletter.model.values import Colour, EmailAddress, Language, Link, Mailbox, OneLine, Slug, TimeZone, WebAddress

CONFIG_FILE = "newsletter.toml"
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class Part(BaseModel):
    """A table of `newsletter.toml`: unknown keys are mistakes."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class Identity(Part):
    """`[newsletter]`: who writes, to whom answers go, what the law asks to be said."""

    name: OneLine = Field(description="the newsletter's name, as it stands above each issue")
    organisation: OneLine = Field(description="who publishes it")
    from_: Mailbox = Field(alias="from", description="the sender: Name <address>")
    reply_to: EmailAddress | None = None
    address: OneLine = Field(description="the postal address, required by law in every mail")
    website: WebAddress
    reason: OneLine = Field(description="one sentence: why a reader gets this mail")
    language: Language = "en"
    timezone: TimeZone
    list_id: Slug | None = Field(
        default=None, description="a dotted name that mail programs know the list by (RFC 2919)"
    )

    @property
    def from_name(self) -> str:
        """The sender's display name; the newsletter's name where the mailbox has none."""
        return parseaddr(self.from_)[0] or self.name

    @property
    def from_email(self) -> str:
        """The sender's bare address."""
        return parseaddr(self.from_)[1]


class SocialLink(Part):
    """`[[brand.social]]`: a place elsewhere, shown as a word in the footer."""

    name: OneLine
    url: WebAddress


class Palette(Part):
    """`[brand.light]` and `[brand.dark]`: the eight colours of the theme."""

    outside: Colour
    inside: Colour
    ink: Colour
    quiet: Colour
    accent: Colour
    on_accent: Colour
    wash: Colour
    hairline: Colour


class LightPalette(Palette):
    """Paper, ink and one warm accent."""

    outside: Colour = "#FBF7F1"
    inside: Colour = "#FFFFFF"
    ink: Colour = "#2A2724"
    quiet: Colour = "#5E5850"
    accent: Colour = "#9C3353"
    on_accent: Colour = "#FFFFFF"
    wash: Colour = "#F6ECE6"
    hairline: Colour = "#E8DFD4"


class DarkPalette(Palette):
    """The same voice at night."""

    outside: Colour = "#161413"
    inside: Colour = "#1F1C1A"
    ink: Colour = "#EEE7DF"
    quiet: Colour = "#B9AFA4"
    accent: Colour = "#F2A7BA"
    on_accent: Colour = "#2A0F18"
    wash: Colour = "#2A2522"
    hairline: Colour = "#3A332E"


class Brand(Part):
    """`[brand]`: logo, fonts, colours and links of the look."""

    logo: OneLine | None = Field(default=None, description="a picture in the workspace, for a light ground")
    logo_dark: OneLine | None = Field(default=None, description="the same for a dark ground")
    logo_width: int = Field(default=72, ge=16, le=536, description="in pixels, as shown")
    heading_font: OneLine = "Georgia, 'Iowan Old Style', 'Palatino Linotype', Palatino, 'Times New Roman', serif"
    body_font: OneLine = "-apple-system, BlinkMacSystemFont, 'Segoe UI', Roboto, Helvetica, Arial, sans-serif"
    light: LightPalette = LightPalette()
    dark: DarkPalette = DarkPalette()
    social: tuple[SocialLink, ...] = ()


class Service(Part):
    """`[service]`: where the pages for subscribers are reached."""

    url: WebAddress = Field(description="unsubscribe links begin with it")

    @field_validator("url")
    @classmethod
    def _plain(cls, value: str) -> str:
        # What is made of these signs stands in HTML, text and headers as it is.
        if not re.fullmatch(r"[A-Za-z0-9:/._~%-]+", value):
            raise ValueError(f"{value!r} is more than a page's address; write it without ?, # and other signs")
        return value


class Archive(Part):
    """`[archive]`: where published issues and their pictures are hosted."""

    url: WebAddress


class OutboxSettings(Part):
    """`[provider.outbox]`: mail as files."""

    folder: OneLine = "outbox"


class SmtpSettings(Part):
    """`[provider.smtp]`: a relay; the password comes from NEWSLETTER_SMTP_PASSWORD."""

    host: OneLine
    port: int = Field(default=587, ge=1, le=65535)
    username: OneLine | None = None
    security: Literal["starttls", "tls", "none"] = "starttls"
    timeout_seconds: float = Field(default=30, gt=0)
    concurrency: int = Field(default=4, ge=1, le=64)

    @model_validator(mode="after")
    def _open_only_on_loopback(self) -> "SmtpSettings":
        if self.security == "none" and self.host not in _LOOPBACK:
            raise ValueError('mail would cross the network unencrypted; write security = "starttls" or "tls"')
        return self


class SendGridSettings(Part):
    """`[provider.sendgrid]`: the Web API; the key comes from SENDGRID_API_KEY."""

    region: Literal["global", "eu"] = "global"
    api_url: Link | None = Field(default=None, description="another server that speaks the same API")
    timeout_seconds: float = Field(default=30, gt=0)
    concurrency: int = Field(default=4, ge=1, le=64)
    sandbox: bool = Field(default=False, description="have requests validated, and nothing sent")

    @field_validator("api_url")
    @classmethod
    def _key_only_over_tls(cls, value: str | None) -> str | None:
        if value is None:
            return None
        parts = urlsplit(value)
        if parts.scheme != "https" and parts.hostname not in _LOOPBACK:
            raise ValueError("the key would cross the network unencrypted; write the address with https:// in front")
        return value.rstrip("/")


class ProviderSettings(Part):
    """`[provider]`: what carries the mail, and the settings of each."""

    use: Literal["outbox", "smtp", "sendgrid"] = "outbox"
    outbox: OutboxSettings = OutboxSettings()
    smtp: SmtpSettings | None = None
    sendgrid: SendGridSettings = SendGridSettings()

    @model_validator(mode="after")
    def _smtp_has_a_host(self) -> "ProviderSettings":
        if self.use == "smtp" and self.smtp is None:
            raise ValueError("smtp has no settings; add a table [provider.smtp] with at least host")
        return self


class DatabaseSettings(Part):
    """`[database]`: where the audience and the ledger are kept."""

    url: OneLine = "sqlite:///newsletter.db"

    @field_validator("url")
    @classmethod
    def _is_sqlite(cls, value: str) -> str:
        if not value.startswith("sqlite:///") or value == "sqlite:///":
            raise ValueError(f"{value!r} is not a database; write it as sqlite:///newsletter.db")
        return value


class Settings(Part):
    """All of `newsletter.toml`."""

    newsletter: Identity
    brand: Brand = Brand()
    service: Service
    archive: Archive | None = None
    segments: Mapping[Slug, OneLine] = Field(default={}, description="name = boolean expression")
    reviewers: Mapping[Slug, tuple[Mailbox, ...]] = Field(default={}, description="name = mailboxes")
    provider: ProviderSettings = ProviderSettings()
    database: DatabaseSettings = DatabaseSettings()


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """The settings, and the workspace folder that they were read from."""

    root: Path
    settings: Settings

    @property
    def database_path(self) -> Path:
        """The SQLite file, relative to the workspace unless given absolutely."""
        return self.root / self.settings.database.url.removeprefix("sqlite:///")

    def shown(self, path: Path) -> str:
        """The path as the user would type it: relative to the workspace where it is inside."""
        return str(path.relative_to(self.root)) if path.is_relative_to(self.root) else str(path)


def find_workspace(start: Path) -> Path:
    """The nearest folder, from `start` upwards, that holds a `newsletter.toml`.

    Raises InputError where there is none.
    """
    for folder in (start, *start.parents):
        if (folder / CONFIG_FILE).is_file():
            return folder
    raise InputError(
        f"there is no {CONFIG_FILE} in {start} or above it; go to your workspace, or make one with `newsletter init`"
    )


def load_config(root: Path) -> Config:
    """Reads `newsletter.toml` of a workspace.

    Raises MistakesError with every mistake in it, InputError where it cannot be read.
    """
    path = root / CONFIG_FILE
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as err:
        raise MistakesError(
            [Mistake(path=CONFIG_FILE, what="is not UTF-8 text", remedy="save it with the encoding UTF-8")]
        ) from err
    except OSError as err:
        raise InputError(f"{path}: cannot be read ({err.strerror}); check its permissions") from err
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as err:
        raise MistakesError([_syntax_mistake(err)]) from err
    try:
        settings = Settings.model_validate(data)
    except ValidationError as err:
        mistakes = mistakes_of(err, model=Settings, path=CONFIG_FILE, line_of=lambda location: _line_of(text, location))
        raise MistakesError(mistakes) from err
    return Config(root=root, settings=settings)


def _syntax_mistake(error: tomllib.TOMLDecodeError) -> Mistake:
    match = re.search(r"^(?P<what>.*?) \(at line (?P<line>\d+)", str(error))
    what = match["what"] if match else str(error)
    return Mistake(
        path=CONFIG_FILE,
        line=int(match["line"]) if match else None,
        what=f"not valid TOML: {what[:1].lower()}{what[1:]}",
        remedy="text stands in quotes, and each table name in [brackets] on a line of its own",
    )


def _line_of(text: str, location: Location) -> int | None:
    """The line of the deepest part of a key's location that can be found: `key =` inside its `[table]`."""
    words = [str(part) for part in location if isinstance(part, str)]
    table: list[str] = []
    best: tuple[int, int] | None = None
    for number, line in enumerate(text.splitlines(), start=1):
        if header := re.match(r"\s*\[+\s*([^\]]+?)\s*\]+", line):
            table = [word.strip().strip("\"'") for word in header[1].split(".")]
            here = table
        elif assignment := re.match(r"\s*([\w\"'.-]+)\s*=", line):
            here = table + [word.strip("\"'") for word in assignment[1].split(".")]
        else:
            continue
        if here == words[: len(here)] and (best is None or len(here) > best[0]):
            best = (len(here), number)
    return best[1] if best else None
