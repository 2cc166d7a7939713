"""A sound domain, pages for subscribers and a workspace that uses them, so that a test breaks one thing at a time."""

import base64
import ssl
from dataclasses import dataclass
from functools import cache
from random import Random

import trustme
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from newsletter.checks.base import Circumstances, Probed, Problem, read_context
from newsletter.checks.probes import PROBES
from newsletter.errors import CannotRunError
from newsletter.model.finding import NotRun, Place
from tests.checks.conftest import Workspace
from tests.fakes.name_server import NameServer
from tests.fakes.web_server import Page, WebServer

DOMAIN = "example.org"
SITES = "sites.example.net"  # the name of the server to which links lead
SENDGRID_ZONE = "u7.wl001.sendgrid.net"
ONE_CLICK_PATH = "/u/0-sample"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """All that the network rules ask."""

    names: NameServer
    pages: WebServer  # with TLS: the pages for subscribers
    sites: WebServer  # without: what links lead to
    workspace: Workspace
    circumstances: Circumstances

    def judged(self, rule: str) -> Probed:
        """What the probe of a rule finds."""
        (probe,) = (probe for probe in PROBES if rule in probe.rules)
        try:
            return probe.examine(read_context(self.workspace.subject()), self.circumstances)
        except CannotRunError as err:
            return Probed(not_run=tuple(NotRun(rule=each, why=str(err)) for each in probe.rules))

    def faults(self, rule: str) -> list[Problem]:
        """All that breaks a rule."""
        return [fault for broken, fault in self.judged(rule).problems if broken == rule]

    def not_run(self, rule: str) -> list[str]:
        """Why a rule, or a part of it, was not judged."""
        return [left_out.why for left_out in self.judged(rule).not_run if left_out.rule == rule]

    def authenticate(self, *lines: str) -> None:
        """Adds keys to `[authentication]`, whose first one stands on line 22."""
        self.workspace.edit("toml", "[authentication]\n", "\n".join(["[authentication]", *lines, ""]))

    def send_by(self, *lines: str) -> None:
        """Sends by a relay instead, with these keys of `[provider.smtp]`."""
        table = "\n".join(['use = "smtp"', "", "[provider.smtp]", *lines])
        self.workspace.edit("toml", 'use = "sendgrid"', table)

    @property
    def site_url(self) -> str:
        """The address of `sites`, by a name that the tests treat as public."""
        return f"http://{SITES}:{self.sites.port}"

    def link_to(self, address: str) -> None:
        """Has the letter link to an address, on line 10."""
        self.workspace.edit("letter", "https://example.org/study", address)


def shown(place: Place) -> str:
    """A place, with the folder of the issue left out."""
    return str(place).removeprefix("issues/2026-03/")


def publish_sound_zone(names: NameServer) -> None:
    """A domain that is authenticated with SendGrid, as its operator asks."""
    names.put(DOMAIN, "TXT", "some-verification=1", "v=spf1 include:sendgrid.net ~all")
    names.put(DOMAIN, "MX", "10 mx.example.org.")
    names.put(DOMAIN, "A", "10.0.0.1")
    names.put(f"_dmarc.{DOMAIN}", "TXT", "v=DMARC1; p=none; rua=mailto:dmarc@example.org")
    names.put("sendgrid.net", "TXT", "v=spf1 ip4:192.0.2.0/24 ~all")
    for selector in ("s1", "s2"):
        names.put(f"{selector}._domainkey.{DOMAIN}", "CNAME", f"{selector}.domainkey.{SENDGRID_ZONE}.")
        names.put(f"{selector}.domainkey.{SENDGRID_ZONE}", "TXT", rsa_key_record(2048))


def sound_pages(tls: ssl.SSLContext) -> WebServer:
    """Pages from which people can leave by one click."""
    return WebServer(tls=tls, pages={ONE_CLICK_PATH: Page(status=200)})


@cache
def authority() -> trustme.CA:
    """Whom the tests trust."""
    return trustme.CA()


@cache
def rsa_key_record(bits: int) -> str:
    """A DKIM record with a key of this size. No one has the private key."""
    modulus = Random(bits).getrandbits(bits) | 1 << (bits - 1) | 1
    key = rsa.RSAPublicNumbers(e=65537, n=modulus).public_key()
    return f"v=DKIM1; k=rsa; p={_encoded(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))}"


@cache
def ed25519_key_record() -> str:
    """A DKIM record with a key of the other kind."""
    key = ed25519.Ed25519PrivateKey.generate().public_key()
    return f"v=DKIM1; k=ed25519; p={_encoded(key.public_bytes(Encoding.Raw, PublicFormat.Raw))}"


def server_context(*names: str) -> ssl.SSLContext:
    """A certificate for these names, by the authority that the tests trust."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority().issue_cert(*names).configure_cert(context)
    return context


def _encoded(content: bytes) -> str:
    return base64.b64encode(content).decode()
