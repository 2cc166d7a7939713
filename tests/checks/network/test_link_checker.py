"""Links: each is requested politely and once, and addresses in private networks are never requested."""

import dataclasses
from datetime import timedelta

import pytest
from msgspec.structs import replace

from newsletter.checks.network.link_checker import wall_of
from newsletter.checks.network.names import Names
from newsletter.checks.network.web import Failure, HttpFailure, Web
from newsletter.settings.authentication import read_nameserver
from tests.checks.network.surroundings import SITES, Surroundings
from tests.fakes.name_server import NameServer
from tests.fakes.web_server import Page, WebServer


def linked(surroundings: Surroundings, path: str, **how: object) -> str:
    """Has the letter link to a page that answers so; the address."""
    surroundings.sites.pages[path] = Page(**how)  # type: ignore[arg-type]
    url = f"{surroundings.site_url}{path}"
    surroundings.link_to(url)
    return url


def test_a_page_is_asked_by_head_and_says_who_asks(surroundings: Surroundings) -> None:
    linked(surroundings, "/a")

    surroundings.judged("E3")

    (request,) = surroundings.sites.requests
    assert request.method == "HEAD"
    assert request.headers["User-Agent"].startswith("newsletter/")
    assert "https://example.org" in request.headers["User-Agent"]
    assert "Cookie" not in request.headers


def test_get_has_the_last_word_where_head_is_refused(surroundings: Surroundings) -> None:
    linked(surroundings, "/a", head_status=405)

    assert surroundings.faults("E3") == []
    assert surroundings.sites.asked("/a") == ["HEAD", "GET"]


def test_a_second_check_asks_no_link_again(surroundings: Surroundings) -> None:
    linked(surroundings, "/a")

    surroundings.judged("E3")
    surroundings.judged("E3")

    assert surroundings.sites.asked("/a") == ["HEAD"]


@pytest.mark.parametrize(
    ("status", "later", "asked_again"),
    [
        (200, timedelta(hours=23), False),
        (200, timedelta(hours=25), True),
        (404, timedelta(minutes=9), False),
        (404, timedelta(minutes=11), True),
    ],
)
def test_a_good_answer_holds_for_a_day_and_a_bad_one_for_minutes(
    surroundings: Surroundings, status: int, later: timedelta, asked_again: bool
) -> None:
    linked(surroundings, "/a", status=status)
    before = surroundings.faults("E3")
    asked = len(surroundings.sites.requests)

    later_on = replace(surroundings.circumstances, now=surroundings.circumstances.now + later)
    after = dataclasses.replace(surroundings, circumstances=later_on).faults("E3")

    assert before == after
    assert (len(surroundings.sites.requests) > asked) is asked_again


def test_answers_that_were_damaged_are_asked_anew(surroundings: Surroundings) -> None:
    linked(surroundings, "/a")
    surroundings.judged("E3")
    (surroundings.circumstances.memory_folder / "links.json").write_text("[1, {")

    assert surroundings.faults("E3") == []
    assert surroundings.sites.asked("/a") == ["HEAD", "HEAD"]


def test_a_host_that_lies_to_robots_is_not_asked_and_not_judged(surroundings: Surroundings) -> None:
    surroundings.link_to("https://www.linkedin.com/in/ana")

    assert surroundings.faults("E3") == []
    assert any("linkedin.com blocks automated checks" in why for why in surroundings.not_run("E3"))
    assert not [name for name, _ in surroundings.names.asked if "linkedin" in name]


def test_a_redirect_to_such_a_host_is_not_followed(surroundings: Surroundings) -> None:
    linked(surroundings, "/a", status=302, location="https://x.com/ana")

    assert surroundings.faults("E3") == []
    assert any("x.com blocks automated checks" in why for why in surroundings.not_run("E3"))


def test_only_a_host_itself_and_what_is_below_it_lies() -> None:
    assert wall_of("m.facebook.com") == "facebook.com"
    assert wall_of("notfacebook.com") is None
    assert wall_of("facebook.com.example.org") is None


def test_a_page_that_was_asked_too_often_is_not_judged(surroundings: Surroundings) -> None:
    linked(surroundings, "/a", status=429)

    judged = surroundings.judged("E3")

    assert judged.problems == ()
    assert any("too many requests" in left_out.why for left_out in judged.not_run)
    assert surroundings.sites.asked("/a") == ["HEAD"]


