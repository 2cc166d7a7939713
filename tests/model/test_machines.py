"""Opens and clicks by machines are recognized by what a request shows, and those by people are left alone."""

from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.model.machines import MachineVerdict, verdict_of

_CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36"
)
_IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/18.0 Mobile/15E148 Safari/604.1"
)
_PEOPLE = (
    _CHROME,
    _IPHONE,
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148",
    "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0",
    "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Thunderbird/128.4.0",
    "Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 10.0; WOW64; Trident/7.0; Microsoft Outlook 16.0.17928; ms-office)",
    "Mozilla/5.0 (Linux; Android 9; CUBOT_X18_Plus) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0 Mobile",
    "Mozilla/5.0 (Linux; Android 9; CUBOT) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0 Mobile",
    "Lynx/2.9.0 libwww-FM/2.14",
)
_PROGRAMS = (
    "",
    "   ",
    "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko) BingPreview/1.0b Chrome/100.0 Safari/537.36",
    "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
    "Mozilla/5.0 (Windows NT 6.1; WOW64) SkypeUriPreview Preview/0.5",
    "WhatsApp/2.23.20.0",
    "TelegramBot (like TwitterBot)",
    "Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)",
    "Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/119.0 Safari/537.36",
    "python-requests/2.32.3",
    "curl/8.9.1",
    "Go-http-client/1.1",
    "Barracuda Sentinel (EE)",
)


@pytest.mark.parametrize("agent", _PEOPLE)
@pytest.mark.parametrize("is_click", [False, True])
def test_people_are_not_taken_for_machines(agent: str, is_click: bool) -> None:
    assert verdict_of(agent, "192.0.2.1", is_click=is_click) is MachineVerdict.PERSON


@pytest.mark.parametrize("agent", _PROGRAMS)
def test_a_program_that_names_itself_or_hides_its_name_is_a_machine(agent: str) -> None:
    verdict = verdict_of(agent, "192.0.2.1")
    assert verdict is MachineVerdict.AGENT
    assert not verdict.is_persons


@pytest.mark.parametrize(
    "agent",
    [
        "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)",
        "YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html",
    ],
)
def test_a_picture_proxy_is_counted_apart_but_shows_that_a_person_opened(agent: str) -> None:
    verdict = verdict_of(agent, "192.0.2.1")
    assert verdict is MachineVerdict.PROXY
    assert verdict.is_persons


@pytest.mark.parametrize(
    "agent", ["Mozilla/5.0", "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko)"]
)
def test_a_privacy_proxy_loads_pictures_that_nobody_may_have_seen(agent: str) -> None:
    assert verdict_of(agent, "17.58.0.1") is MachineVerdict.PRIVACY
    assert verdict_of(agent, "17.58.0.1", is_click=True) is MachineVerdict.PERSON


def test_a_provider_may_know_that_an_open_is_a_machines() -> None:
    assert verdict_of(_IPHONE, "17.58.0.1", is_machine_open=True) is MachineVerdict.PRIVACY


@pytest.mark.parametrize("method", ["HEAD", "head", "POST", "OPTIONS", "PROPFIND"])
def test_a_request_that_is_not_a_get_is_not_a_persons(method: str) -> None:
    assert verdict_of(_CHROME, "192.0.2.1", method=method) is MachineVerdict.PREFETCH


@pytest.mark.parametrize("purpose", ["prefetch", "prefetch;prerender", "Prefetch;anonymous-client-ip", "preview"])
def test_a_request_that_looks_ahead_is_not_a_persons(purpose: str) -> None:
    assert verdict_of(_CHROME, "192.0.2.1", purpose=purpose) is MachineVerdict.PREFETCH


def test_networks_of_scanners_are_known_only_if_the_workspace_lists_them() -> None:
    networks = [ip_network("40.92.0.0/15"), ip_network("2a01:111:f400::/48")]
    assert verdict_of(_CHROME, "40.93.1.1", is_click=True) is MachineVerdict.PERSON
    assert verdict_of(_CHROME, "40.93.1.1", is_click=True, networks=networks) is MachineVerdict.NETWORK
    assert verdict_of(_CHROME, "2a01:111:f400::7", is_click=True, networks=networks) is MachineVerdict.NETWORK
    assert verdict_of(_CHROME, "192.0.2.1", is_click=True, networks=networks) is MachineVerdict.PERSON


def test_a_web_mailbox_in_the_network_of_a_scanner_loads_pictures_for_people() -> None:
    assert verdict_of(_CHROME, "40.93.1.1", networks=[ip_network("40.92.0.0/15")]) is MachineVerdict.PROXY


@given(agent=st.text(), address=st.text(), method=st.text(), purpose=st.text())
def test_any_text_from_outside_gets_a_verdict(agent: str, address: str, method: str, purpose: str) -> None:
    networks = [ip_network("40.92.0.0/15")]
    assert verdict_of(agent, address, method=method, purpose=purpose, networks=networks) in MachineVerdict
