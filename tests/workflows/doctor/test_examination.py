"""What the doctor finds, of a workspace whose names, pages, relay and provider are all on loopback."""

import sqlite3
import ssl
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from newsletter.model.diagnosis import Diagnosis, DnsRecord, Health, HealthItem
from newsletter.model.finding import Means
from newsletter.workflows.doctor.examination import PARTS, diagnose
from tests.checks.network.surroundings import (
    DOMAIN,
    ONE_CLICK_PATH,
    authority,
    publish_sound_zone,
    server_context,
    sound_pages,
)
from tests.fakes.name_server import NameServer
from tests.fakes.sendgrid_api import Answer, SendGridApi
from tests.fakes.web_server import Page, WebServer
from tests.providers.smtp_server import PASSWORD, SmtpServer
from tests.store.empty_file import open_test_database
from tests.workspaces import CONFIG, write_workspace

KEY = "SG.the-key-of-the-tests"


@dataclass
class Around:
    """A workspace, and the servers that it depends on."""

    root: Path
    names: NameServer
    pages: WebServer
    api: SendGridApi
    environ: dict[str, str] = field(default_factory=lambda: {"SENDGRID_API_KEY": KEY})

    def write(self, provider: str, more: str = "") -> None:
        """Writes the settings, with this `[provider]`."""
        identity = CONFIG.replace("https://news.example.org", self.pages.url)
        authentication = f'[authentication]\nnameservers = ["{self.names.place}"]\n{more}'
        write_workspace(self.root, {"newsletter.toml": f"{identity}\n{provider}\n{authentication}\n"})

    def write_sendgrid(self, more: str = "") -> None:
        """Writes the settings, with SendGrid."""
        self.write(f'[provider]\nuse = "sendgrid"\n[provider.sendgrid]\napi_url = "{self.api.url}"\n{more}')

    def write_relay(self, port: int, more: str = "") -> None:
        """Writes the settings, with a relay on this machine."""
        self.write(f'[provider]\nuse = "smtp"\n[provider.smtp]\nhost = "localhost"\nport = {port}\n{more}')

    def diagnosed(self, *without: Means) -> Diagnosis:
        """What the doctor says now, without the browser."""
        return diagnose(self.root, self.environ, now=datetime.now(UTC), without=frozenset({*without, Means.BROWSER}))

    def items(self, *ids: str) -> list[HealthItem]:
        """The items of these ids."""
        return [item for item in self.diagnosed().items if item.id in ids]


@pytest.fixture
def around(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Around]:
    """A sound workspace that sends through SendGrid."""
    certificates = tmp_path / "authority.pem"
    authority().cert_pem.write_to_path(str(certificates))
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates))
    with (
        NameServer() as names,
        sound_pages(server_context("127.0.0.1")) as pages,
        SendGridApi(api_key=KEY) as api,
    ):
        publish_sound_zone(names)
        names.put("em123.example.org", "CNAME", "u7.wl001.sendgrid.net.")
        names.put("u7.wl001.sendgrid.net", "TXT", "v=spf1 ip4:192.0.2.0/24 -all")
        api.account.authenticate(DOMAIN, is_valid=True)
        made = Around(tmp_path / "workspace", names, pages, api)
        made.write_sendgrid()
        yield made


def healths(items: list[HealthItem]) -> set[Health]:
    return {item.health for item in items}


def test_sound_surroundings_are_all_in_order(around: Around) -> None:
    found = around.diagnosed()

    items = [item for item in found.items if item.id != "replies"]  # no mail server of the internet can be asked here
    assert [item for item in items if item.health is not Health.OK] == []
    assert {item.id for item in found.items} >= {"clock", "disk", "database", "scopes", "certificate", "H4"}
    assert {f"D{number}" for number in range(1, 7)} <= {item.id for item in found.items}


def test_nothing_is_changed(around: Around) -> None:
    with open_test_database(around.root / "newsletter.db"):
        pass
    (around.root / "newsletter.db").chmod(0o644)
    before = {path: (path.stat().st_mtime_ns, path.stat().st_mode) for path in around.root.rglob("*")}

    around.diagnosed()

    assert {path: (path.stat().st_mtime_ns, path.stat().st_mode) for path in around.root.rglob("*")} == before
    assert {exchange.method for exchange in around.api.exchanges} == {"GET"}


def test_each_part_is_told_when_it_has_ended(around: Around) -> None:
    ended: list[str] = []

    diagnose(around.root, around.environ, now=datetime.now(UTC), on_done=ended.append)

    assert sorted(ended) == sorted(PARTS)


