"""What is shown and built for a subscriber is, byte for byte, what every provider carries to them."""

import base64
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage, MIMEPart
from html import escape
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from newsletter.config import Config, load_config
from newsletter.errors import InputError
from newsletter.model.audience import SuppressionReason
from newsletter.providers.registry import open_provider
from newsletter.store.database import Database
from newsletter.store.suppressions import add_suppression
from newsletter.workflows.compose.build import build_issue
from newsletter.workflows.compose.compose import compose_issue, require_issue
from newsletter.workflows.compose.reader import require_reader
from newsletter.workflows.compose.sample import mail_of
from newsletter.workflows.segments import meant_by
from newsletter.workflows.send.drain import drain_broadcast
from newsletter.workflows.send.plan import Order, plan_broadcast, start_broadcast
from tests.fakes.sendgrid_api import SendGridApi
from tests.providers.smtp_server import SmtpServer
from tests.providers.workspace import sendgrid_settings, smtp_settings
from tests.render.conftest import picture_bytes
from tests.store.builders import add, row
from tests.store.empty_file import open_test_database
from tests.workspaces import CONFIG, ISSUE, LETTER, write_workspace

NOW = datetime(2026, 2, 19, 16, 0, tzinfo=UTC)
# What belongs to one delivery alone: when it left, its ids, and the lines between the parts of the message. Nothing
# else may differ between a preview and what arrives. A provider that writes a header itself is named with it.
OF_DELIVERY_ALONE = frozenset({"date", "message-id", "x-newsletter-broadcast", "boundary"})
WRITTEN_BY_SENDGRID = frozenset({"mime-version"})

WORKSPACE: dict[str, str | bytes] = {
    "issues/2026-02/issue.yaml": ISSUE.replace(
        "subject: A small letter for everybody", "subject: 'Dear {{ first_name | default(\"Friends\") }} & all'"
    )
    .replace("preheader: A few words", "preheader: Of {{ country | default('anywhere') }}, and a few words")
    .replace("  - letter", "  - letter\n  - section: teaching\n    only: teachers\n  - tips"),
    "issues/2026-02/letter.md": LETTER + "\n![A field in spring](images/field.png)\n\n"
    "See [yours](https://www.example.org/?who={{ email }}&from={{ country }}) or [leave]({{ unsubscribe_url }}).\n",
    "issues/2026-02/teaching.md": "---\ntype: text\ntitle: For teachers\n---\nOnly teachers, {{ last_name }}.\n",
    "issues/2026-02/tips.md": "---\nshow: own\n---\n",
    "issues/2026-02/images/field.png": picture_bytes(40, 30),
}
TEACHER = ("teacher",)
SUBSCRIBERS = (
    row("Ana.Lima@gmail.com", first_name="Ana", last_name="Lima", tags=TEACHER, attributes={"country": "Perú & <b>"}),
    row("bo@example.org", attributes={"country": "%nl{{ email }}%"}),
    row("cy@hotmail.co.uk", first_name='"Cy" <all@example.org>', last_name="Öz", tags=TEACHER),
    row("de@bücher.example", first_name="💗", language="es"),
)
ADDRESSES = [subscriber.email for subscriber in SUBSCRIBERS]


@dataclass(frozen=True, kw_only=True)
class Seen:
    """All of a message that its reader, or their mail app, can see."""

    headers: Mapping[str, str]
    text: str
    html: str
    pictures: Mapping[str, bytes]

    def require_like(self, other: "Seen", *, apart_from: frozenset[str] = frozenset()) -> None:
        """Fail where the two differ in more than what belongs to a delivery alone."""
        left, right = ({name: of.headers[name] for name in of.headers.keys() - apart_from} for of in (self, other))
        assert left == right
        assert (self.text, self.html) == (other.text, other.html)
        assert self.pictures == other.pictures