def test_a_name_that_leads_into_a_private_network_is_never_asked(surroundings: Surroundings) -> None:
    surroundings.names.put("inside.example.org", "A", "127.0.0.2")
    surroundings.link_to(f"http://inside.example.org:{surroundings.sites.port}/a")

    assert surroundings.faults("E3") == []
    assert any("private address, 127.0.0.2" in why for why in surroundings.not_run("E3"))
    assert surroundings.sites.requests == []


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "2130706433", "inside.example.org", "printer.local"])
def test_a_redirect_does_not_lead_to_a_private_host(surroundings: Surroundings, host: str) -> None:
    surroundings.names.put("inside.example.org", "A", "127.0.0.2")
    with WebServer(pages={"/secret": Page()}) as inner:
        linked(surroundings, "/a", status=302, location=f"http://{host}:{inner.port}/secret")

        (fault,) = surroundings.faults("E3")

        assert "redirects to a private address" in fault.what
        assert inner.requests == []


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "0x7f.1", "intranet", "printer.local"])
def test_a_private_host_that_is_written_out_is_left_to_another_check(surroundings: Surroundings, host: str) -> None:
    surroundings.names.put("intranet", "A", "127.0.0.1")
    surroundings.sites.pages["/a"] = Page(status=404)
    surroundings.link_to(f"http://{host}:{surroundings.sites.port}/a")

    judged = surroundings.judged("E3")

    assert judged.problems == ()
    assert surroundings.sites.requests == []
    assert not [name for name, _ in surroundings.names.asked if name.startswith(host)]


PRIVATE_HOSTS = ["10.0.0.1", "169.254.169.254", "[::1]", "[::ffff:127.0.0.1]", "[64:ff9b::7f00:1]", "0.0.0.0"]
NUMBERS = ["2130706433", "0x7f000001", "127.1", "0177.0.0.1", "%31%32%37.0.0.1", "\uff11\uff12\uff17.0.0.1"]


@pytest.mark.parametrize("host", [*PRIVATE_HOSTS, *NUMBERS, "a.localhost"])
def test_a_private_address_is_not_asked_in_whatever_form(name_server: NameServer, host: str) -> None:
    reply = Web(Names([read_nameserver(name_server.place)]), agent="test").ask("GET", f"http://{host}/")

    assert isinstance(reply, HttpFailure)
    assert reply.failure is Failure.PRIVATE


def test_a_page_that_takes_too_long_is_told(name_server: NameServer) -> None:
    with WebServer(pages={"/a": Page(hangs=True)}) as site:
        names = Names([read_nameserver(name_server.place)])
        web = Web(names, agent="test", answer_seconds=0.2)
        reply = web.ask("GET", f"{site.url}/a", private_host="127.0.0.1")

    assert isinstance(reply, HttpFailure)
    assert reply.failure is Failure.LATE


def test_a_server_that_is_gone_is_told(surroundings: Surroundings) -> None:
    with WebServer() as site:
        url = f"http://{SITES}:{site.port}/a"
    surroundings.link_to(url)

    (fault,) = surroundings.faults("E3")

    assert "refuses connections" in fault.what


def test_a_certificate_of_somebody_else_is_told(surroundings: Surroundings) -> None:
    surroundings.link_to(f"https://{SITES}:{surroundings.pages.port}/a")

    (fault,) = surroundings.faults("E3")

    assert "certificate that is not valid" in fault.what


def test_two_readings_of_a_page_are_asked_once_and_told_at_each_link(surroundings: Surroundings) -> None:
    linked(surroundings, "/a#one", status=404)
    surroundings.workspace.edit("letter", "https://example.org/poem", f"{surroundings.site_url}/a#two")

    faults = surroundings.faults("E3")

    assert [fault.place.line for fault in faults] == [10, 16]
    assert surroundings.sites.asked("/a") == ["HEAD", "GET"]


def test_an_address_without_a_readable_host_is_no_page(surroundings: Surroundings) -> None:
    surroundings.workspace.edit("mjml", "Unsubscribe</a>", 'Unsubscribe</a> <a href="https://[x">Port</a>')

    assert surroundings.faults("E3") == []


def test_a_host_is_asked_few_things_at_a_time(surroundings: Surroundings) -> None:
    paths = [f"/page{number}" for number in range(8)]
    surroundings.sites.pages.update({path: Page() for path in paths})
    words = "\n".join(f"[the page called {path[1:]}]({surroundings.site_url}{path})" for path in paths)
    surroundings.workspace.edit("letter", "## What we read", f"{words}\n\n## What we read")

    surroundings.judged("E3")

    assert sorted(request.path for request in surroundings.sites.requests) == paths
    assert surroundings.sites.most_at_once <= 2


def test_pages_of_the_archive_are_there_only_later(surroundings: Surroundings) -> None:
    surroundings.workspace.edit("toml", "[segments]", '[archive]\nurl = "https://archive.example.org"\n\n[segments]')
    surroundings.link_to("https://archive.example.org/2026-03/")

    assert surroundings.faults("E3") == []


def test_without_a_network_nothing_is_judged_and_nothing_kept(
    surroundings: Surroundings,
) -> None:
    surroundings.names.silent.add(".")

    judged = surroundings.judged("E3")

    assert judged.problems == ()
    (why,) = {left_out.why for left_out in judged.not_run}
    assert why.startswith("the DNS gave no answer")
    assert not (surroundings.circumstances.memory_folder / "links.json").exists()