def test_without_network_nobody_is_asked(around: Around) -> None:
    found = around.diagnosed(Means.NETWORK)

    assert {item.id for item in found.items if item.health is Health.NOT_JUDGED} == {"clock", "scopes", "D1-D6", "H4"}
    assert (around.names.asked, around.pages.requests, around.api.requests) == ([], [], 0)


def test_records_are_those_that_the_provider_asks_for(around: Around) -> None:
    around.api.account.domains.clear()
    around.api.account.authenticate(DOMAIN, is_valid=False, number=99)
    around.names.drop("s1._domainkey.example.org", "CNAME")
    around.names.drop("em123.example.org", "CNAME")

    domain, spf, dkim = (item for item in around.diagnosed().items if item.health is Health.ERROR)

    assert [record.name for record in domain.records] == [
        "em123.example.org",
        "s1._domainkey.example.org",
        "s2._domainkey.example.org",
    ]
    told = DnsRecord(name="em123.example.org", type="CNAME", value="u99.wl001.sendgrid.net")
    assert (spf.id, spf.records) == ("D1", (told,))
    told = DnsRecord(name="s1._domainkey.example.org", type="CNAME", value="s1.domainkey.u99.wl001.sendgrid.net")
    assert (dkim.id, dkim.records) == ("D2", (told,))


def test_a_domain_that_the_provider_does_not_know_is_an_error(around: Around) -> None:
    around.api.account.domains.clear()
    around.api.account.authenticate("example.net", is_valid=True)

    (item,) = around.items("domain")

    assert (item.health, item.what) == (Health.ERROR, "SendGrid does not sign email for example.org")


@pytest.mark.parametrize(
    ("scope", "health", "words"),
    [
        ("mail.send", Health.ERROR, "no email can be sent"),
        ("user.scheduled_sends.create", Health.WARNING, "SendGrid cannot hold email"),
        ("suppression.read", Health.WARNING, "suppressions sync"),
        ("messages.read", Health.WARNING, "batches cannot be looked up"),
        ("whitelabel.read", Health.WARNING, "DNS records"),
    ],
)
def test_a_permission_that_the_key_lacks_is_told(around: Around, scope: str, health: Health, words: str) -> None:
    around.api.account.scopes.remove(scope)

    (item,) = around.items("scopes")

    assert item.health is health
    assert scope in item.what
    assert words in item.what


def test_a_key_that_is_missing_or_wrong_is_an_error_and_is_never_shown(around: Around) -> None:
    around.environ.clear()
    (missing,) = around.items("key")
    around.environ["SENDGRID_API_KEY"] = "SG.another-secret-key"
    (wrong,) = around.items("scopes")

    assert missing.health is wrong.health is Health.ERROR
    assert "SENDGRID_API_KEY is not set" in missing.what
    assert "401" in wrong.what
    assert "another-secret" not in str(around.diagnosed())


def test_an_answer_that_is_none_is_no_traceback(around: Around) -> None:
    around.api.script(Answer(status=200, body=b"<html>"), Answer(status=200, body=b"[1, null]"))

    (item,) = around.items("scopes")

    assert item.health is Health.ERROR


def test_the_sandbox_is_a_warning(around: Around) -> None:
    around.write_sendgrid("sandbox = true")

    assert healths(around.items("sandbox")) == {Health.WARNING}


@pytest.mark.parametrize(
    ("off", "health"),
    [
        (timedelta(seconds=90), Health.OK),
        (timedelta(minutes=3), Health.WARNING),
        (timedelta(minutes=-3), Health.WARNING),
        (timedelta(hours=2), Health.ERROR),
    ],
)
def test_a_clock_that_is_off_is_told(around: Around, off: timedelta, health: Health) -> None:
    found = diagnose(around.root, around.environ, now=datetime.now(UTC) + off)

    (clock,) = (item for item in found.items if item.id == "clock")
    assert clock.health is health
    assert "127.0.0.1" in clock.what


def test_with_the_outbox_neither_domain_nor_pages_are_judged(around: Around) -> None:
    around.write('[provider]\nuse = "outbox"')

    assert healths(around.items("D1-D6", "H4", "clock")) == {Health.NOT_JUDGED}
    assert around.names.asked == []


def test_a_policy_that_allows_bimi_is_mentioned(around: Around) -> None:
    assert around.items("bimi") == []
    around.names.put("_dmarc.example.org", "TXT", "v=DMARC1; p=reject; rua=mailto:dmarc@example.org")

    assert healths(around.items("bimi")) == {Health.OK}