def seen_in(content: bytes) -> Seen:
    """Read a message as an email app does."""
    message = message_from_bytes(content, policy=policy.default)
    assert isinstance(message, EmailMessage)
    html, text = message.get_body(("html",)), message.get_body(("plain",))
    assert html is not None
    assert text is not None
    return Seen(
        headers={
            name.lower(): _people(value) if name in {"From", "To"} else str(value)
            for name, value in message.items()
            if name.lower() not in OF_DELIVERY_ALONE and name.lower() != "content-type"
        },
        text=_lines(text),
        html=_lines(html),
        pictures={
            str(part["Content-ID"]).strip("<>"): bytes(part.get_content())
            for part in message.walk()
            if part.get_content_maintype() == "image"
        },
    )


def _people(header: Any) -> str:
    return "; ".join(f"{address.display_name} at {address.addr_spec}" for address in header.addresses)


def _lines(part: MIMEPart) -> str:
    """The content of a part; on the wire its lines end in CRLF (RFC 5322)."""
    return str(part.get_content()).replace("\r\n", "\n")


@contextmanager
def outbox(root: Path) -> Iterator[tuple[str, Callable[[], dict[str, Seen]]]]:
    def taken() -> dict[str, Seen]:
        return by_link(seen_in(path.read_bytes()) for path in (root / "outbox").rglob("*.eml"))

    yield "", taken


@contextmanager
def smtp(_root: Path) -> Iterator[tuple[str, Callable[[], dict[str, Seen]]]]:
    with SmtpServer(smtputf8=True) as server:
        yield smtp_settings(server.port), lambda: by_link(seen_in(mail.content) for mail in server.taken)


@contextmanager
def sendgrid(_root: Path) -> Iterator[tuple[str, Callable[[], dict[str, Seen]]]]:
    with SendGridApi() as api:

        def taken() -> dict[str, Seen]:
            return by_link(
                Seen(
                    headers={
                        **{name.lower(): value for name, value in mail.headers.items()},
                        "from": f"Small Press at {mail.sender}",
                        "reply-to": mail.reply_to,
                        "to": f"{mail.name} at {mail.email}",
                        "subject": mail.subject,
                    },
                    text=mail.text,
                    html=mail.html,
                    pictures={each["content_id"]: base64.b64decode(each["content"]) for each in mail.attachments},
                )
                for mail in api.accepted
            )

        yield sendgrid_settings(api.url), taken


def by_link(mails: Iterable[Seen]) -> dict[str, Seen]:
    """The messages by their unsubscribe links, which are each reader's own."""
    found = list(mails)
    named = {mail.headers["list-unsubscribe"]: mail for mail in found}
    assert len(named) == len(found)
    return named


def send(config: Config, database: Database) -> None:
    """Broadcast the issue to everyone."""
    provider = open_provider(config, {"SENDGRID_API_KEY": "SG.test-key"}, clock=lambda: NOW)
    order = Order(
        folder=require_issue(config, "2026-02"), segment=meant_by(config, database, segment="everyone", now=NOW)
    )
    plan = plan_broadcast(config, database, order, provider=provider, now=NOW)
    broadcast = start_broadcast(database, plan, provider, now=NOW)
    drain_broadcast(database, broadcast, provider, on_settled=lambda _: None, stop=Event())


@pytest.mark.parametrize("carried_by", [outbox, smtp, sendgrid])
def test_built_and_shown_mail_is_what_arrives(tmp_path: Path, carried_by: Callable[..., object]) -> None:
    root = write_workspace(tmp_path, WORKSPACE)
    with carried_by(root) as (settings, taken):  # type: ignore[attr-defined]
        write_workspace(root, {**WORKSPACE, "newsletter.toml": f"{CONFIG}\n{settings}"})
        config = load_config(root)
        with open_test_database(config.database) as database:
            add(database, *SUBSCRIBERS)
            send(config, database)
            arrived: dict[str, Seen] = taken()
            composed = compose_issue(config, require_issue(config, "2026-02"))
            assert len(arrived) == len(ADDRESSES)
            for address in ADDRESSES:
                reader = require_reader(config, composed.issue, address, now=NOW).reader
                build_issue(config, require_issue(config, "2026-02"), NOW, reader_for=lambda _, reader=reader: reader)
                built = seen_in((root / "build/2026-02/subscriber.eml").read_bytes())
                shown = mail_of(config, composed.rendered.variant_of(reader), reader, made_at=NOW)
                mail = arrived[built.headers["list-unsubscribe"]]

                built.require_like(mail, apart_from=WRITTEN_BY_SENDGRID if carried_by is sendgrid else frozenset())
                assert (shown.html, shown.text) == (built.html, built.text)
                assert shown.subject == built.headers["subject"]
                assert escape(shown.preheader) in built.html


