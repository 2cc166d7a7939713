"""Tracked links lead on, and only what their reader agreed to is saved."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

import pytest

from newsletter.model.broadcast import Broadcast
from newsletter.model.edit import Edit
from newsletter.store.database import Database
from newsletter.store.editing import edit_people
from newsletter.store.preferences import tracking_choices
from newsletter.workflows.events.judge import judge_reactions
from tests.store.builders import NOW, agree_to_tracking
from tests.web.public.choosing import do, form_of, press, save
from tests.web.public.conftest import Answer, ServedPages
from tests.workflows.tracking.broadcasts import GotMail, send, wait_for
from tests.workspaces import CONFIG

CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0"
SMALL = "https://www.example.org/small"


@dataclass(frozen=True, slots=True)
class Sent:
    """What Ana, who agreed to tracking, and Bo, who did not, got, and the paths in Ana's email."""

    mails: Mapping[str, GotMail]
    small: str
    pixel: str
    ending: str


@pytest.fixture
def mode() -> str:
    """How the broadcast is tracked."""
    return "consented"


@pytest.fixture
def settings(mode: str) -> str:
    """What newsletter.toml says."""
    return f'{CONFIG}\n[tracking]\nmode = "{mode}"\n'


@pytest.fixture
def sent(served: ServedPages) -> Sent:
    """A broadcast to both."""
    agree_to_tracking(served.database, "ana@example.org")
    broadcast, mails = send(served.config, served.database)
    ana = mails["ana@example.org"]
    return Sent(mails, small_link(served, broadcast, ana), ana.own("o")[0], "".join(ana.own("t")))


def small_link(served: ServedPages, broadcast: Broadcast, mail: GotMail) -> str:
    """The path of the tracked link to the page that the letter names."""
    with served.database.read() as connection:
        query = "SELECT number FROM tracked_link WHERE broadcast = :broadcast AND target = :target"
        ((number,),) = connection.execute(query, {"broadcast": broadcast.id, "target": SMALL}).fetchall()
    (path,) = {path for path in mail.own("c") if path.split("-")[2] == str(number)}
    return path


def follow(served: ServedPages, path: str, method: str = "GET", agent: str = CHROME, **headers: str) -> Answer:
    return served.ask(method, path, **({"User_Agent": agent} if agent else {}), **headers)


def rows(database: Database, query: str) -> list[tuple[object, ...]]:
    with database.read() as connection:
        return [tuple(row) for row in connection.execute(query, {}).fetchall()]


def saved(database: Database) -> list[tuple[object, ...]]:
    return rows(database, "SELECT type, subscriber, url, verdict FROM event ORDER BY at, type, url, verdict")


def reactions(database: Database) -> list[tuple[object, ...]]:
    return rows(database, "SELECT type, subscriber FROM reaction ORDER BY type, subscriber")


def counted(database: Database) -> list[tuple[object, ...]]:
    return rows(database, "SELECT type, url, verdict, events FROM event_total ORDER BY type, url, verdict")


def test_only_those_who_agreed_get_tracked_links(sent: Sent) -> None:
    ana, bo = sent.mails["ana@example.org"], sent.mails["bo@example.org"]

    assert SMALL in bo.links
    assert not bo.own("c") + bo.own("o") + bo.own("t")
    assert SMALL not in ana.links
    assert len(ana.own("o")) == len(ana.own("t")) == 1
    assert SMALL in ana.text
    assert "/c/" not in ana.text
    assert all(len(path) <= 120 and "http" not in path for path in ana.own("c"))


def test_links_by_which_people_leave_or_choose_are_never_tracked(sent: Sent) -> None:
    for mail in sent.mails.values():
        assert len(mail.own("u")) == len(mail.own("p")) == 1


def test_a_click_leads_on_and_is_saved(served: ServedPages, sent: Sent) -> None:
    answer = follow(served, sent.small)

    assert (answer.status, answer.headers["location"], answer.body) == (302, SMALL, b"")
    assert answer.headers["cache-control"] == "no-store"
    assert "set-cookie" not in answer.headers
    wait_for(lambda: saved(served.database) == [("clicked", 1, SMALL, "")])


def test_an_open_gets_the_smallest_picture_and_is_saved(served: ServedPages, sent: Sent) -> None:
    answer = follow(served, sent.pixel)

    assert (answer.status, len(answer.body), answer.headers["content-type"]) == (200, 43, "image/gif")
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    assert answer.headers["cache-control"] == "no-store"
    wait_for(lambda: saved(served.database) == [("opened", 1, "", "")])


@pytest.mark.parametrize(
    ("request_", "verdict"),
    [
        ({"method": "HEAD"}, "prefetch"),
        ({"Sec_Purpose": "prefetch;prerender"}, "prefetch"),
        ({"agent": ""}, "agent"),
        ({"agent": "BingPreview/1.0b"}, "agent"),
    ],
)
def test_machines_get_the_same_answer_and_are_counted_apart(
    served: ServedPages, sent: Sent, request_: dict[str, str], verdict: str
) -> None:
    answer = follow(served, sent.small, **request_)

    assert (answer.status, answer.headers["location"]) == (302, SMALL)
    wait_for(lambda: saved(served.database) == [("clicked", 1, SMALL, verdict)])
    judge_reactions(served.database, now=NOW + timedelta(hours=1))
    assert reactions(served.database) == []