def test_the_endpoint_is_judged_by_a_token_of_nobody(around: Around) -> None:
    around.pages.pages[ONE_CLICK_PATH] = Page(status=302, location="/login")

    (item,) = around.items("H4")

    assert item.health is Health.ERROR
    assert around.pages.asked(ONE_CLICK_PATH) == ["POST"]


def test_a_certificate_that_soon_ends_is_told(around: Around) -> None:
    soon = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    until = datetime.now(UTC) + timedelta(days=9, hours=1)
    authority().issue_cert("127.0.0.1", not_after=until).configure_cert(soon)
    with sound_pages(soon) as around.pages:
        around.write_sendgrid()

        (item,) = around.items("certificate")

    assert (item.health, item.what) == (Health.WARNING, "the certificate of 127.0.0.1 is valid for 9 more days")


def test_a_relay_takes_the_login(around: Around) -> None:
    around.environ = {"NEWSLETTER_SMTP_PASSWORD": PASSWORD}
    with SmtpServer(tls=server_context("localhost"), demands_login=True) as relay:
        around.write_relay(relay.port, 'username = "harbour"\n')

        assert healths(around.items("key", "login", "D6")) == {Health.OK}
        assert relay.taken == []


def test_a_login_that_is_refused_is_an_error_without_the_password(around: Around) -> None:
    around.environ = {"NEWSLETTER_SMTP_PASSWORD": "not-the-password"}
    with SmtpServer(tls=server_context("localhost"), demands_login=True) as relay:
        around.write_relay(relay.port, 'username = "harbour"\n')

        (item,) = around.items("login")

    assert item.health is Health.ERROR
    assert "535" in item.what
    assert "not-the-password" not in str(item)


def test_a_relay_that_is_gone_is_an_error(around: Around) -> None:
    around.write_relay(1)

    assert healths(around.items("login")) == {Health.ERROR}
    assert healths(around.items("D6")) == {Health.NOT_JUDGED}


def test_a_sound_database_is_in_order(around: Around) -> None:
    with open_test_database(around.root / "newsletter.db"):
        pass

    assert healths(around.items("database", "schema", "integrity", "privacy", "journal")) == {Health.OK}


def test_a_database_of_the_version_before_is_a_warning(around: Around) -> None:
    path = around.root / "newsletter.db"
    with open_test_database(path):
        pass
    with closing(sqlite3.connect(path)) as file:
        (newest,) = file.execute("PRAGMA user_version").fetchone()
        file.execute(f"PRAGMA user_version = {newest - 1}")

    (item,) = around.items("schema")

    assert (item.health, item.what) == (Health.WARNING, "the database's tables are 1 version behind")


def test_a_database_that_others_may_read_is_an_error(around: Around) -> None:
    with open_test_database(around.root / "newsletter.db"):
        pass
    (around.root / "newsletter.db").chmod(0o644)

    (item,) = around.items("privacy")

    assert (item.health, item.remedy) == (Health.ERROR, "run: chmod 600 newsletter.db")
    assert "-rw-r--r--" in item.what


def test_a_file_that_is_no_database_is_an_error(around: Around) -> None:
    (around.root / "newsletter.db").write_text("not a database, though it is long enough to be one" * 20)

    assert healths(around.items("database")) == {Health.ERROR}


def test_a_server_that_does_not_answer_is_an_error(around: Around) -> None:
    around.write('[provider]\nuse = "outbox"\n[database]\nurl = "postgresql://nobody@127.0.0.1:1/none"')

    (item,) = around.items("database")

    assert item.health is Health.ERROR
    assert "no server answers" in item.what


def test_every_mistake_of_the_settings_is_told(around: Around) -> None:
    settings = around.root / "newsletter.toml"
    settings.write_text(settings.read_text().replace("news@example.org", "nobody").replace("America/", "Amerika/"))

    found = around.diagnosed()

    assert [item.health for item in found.items if item.id == "settings"] == [Health.ERROR, Health.ERROR]
    assert {section.title for section in found.sections} == {"This machine", "Workspace"}


def test_templates_that_cannot_be_read_are_an_error(around: Around) -> None:
    (around.root / "templates").mkdir()
    (around.root / "templates" / "email.mjml.j2").write_bytes(b"\xff\xfe")

    assert healths(around.items("templates")) == {Health.ERROR}


def test_nothing_is_told_of_what_a_network_that_is_gone_did_not_say(around: Around) -> None:
    around.names.silent.add(".")

    assert healths(around.items("D1", "D2", "D3", "D5")) == {Health.NOT_JUDGED}
