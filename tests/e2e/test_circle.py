"""The whole circle through real parts: join in a browser, confirm, be welcomed, read, click, leave, and stay gone."""

import email
import re
import sqlite3
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from email.message import EmailMessage
from email.policy import default
from http.client import HTTPResponse, HTTPSConnection
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, expect

from tests.browser import running_browser
from tests.e2e.program import command, environment, run, write_list
from tests.e2e.tls import TlsFront
from tests.providers.smtp_server import SmtpServer
from tests.workspaces import CONFIG, ISSUE, write_workspace

NEW = "new.reader@example.org"
SETTINGS = """
[provider]
use = "smtp"

[provider.smtp]
host = "127.0.0.1"
port = {port}
security = "none"

[tracking]
mode = "consented"

[signup]
asks_tracking = true
welcome = "welcome"
"""
LETTER = "A letter with [a page about it](https://www.example.org/page).\n"
SECONDS = 60.0
T = TypeVar("T")


def eventually(find: Callable[[], T | None]) -> T:
    """What turns up before the deadline."""
    end = time.monotonic() + SECONDS
    while (found := find()) is None:
        assert time.monotonic() < end, "nothing came"
        time.sleep(0.1)
    return found


def mails_to(server: SmtpServer, address: str) -> list[EmailMessage]:
    taken = [mail.content for mail in list(server.taken) if mail.recipient == address]
    return [email.message_from_bytes(content, _class=EmailMessage, policy=default) for content in taken]


def mail_about(server: SmtpServer, address: str, words: str) -> EmailMessage:
    """The first email to someone with these words in its subject."""
    return eventually(lambda: next((mail for mail in mails_to(server, address) if words in str(mail["Subject"])), None))


def links_of(mail: EmailMessage) -> list[str]:
    """Every link of an email as it was delivered: in its text, in its HTML and in its headers."""
    bodies = [mail.get_body((kind,)) for kind in ("plain", "html")]
    texts = [str(body.get_content()) for body in bodies if body is not None]
    return list(dict.fromkeys(re.findall(r"https://[^\s\"<>)]+", " ".join([*texts, str(mail["List-Unsubscribe"])]))))


def one_link(mail: EmailMessage, path: str) -> str:
    return next(link for link in links_of(mail) if urlsplit(link).path.startswith(path))


def ask(method: str, url: str, body: bytes | None = None) -> HTTPResponse:
    """One request, as a program makes it."""
    parts = urlsplit(url)
    connection = HTTPSConnection(parts.netloc, timeout=30, context=ssl._create_unverified_context())
    headers = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"}
    if body is not None:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    connection.request(method, parts.path or "/", body, headers)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer


@contextmanager
def serving(root: Path, front: TlsFront) -> Iterator[None]:
    """The service as a process, behind the front."""
    with (root / "told").open("w") as told:
        process = subprocess.Popen(
            command("serve", "--port", "0"), cwd=root, env=environment(), stdout=subprocess.PIPE, stderr=told, text=True
        )
    assert process.stdout is not None
    try:
        found = re.search(r"http://127\.0\.0\.1:(\d+)/", process.stdout.readline())
        assert found, (root / "told").read_text()
        front.behind = int(found[1])
        yield
        process.terminate()
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.wait(20)
        process.stdout.close()
    assert "Traceback" not in (root / "told").read_text()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with running_browser() as started:
        yield started


def rows(root: Path, query: str, *values: object) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(root / "newsletter.db")) as connection:
        return connection.execute(query, values).fetchall()


def workspace(root: Path, front: TlsFront, server: SmtpServer) -> Path:
    subjects = {"welcome": "Welcome, and thank you", "2026-02": "February for you", "2026-03": "March for you"}
    files = {f"issues/{name}/letter.md": LETTER for name in subjects}
    for name, subject in subjects.items():
        files[f"issues/{name}/issue.yaml"] = ISSUE.replace("A small letter for everybody", subject)
    settings = CONFIG.replace("https://news.example.org", front.url) + SETTINGS.format(port=server.port)
    return write_workspace(root, {**files, "newsletter.toml": settings})