def test_who_follows_the_link_that_nobody_sees_is_a_machine(served: ServedPages, sent: Sent) -> None:
    follow(served, sent.small)
    served.later(seconds=20)
    canary = follow(served, sent.mails["ana@example.org"].canary)

    assert (canary.status, canary.headers["location"]) == (302, "https://www.example.org")
    wait_for(lambda: len(saved(served.database)) == 2)
    judge_reactions(served.database, now=NOW + timedelta(hours=1))
    assert {row[3] for row in saved(served.database)} == {"canary"}
    assert reactions(served.database) == []


def test_a_person_counts_some_minutes_later(served: ServedPages, sent: Sent) -> None:
    follow(served, sent.small)
    wait_for(lambda: len(saved(served.database)) == 1)

    judge_reactions(served.database, now=NOW + timedelta(minutes=5))
    assert reactions(served.database) == []
    judge_reactions(served.database, now=NOW + timedelta(minutes=6))
    assert reactions(served.database) == [("clicked", 1)]


def test_nothing_that_tells_who_asked_is_stored(served: ServedPages, sent: Sent) -> None:
    follow(served, sent.small, agent=f"{CHROME} Marked/1.0", X_Forwarded_For="203.0.113.77")
    wait_for(lambda: len(saved(served.database)) == 1)

    stored = repr(rows(served.database, "SELECT * FROM event"))
    assert not [trace for trace in ("Marked", "203.0.113", "127.0.0.1") if trace in stored]


@pytest.mark.parametrize("kind", ["c", "o"])
@pytest.mark.parametrize("change", ["code", "person", "broadcast", "link", "all", "cut", "long", "letters"])
def test_an_address_that_we_did_not_make_leads_nowhere(served: ServedPages, sent: Sent, kind: str, change: str) -> None:
    path = sent.small if kind == "c" else sent.pixel
    person, broadcast, link, code = path.removeprefix(f"/{kind}/").split("-", 3)
    wrong = {
        "code": f"{person}-{broadcast}-{link}-{'A' if code[0] != 'A' else 'B'}{code[1:]}",
        "person": f"2-{broadcast}-{link}-{code}",
        "broadcast": f"{person}-9-{link}-{code}",
        "link": f"{person}-{broadcast}-{int(link) + 1}-{code}",
        "all": f"0-{broadcast}-{link}-{code}",
        "cut": f"{person}-{broadcast}-{link}-{code[:-1]}",
        "long": f"{person}-{broadcast}-{link}-{code}A",
        "letters": f"{person}-{broadcast}-{link}-{'%D9%A7' * 22}",
    }[change]
    answer = follow(served, f"/{kind}/{wrong}")

    assert "location" not in answer.headers
    is_picture = kind == "o" and change in {"code", "person", "broadcast", "all"}  # of which nothing is recorded
    assert answer.status == (200 if is_picture else 404)
    assert saved(served.database) == []


def test_a_code_of_one_purpose_opens_no_other(served: ServedPages, sent: Sent) -> None:
    assert follow(served, sent.small.replace("/c/", "/o/")).status == 404
    assert follow(served, sent.pixel.replace("/o/", "/c/")).status == 404
    assert served.get(sent.ending.replace("/t/", "/u/")).text.count("<form") == 0
    assert saved(served.database) == []


@pytest.mark.parametrize("page_with_button", ["ending", "preferences"])
def test_after_the_end_of_tracking_links_lead_on_and_nothing_is_saved(
    served: ServedPages, sent: Sent, page_with_button: str
) -> None:
    follow(served, sent.small)
    wait_for(lambda: len(saved(served.database)) == 1)
    judge_reactions(served.database, now=NOW + timedelta(hours=1))
    assert reactions(served.database) == [("clicked", 1)]
    if page_with_button == "ending":
        page = served.get(sent.ending)
        served.later(seconds=5)
        served.press(sent.ending, {"from": "page", "stamp": page.value_of("stamp"), "do": "end"})
    else:
        save(served, served.preferences("ana@example.org"), tracking="no")
    ended = served.now
    served.later(seconds=5)

    with served.database.read() as connection:
        assert [(each.at, each.agrees, each.wording) for each in tracking_choices(connection, 1)] == [
            (ended, False, "1 en")
        ]
    assert "Tracking has ended" in served.get(sent.ending).text
    assert reactions(served.database) == []
    assert follow(served, sent.small).headers["location"] == SMALL
    assert follow(served, sent.pixel).status == 200
    assert served.get(sent.ending).text.count("<form") == 0
    assert len(saved(served.database)) == 1
    assert counted(served.database) == []


