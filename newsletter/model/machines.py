"""Recognize opens and clicks by machines.

Security scanners follow the links of an email, link previews and search engines visit them, and Apple's privacy proxy
loads pictures whether or not the email is read. `verdict_of` judges one request by what it shows of itself: its method,
its agent and its address. What only several requests show together, such as a burst, is judged from stored events in
`newsletter.workflows.events.judge`.

A verdict never changes an answer, and never prevents anyone from unsubscribing. Only the verdict is stored: the agent
and the address are not.
"""

import re
from collections.abc import Iterable
from enum import StrEnum
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address

Network = IPv4Network | IPv6Network


class MachineVerdict(StrEnum):
    """Who opened or clicked, and how a machine was recognized."""

    PERSON = ""  # a person, as far as can be told
    PROXY = "proxy"  # a mailbox provider's picture proxy, which loads pictures when a person opens the email
    PREFETCH = "prefetch"  # the request only looks ahead: another method than GET, or a stated purpose
    AGENT = "agent"  # the program says what it is, or does not say anything about itself
    PRIVACY = "privacy"  # a proxy that loads the pictures of every email, whether or not it is read
    NETWORK = "network"  # the request came from a network that the workspace lists as one of scanners
    CANARY = "canary"  # the link that no person sees was followed at about the same time
    BURST = "burst"  # several links of one email were followed faster than a person can
    HASTY = "hasty"  # a click right after delivery; perhaps a person, but not counted

    @property
    def is_persons(self) -> bool:
        """Return whether a person opened or clicked."""
        return self in PEOPLES_VERDICTS


PEOPLES_VERDICTS = frozenset({MachineVerdict.PERSON, MachineVerdict.PROXY})


class AgentKind(StrEnum):
    """The kind of program that sent a request, as its agent says."""

    NONE = "none"  # it says nothing about itself
    IMAGE_PROXY = "image proxy"
    BOT = "bot"  # a crawler, a link preview, a scanner or a tool
    SENDGRID = "SendGrid"  # the provider, which posts events
    BROWSER = "browser"
    OTHER = "other"


# The proxies that load a picture when a person opens the email, so the time is the person's. Their names are in the
# agents that they send. Google's may load a picture only once and keep it.
_PICTURE_PROXIES = ("googleimageproxy", "yahoomailproxy")

# What programs call themselves, in lowercase letters. Those at the top visit links in email or messages, the next are
# names that crawlers have in common, and the last are the tools and libraries from which scanners are made.
_PROGRAMS = (
    *("bingpreview", "microsoftpreview", "skypeuripreview", "yahoo link preview", "google-pagerenderer"),
    *("slackbot", "slack-imgproxy", "whatsapp/", "telegrambot", "discordbot", "linkedinbot", "twitterbot"),
    *("facebookexternalhit", "facebookcatalog", "meta-externalagent", "embedly", "iframely", "redditbot", "viber/"),
    *("google-safety", "googleother", "google-inspectiontool", "apis-google", "feedfetcher", "mediapartners-google"),
    *("barracuda", "proofpoint", "mimecast", "trendmicro", "trend micro", "fortimail", "sophos", "ironport"),
    *("safelinks", "urldefense", "virustotal", "urlscan", "checkmarknetwork", "symantec", "forcepoint"),
    *("crawler", "spider", "scanner", "preview/", "linkcheck", "link check", "validator", "archiver", "slurp"),
    *("headlesschrome", "phantomjs", "puppeteer", "playwright", "selenium", "electron-prerender", "prerender"),
    *("curl/", "wget/", "python-requests", "python-urllib", "aiohttp/", "python-httpx", "scrapy", "libwww-perl"),
    *("lwp::", "go-http-client", "java/", "apache-httpclient", "node-fetch", "axios/", "got (", "guzzlehttp"),
    *("php/", "ruby", "faraday", "postmanruntime", "powershell", "winhttp", "http_request", "httpunit", "undici"),
)
# Most crawlers end their name in "bot". Phones by Cubot do too.
_PROGRAM = re.compile("|".join([*map(re.escape, _PROGRAMS), r"(?<!cu)bot(?![a-z])"]))

# Apple's privacy proxy sends the beginning of a browser's agent: either the first word alone, or everything up to the
# name of the browser.
_PRIVACY_AGENT = re.compile(r"Mozilla/5\.0(?: \([^()]*\) AppleWebKit/[0-9.]+ \(KHTML, like Gecko\))?")
_LONGEST_AGENT = 1000  # characters that are read of an agent; it comes from outside and can be of any length
_SENDGRID, _BROWSER = "sendgrid", "mozilla/5.0 ("
_MACHINES = frozenset({AgentKind.NONE, AgentKind.BOT, AgentKind.SENDGRID})


def kind_of_agent(agent: str) -> AgentKind:
    """Return the kind of program that calls itself by an agent. Any text from outside is accepted."""
    return _kind_of(agent[:_LONGEST_AGENT].strip().lower())


@lru_cache(maxsize=1024)  # most requests come from a few programs, and the search in all names takes its time
def _kind_of(name: str) -> AgentKind:
    if not name:
        return AgentKind.NONE
    if any(proxy in name for proxy in _PICTURE_PROXIES):
        return AgentKind.IMAGE_PROXY
    if _PROGRAM.search(name):
        return AgentKind.BOT
    if _SENDGRID in name:
        return AgentKind.SENDGRID
    return AgentKind.BROWSER if name.startswith(_BROWSER) else AgentKind.OTHER


def verdict_of(
    agent: str,
    address: str,
    *,
    method: str = "GET",
    purpose: str = "",
    is_machine_open: bool = False,
    is_click: bool = False,
    networks: Iterable[Network] = (),
) -> MachineVerdict:
    """Return who made a request for a link or picture, as far as the request itself shows it.

    `agent` and `address` are the User-Agent and the client's IP address. `purpose` is the request's Sec-Purpose or
    Purpose. `is_machine_open` is what a provider says about an open. `networks` are those that the workspace lists as
    scanners' networks. Any text from outside is accepted.
    """
    agent = agent[:_LONGEST_AGENT].strip()
    kind = kind_of_agent(agent)
    if method.upper() != "GET" or "prefetch" in purpose.lower() or "preview" in purpose.lower():
        return MachineVerdict.PREFETCH
    if kind is AgentKind.IMAGE_PROXY:
        return MachineVerdict.PROXY
    if kind in _MACHINES:
        return MachineVerdict.AGENT
    # A click with a shortened agent may be a person's: apps that show web pages send one too.
    if is_machine_open or (_PRIVACY_AGENT.fullmatch(agent) and not is_click):
        return MachineVerdict.PRIVACY
    if _is_in(address, networks):
        # In these networks, a web mailbox loads pictures for people too, so only clicks are judged by them.
        return MachineVerdict.NETWORK if is_click else MachineVerdict.PROXY
    return MachineVerdict.PERSON


def _is_in(address: str, networks: Iterable[Network]) -> bool:
    networks = tuple(networks)
    if not networks:
        return False
    try:
        client = ip_address(address)
    except ValueError:
        return False
    return any(client in network for network in networks)