def test_mail_of_a_subscriber_is_for_its_owner_alone_and_gone_with_the_next_build(tmp_path: Path) -> None:
    root = write_workspace(tmp_path, WORKSPACE)
    config = load_config(root)
    with open_test_database(config.database) as database:
        add(database, *SUBSCRIBERS)
        folder = require_issue(config, "2026-02")
        build_issue(
            config, folder, NOW, reader_for=lambda issue: require_reader(config, issue, ADDRESSES[0], now=NOW).reader
        )
        files = sorted((root / "build/2026-02").glob("subscriber.*"))
        modes = {path.stat().st_mode & 0o777 for path in files}
        build_issue(config, folder, NOW)

    assert [path.suffix for path in files] == [".eml", ".html", ".txt"]
    assert modes == {0o600}
    assert not any(path.exists() for path in files)


def test_mail_of_a_subscriber_that_cannot_be_deleted_is_told(tmp_path: Path) -> None:
    root = write_workspace(tmp_path, WORKSPACE)
    (root / "build/2026-02/subscriber.old").mkdir(parents=True)  # a folder cannot be deleted as a file

    with pytest.raises(InputError, match=r"^build/2026-02/subscriber\.old is a folder, not a file; "):
        build_issue(load_config(root), root / "issues/2026-02", NOW)


def test_somebody_who_is_not_on_the_list_is_told_apart(tmp_path: Path) -> None:
    config = load_config(write_workspace(tmp_path))
    issue = compose_issue(config, require_issue(config, "2026-02")).issue
    with pytest.raises(InputError, match="no subscriber has the address"):
        require_reader(config, issue, "ana@example.org", now=NOW)
    assert not config.has_database  # looking made none

    with open_test_database(config.database) as database:
        add(database, *SUBSCRIBERS)
    with pytest.raises(InputError, match="no subscriber has the address"):
        require_reader(config, issue, "ana@example.org", now=NOW)


def test_whoever_the_issue_would_not_go_to_is_told(tmp_path: Path) -> None:
    config = load_config(write_workspace(tmp_path))
    with open_test_database(config.database) as database:
        add(database, row("ana@example.org"), row("bo@example.org", consented_at=None), row("cy@example.org"))
        add_suppression(database, "ana@example.org", SuppressionReason.COMPLAINED, now=NOW)
    issue = compose_issue(config, require_issue(config, "2026-02")).issue

    told = {
        name: require_reader(config, issue, f"{name}@example.org", now=NOW).left_out for name in ("ana", "bo", "cy")
    }

    assert told["ana"].startswith("complained on ")
    assert told["bo"] == "no consent on record"
    assert told["cy"] == ""


def test_a_build_that_fails_leaves_no_mail_of_somebody_else(tmp_path: Path) -> None:
    config = load_config(write_workspace(tmp_path))
    with open_test_database(config.database) as database:
        add(database, row("ana@example.org"))
    folder = require_issue(config, "2026-02")

    def build_as(address: str) -> None:
        build_issue(
            config, folder, NOW, reader_for=lambda issue: require_reader(config, issue, address, now=NOW).reader
        )

    build_as("ana@example.org")
    with pytest.raises(InputError, match="no subscriber has the address"):
        build_as("bo@example.org")

    left = sorted(path.name for path in (config.root / "build/2026-02").glob("*.*"))
    assert not [name for name in left if name.startswith("subscriber")]
    assert "email.html" in left  # the last good build stays