def test_after_a_change_of_address_earlier_links_lead_on_for_a_while_and_nothing_is_saved(
    served: ServedPages, sent: Sent
) -> None:
    edit = Edit(cells={"email": "new@example.org"})
    edit_people(served.database, ["ana@example.org"], edit, shown=1, now=served.now)

    assert follow(served, sent.small).headers["location"] == SMALL
    assert follow(served, sent.mails["ana@example.org"].canary).headers["location"] == "https://www.example.org"
    assert follow(served, sent.pixel).status == 200
    for wrong in (f"{sent.small[:-1]}{'A' if sent.small[-1] != 'A' else 'B'}", sent.small.replace("/c/1-", "/c/2-")):
        assert follow(served, wrong).status == 404
    served.later(days=60)
    assert follow(served, sent.small).status == 404
    assert saved(served.database) == []
    assert counted(served.database) == []


@pytest.mark.parametrize("page", ["the page that ends it", "their preferences"])
def test_wherever_tracking_is_ended_no_segment_knows_what_was_followed_and_the_proof_is_kept(
    served: ServedPages, sent: Sent, page: str
) -> None:
    follow(served, sent.small)
    wait_for(lambda: len(saved(served.database)) == 1)
    judge_reactions(served.database, now=NOW + timedelta(hours=1))
    assert reactions(served.database) == [("clicked", 1)]

    if page == "their preferences":
        path = served.preferences("ana@example.org")
        fields = {**form_of(served.get(path)), "tracking": "no"}
        served.later(seconds=5)
        press(served, path, fields)
    else:
        do(served, sent.ending, "end")

    assert reactions(served.database) == []
    assert rows(served.database, "SELECT agrees, wording FROM tracking_choice") == [(0, "1 en")]


@pytest.mark.parametrize("way", ["get", "head", "too soon", "no stamp", "foreign", "empty"])
def test_tracking_is_ended_only_by_a_person_who_presses_the_button(served: ServedPages, sent: Sent, way: str) -> None:
    fields = {"from": "page", "stamp": served.get(sent.ending).value_of("stamp"), "do": "end"}
    served.later(seconds=1 if way == "too soon" else 5)
    match way:
        case "get" | "head":
            served.ask(way.upper(), sent.ending)
        case "no stamp":
            served.press(sent.ending, {"from": "page"})
        case "foreign":
            served.press(sent.ending, fields, Origin="https://example.net", Sec_Fetch_Site="cross-site")
        case "empty":
            served.ask("POST", sent.ending, b"")
        case _:
            served.press(sent.ending, fields)

    follow(served, sent.small)
    wait_for(lambda: len(saved(served.database)) == 1)


@pytest.mark.usefixtures("sent")
@pytest.mark.parametrize("path", ["/t/1-AAAAAAAAAAAAAAAAAAAAAA", "/t/999-AAAAAAAAAAAAAAAAAAAAAA", "/t/x", "/t/0-A"])
def test_the_link_of_nobody_gets_the_neutral_page(served: ServedPages, path: str) -> None:
    for answer in (served.get(path), served.press(path, {"from": "page", "do": "end"})):
        assert answer.status == 200
        assert "This link is not valid" in answer.text


@pytest.mark.parametrize("mode", ["totals"])
def test_totals_have_one_address_for_all_and_store_nobody(served: ServedPages, sent: Sent) -> None:
    ana, bo = sent.mails["ana@example.org"], sent.mails["bo@example.org"]

    assert ana.own("c") == bo.own("c")
    assert ana.own("o") == bo.own("o")
    assert not ana.own("t")
    assert all(path.startswith("/c/0-") for path in ana.own("c"))
    for agent in (CHROME, CHROME, "curl/8.0"):
        assert follow(served, sent.small, agent=agent).headers["location"] == SMALL
        follow(served, sent.pixel, agent=agent)
    clicks = [("clicked", SMALL, "", 2), ("clicked", SMALL, "agent", 1)]
    wait_for(lambda: counted(served.database) == [*clicks, ("opened", "", "", 2), ("opened", "", "agent", 1)])
    assert saved(served.database) == []


@pytest.mark.parametrize("mode", ["off"])
def test_without_tracking_an_email_reports_nothing(served: ServedPages) -> None:
    agree_to_tracking(served.database, "ana@example.org")
    for mail in send(served.config, served.database)[1].values():
        assert SMALL in mail.links
        assert not mail.own("c") + mail.own("o") + mail.own("t")


def test_scanner_that_follows_every_link_reacts_leaves_and_ends_nothing(served: ServedPages, sent: Sent) -> None:
    mail = sent.mails["ana@example.org"]
    paths = [path for kind in ("o", "c", "u", "p", "t") for path in mail.own(kind)]
    for path in paths:
        for method in ("HEAD", "GET"):
            assert follow(served, path, method).status < 500
        served.later(seconds=1)
    wait_for(lambda: len(saved(served.database)) == len(mail.own("o") + mail.own("c")))  # of one second, one is kept
    judge_reactions(served.database, now=NOW + timedelta(hours=1))

    assert reactions(served.database) == []
    assert not served.has_left("ana@example.org")
    assert served.get(sent.ending).text.count("<form") == 1
