"""Tracked links lead on, and only what their reader agreed to is saved."""

from collections.abc import Mapping

import pytest

from newsletter.store.database import Database
from newsletter.store.subscribers import find_subscriber
from tests.store.builders import agree_to_tracking
from tests.web.public.conftest import Answer, ServedPages
from tests.workflows.tracking.broadcasts import GotMail, send
from tests.workspaces import CONFIG

CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0"
SMALL = "https://www.example.org/small"


@pytest.fixture
def mode() -> str:
    """How the broadcast is tracked."""
    return "consented"


@pytest.fixture
def settings(mode: str) -> str:
    """What newsletter.toml says."""
    return f'{CONFIG}\n[tracking]\nmode = "{mode}"\n'


@pytest.fixture
def mails(served: ServedPages) -> Mapping[str, GotMail]:
    """What Ana, who agreed to tracking, and Bo, who did not, got."""
    agree_to_tracking(served.database, "ana@example.org")
    return send(served.config, served.database)[1]


def follow(served: ServedPages, path: str, method: str = "GET", agent: str = CHROME, **headers: str) -> Answer:
    return served.ask(method, path, **({"User_Agent": agent} if agent else {}), **headers)


def saved(database: Database) -> list[tuple[object, ...]]:
    with database.read() as connection:
        query = "SELECT type, subscriber, url, verdict FROM event ORDER BY at, type, url, verdict"
        return [tuple(row) for row in connection.execute(query).fetchall()]


def counted(database: Database) -> list[tuple[object, ...]]:
    with database.read() as connection:
        query = "SELECT type, url, verdict, events FROM event_total ORDER BY type, url, verdict"
        return [tuple(row) for row in connection.execute(query).fetchall()]


def to_small(served: ServedPages, mail: GotMail) -> str:
    """The path of the tracked link to the page that the letter names."""
    return next(path for path in mail.own("c") if served.ask("HEAD", path).headers["location"] == SMALL)


def test_only_those_who_agreed_get_tracked_links(mails: Mapping[str, GotMail]) -> None:
    ana, bo = mails["ana@example.org"], mails["bo@example.org"]

    assert SMALL in bo.links
    assert not bo.own("c") + bo.own("o") + bo.own("t")
    assert SMALL not in ana.links
    assert ana.own("c")
    assert len(ana.own("o")) == len(ana.own("t")) == 1
    assert SMALL in ana.text
    assert len(ana.own("u")) == 1
    assert all(len(path) <= 120 and "http" not in path for path in ana.own("c"))


def test_a_click_leads_on_and_is_saved(served: ServedPages, mails: Mapping[str, GotMail]) -> None:
    ana = find_subscriber(served.database, "ana@example.org")
    path = to_small(served, mails["ana@example.org"])
    answer = follow(served, path)

    assert (answer.status, answer.headers["location"]) == (302, SMALL)
    assert answer.headers["cache-control"] == "no-store"
    assert "set-cookie" not in answer.headers
    assert ana is not None
    assert ("clicked", ana.id, SMALL, "") in saved(served.database)