def test_someone_joins_reads_leaves_and_is_not_brought_back(tmp_path: Path, browser: Browser) -> None:
    with TlsFront(tmp_path) as front, SmtpServer() as server:
        root = workspace(tmp_path / "ws", front, server)
        write_list(root / "list.csv", 3)
        run(root, "subscribers", "import", "list.csv")
        with serving(root, front):
            join_in(browser, front, server)
            mail_about(server, NEW, "Welcome")
            assert len([mail for mail in mails_to(server, NEW) if "Welcome" in str(mail["Subject"])]) == 1

            run(root, "send", "2026-02", "--to", "everyone", "--yes")
            letter = mail_about(server, NEW, "February")
            scan(browser, root, letter)
            clicked = ask("GET", one_link(letter, "/c/"))
            assert (clicked.status, clicked.headers["Location"]) == (302, "https://www.example.org/page")
            eventually(lambda: rows(root, "SELECT 1 FROM event WHERE type = 'clicked'") or None)

            leaving = str(letter["List-Unsubscribe"]).strip("<>")
            assert str(letter["List-Unsubscribe-Post"]) == "List-Unsubscribe=One-Click"
            assert ask("POST", leaving, b"List-Unsubscribe=One-Click").status == 200

            run(root, "send", "2026-03", "--to", "everyone", "--yes")
            assert len({mail.recipient for mail in server.taken if b"March" in mail.content}) == 3
            assert not [mail for mail in mails_to(server, NEW) if "March" in str(mail["Subject"])]

        consent = "email,first_name,consented_at,consent_source\n" + f"{NEW},New,2026-01-05,old list\n"
        (root / "again.csv").write_text(consent, encoding="utf-8")
        run(root, "subscribers", "import", "again.csv")
        shown = run(root, "subscribers", "list", "--json").stdout
        assert NEW in shown
        assert rows(root, "SELECT reason FROM suppression WHERE person = ? AND topic = ''", NEW) == [("unsubscribed",)]


def join_in(browser: Browser, front: TlsFront, server: SmtpServer) -> None:
    """Fill in the form, open the link of the email that comes, and press its button."""
    context = browser.new_context(ignore_https_errors=True)
    page = context.new_page()
    page.goto(f"{front.url}/join")
    page.get_by_label("Email address").fill(NEW)
    page.get_by_role("checkbox").check()
    page.wait_for_timeout(3200)  # a form that is filled in faster is shown again
    page.get_by_role("button", name="Subscribe").click()
    expect(page.get_by_role("heading", name="Please look into your mailbox")).to_be_visible()
    asked = mail_about(server, NEW, "confirm")
    page.goto(one_link(asked, "/join/"))
    page.wait_for_timeout(2200)
    page.get_by_role("button", name="Yes, I want to join").click()
    expect(page.get_by_role("heading", name="You have joined")).to_be_visible()
    context.close()


def scan(browser: Browser, root: Path, letter: EmailMessage) -> None:
    """Do what a scanner does: ask for every link twice, run the scripts of the pages, and post nothing."""
    tables = (
        "suppression",
        "signup",
        "link_request",
        "past_suppression",
        "former_token",
        "tracking_choice",
        "reaction",
    )
    counts = " UNION ALL ".join(f"SELECT count(*) FROM {table}" for table in tables)
    before = rows(root, counts), rows(root, "SELECT tracking_consented_at, paused_until FROM subscriber ORDER BY id")
    links = [link for link in links_of(letter) if urlsplit(link).netloc.startswith("127.0.0.1")]
    assert {urlsplit(link).path.split("/")[1] for link in links} >= {"u", "p", "c", "o", "t"}
    for link in links:
        for method in ("HEAD", "GET", "GET"):
            assert ask(method, link).status in {200, 302}
    context = browser.new_context(ignore_https_errors=True)
    page = context.new_page()
    page.route("https://www.example.org/**", lambda route: route.abort())
    for link in links:
        if urlsplit(link).path.split("/")[1] not in {"c", "o"}:
            page.goto(link)
            page.wait_for_timeout(100)
    context.close()
    after = rows(root, counts), rows(root, "SELECT tracking_consented_at, paused_until FROM subscriber ORDER BY id")
    assert after == before
