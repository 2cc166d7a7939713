"""For every rule of the network: faults that break it and are caught in their place, and near misses that do not."""

import re
from collections.abc import Callable

import pytest

from newsletter.checks.probes import PROBES
from newsletter.checks.registry import check_issue
from newsletter.model.finding import Means
from tests.checks.network.surroundings import (
    DOMAIN,
    ONE_CLICK_PATH,
    SENDGRID_ZONE,
    Surroundings,
    ed25519_key_record,
    rsa_key_record,
    shown,
)
from tests.fakes.web_server import Page

Break = Callable[[Surroundings], object]
OURS = {rule for probe in PROBES if probe.means is Means.NETWORK for rule in probe.rules}
KEY = f"s1.domainkey.{SENDGRID_ZONE}"
DMARC = f"_dmarc.{DOMAIN}"
FROM, PROVIDER, SERVICE, LETTER = "newsletter.toml:4", "newsletter.toml:17", "newsletter.toml:11", "letter.md:10"
ELEVEN = " ".join(f"exists:e{number}.example.org" for number in range(10))


def txt(name: str, *values: str) -> Break:
    """Publishes other texts under a name."""
    return lambda around: around.names.put(name, "TXT", *values)


def gone(name: str, kind: str) -> Break:
    """Takes records away."""
    return lambda around: around.names.drop(name, kind)


def page(**how: object) -> Break:
    """Has the endpoint answer otherwise."""
    return lambda around: around.pages.pages.update({ONE_CLICK_PATH: Page(**how)})  # type: ignore[arg-type]


def link(**how: object) -> Break:
    """Has the letter link to a page that answers so."""

    def break_it(around: Surroundings) -> None:
        around.sites.pages["/a"] = Page(**how)  # type: ignore[arg-type]
        around.sites.pages["/fine"] = Page()
        around.link_to(f"{around.site_url}/a")

    return break_it


def elsewhere(around: Surroundings) -> None:
    """Signs email and sends bounces for someone else's domain."""
    around.authenticate('dkim_domain = "example.net"', 'envelope_domain = "bounces.example.net"')
    for selector in ("s1", "s2"):
        around.names.put(f"{selector}._domainkey.example.net", "TXT", rsa_key_record(2048))
    around.names.put("bounces.example.net", "TXT", "v=spf1 include:sendgrid.net ~all")


def bare_envelope(around: Surroundings) -> None:
    """Has bounces sent to a name without a record."""
    around.authenticate('envelope_domain = "em7.example.org"')


def uncovered(around: Surroundings) -> None:
    """Sends bounces to a name whose record belongs to someone else."""
    bare_envelope(around)
    around.names.put("em7.example.org", "TXT", "v=spf1 ip4:192.0.2.7 -all")


def below(around: Surroundings) -> None:
    """Has bounces sent to a name below the sender's domain, with no key at all for the signature."""
    around.authenticate('envelope_domain = "em7.example.org"')
    around.names.put("em7.example.org", "CNAME", f"{SENDGRID_ZONE}.")
    around.names.put(SENDGRID_ZONE, "TXT", "v=spf1 include:sendgrid.net -all")
    for selector in ("s1", "s2"):
        around.names.drop(f"{selector}._domainkey.{DOMAIN}", "CNAME")


def reply_to_nobody(around: Surroundings) -> None:
    """Asks for answers at a domain that takes no mail."""
    around.workspace.edit("toml", '<letters@example.org>"\n', '<letters@example.org>"\nreply_to = "a@example.net"\n')


def reply_to_somebody(around: Surroundings) -> None:
    """Asks for answers at another domain, which takes mail."""
    reply_to_nobody(around)
    around.names.put("example.net", "MX", "10 mx.example.net.")


def hosted(**how: object) -> Break:
    """Hosts the images, all of which answer well except the letter's cup."""

    def break_it(around: Surroundings) -> None:
        archive = f'\n[archive]\nurl = "{around.pages.url}/letters"\n'
        settings = around.workspace.root / "newsletter.toml"
        settings.write_text(settings.read_text() + archive)
        html = "".join(around.workspace.subject().rendered.fullest.html.parts)
        for name in set(re.findall(r"/letters(/i/[\w.-]+)", html)):
            around.pages.pages[f"/letters{name}"] = Page(**how) if "cup" in name else Page()  # type: ignore[arg-type]

    return break_it


SEEDED = [
    ("S22", hosted(status=404), "error", "letter.md:12", "404 (Not Found)"),
    ("S22", hosted(status=500), "error", "letter.md:12", "500"),
    ("S22", hosted(status=302, location="/login"), "error", "letter.md:12", "redirects"),
    ("D1", bare_envelope, "error", "newsletter.toml:20", "no SPF"),
    ("D1", uncovered, "error", "newsletter.toml:20", "does not cover SendGrid"),
    ("D1", txt(DOMAIN, "v=spf1 include:sendgrid.net ~all", "v=spf1 mx -all"), "error", PROVIDER, "2 SPF records"),
    ("D1", txt(DOMAIN, f"v=spf1 {ELEVEN} include:sendgrid.net ~all"), "error", PROVIDER, "more than 10 DNS lookups"),
    ("D1", txt(DOMAIN, "v=spf1 include:sendgrid.net include:none.example.org ~all"), "error", PROVIDER, "none.example"),
    ("D1", txt(DOMAIN, "v=spf1 inclde:sendgrid.net ~all"), "error", PROVIDER, "cannot be read"),
    ("D1", txt(DOMAIN, "v=spf1 include:sendgrid.net +all"), "warning", PROVIDER, "anyone"),
    ("D2", gone(KEY, "TXT"), "error", PROVIDER, "is not published"),
    ("D2", txt(KEY, rsa_key_record(512)), "error", PROVIDER, "512 bits"),
    ("D2", txt(KEY, rsa_key_record(1024)), "warning", PROVIDER, "1024 bits"),
    ("D2", txt(KEY, "v=DKIM1; p="), "error", PROVIDER, "revoked"),
    ("D2", txt(KEY, rsa_key_record(2048)[:200]), "error", PROVIDER, "cannot be read"),
    ("D2", txt(KEY, rsa_key_record(2048), "v=DKIM1; p=AA"), "error", PROVIDER, "several"),
    ("D2", txt(KEY, f"{rsa_key_record(2048)}; t=y"), "warning", PROVIDER, "t=y"),
    ("D3", gone(DMARC, "TXT"), "error", FROM, "no DMARC"),
    ("D3", txt(DMARC, "v=DMARC1; p=none", "v=DMARC1; p=reject"), "error", FROM, "several"),
    ("D3", txt(DMARC, "v=DMARC1; p=perhaps; rua=mailto:dmarc@example.org"), "error", FROM, "cannot be read"),
    ("D3", txt(DMARC, "v=DMARC1; p=none"), "warning", FROM, "rua"),
    ("D4", elsewhere, "error", FROM, "example.net"),
    ("D5", gone(DOMAIN, "MX"), "warning", FROM, "no mail server"),
    ("D5", lambda around: around.names.put(DOMAIN, "MX", "0 ."), "warning", FROM, "accepts no email"),
    ("D5", reply_to_nobody, "warning", "newsletter.toml:5", "example.net"),
    ("H4", page(status=302, location="/login"), "error", SERVICE, "redirected (302)"),
    ("H4", page(status=401), "error", SERVICE, "login"),
    ("H4", page(status=403), "error", SERVICE, "cookie"),
    ("H4", page(status=405), "error", SERVICE, "405"),
    ("H4", page(status=500), "error", SERVICE, "500"),
    ("H4", page(status=404, post_status=200), "error", SERVICE, "shows readers no page (404)"),
    ("H4", page(status=204, post_status=200), "error", SERVICE, "shows readers no page (204)"),
    ("H4", page(status=301, location="/u", post_status=200), "error", SERVICE, "to another address (301)"),
    ("E3", link(status=404), "warning", LETTER, "404 (Not Found)"),
    ("E3", link(status=410), "warning", LETTER, "410"),
    ("E3", link(status=500), "warning", LETTER, "500"),
    ("E3", link(status=301, location="/nowhere"), "warning", LETTER, "404"),
    ("E3", link(status=302, location="/a"), "warning", LETTER, "loop"),
    ("E3", link(status=302, location="http://10.0.0.7/"), "warning", LETTER, "private"),
    ("E3", link(status=302, location="mailto:a@example.org"), "warning", LETTER, "not a web page"),
    ("E3", lambda around: around.link_to("https://gone.example.org/"), "warning", LETTER, "does not exist"),
]

NEAR_MISSES = [
    ("S22", lambda _: None),
    ("S22", hosted(status=200)),
    ("S22", hosted(status=200, head_status=405)),
    ("D1", txt(DOMAIN, "v=spf1 include:_spf.example.org ~all", "v=spf10 a")),
    ("D1", txt(DOMAIN, f"v=spf1 {ELEVEN.rpartition(' ')[0]} include:sendgrid.net -all")),
    ("D1", txt(DOMAIN, "v=spf1 INCLUDE:SendGrid.net ?all")),
    ("D1", txt(DOMAIN, "v=spf1 redirect=_spf.example.org")),
    ("D2", txt(KEY, rsa_key_record(2048).replace("v=DKIM1; k=rsa; ", ""))),
    ("D2", txt(KEY, rsa_key_record(4096))),
    ("D2", txt(KEY, ed25519_key_record())),
    ("D3", txt(DMARC, "v=DMARC1; p=reject; rua=mailto:dmarc@example.org; adkim=s", "unrelated")),
    ("D4", below),
    ("D5", reply_to_somebody),
    ("H4", page(post_status=202)),
    ("H4", page(post_status=204)),
    ("E3", link(status=200)),
    ("E3", link(status=200, head_status=405)),
    ("E3", link(status=200, head_status=404)),
    ("E3", link(status=301, location="/fine")),
    ("E3", link(status=304)),
    ("E3", lambda around: around.link_to("https://www.linkedin.com/in/ana")),
    ("E3", lambda around: around.link_to("mailto:ana@example.org")),
    ("E3", lambda around: around.link_to("https://gone.example.org/{{ first_name }}")),
]


@pytest.mark.parametrize(("rule", "break_it", "severity", "place", "words"), SEEDED)
def test_a_seeded_fault_is_found_in_its_place(
    surroundings: Surroundings, rule: str, break_it: Break, severity: str, place: str, words: str
) -> None:
    break_it(surroundings)

    found = surroundings.faults(rule)

    assert [(each.severity.value, shown(each.place)) for each in found] == [(severity, place)]
    assert words in found[0].what


@pytest.mark.parametrize(("rule", "come_near"), NEAR_MISSES)
def test_a_near_miss_is_not_told(surroundings: Surroundings, rule: str, come_near: Break) -> None:
    surroundings.names.put("_spf.example.org", "TXT", "v=spf1 include:sendgrid.net -all")
    come_near(surroundings)

    assert surroundings.faults(rule) == []


def test_sound_surroundings_have_no_finding(surroundings: Surroundings) -> None:
    verdict = check_issue(surroundings.workspace.subject(), surroundings.circumstances)

    assert [finding for finding in verdict.findings if finding.rule in OURS] == []
    assert {left_out.rule for left_out in verdict.not_run} & OURS == {"E3"}  # links to hosts that are not there


def test_each_rule_of_the_network_has_a_seeded_fault() -> None:
    assert OURS - {rule for rule, *_ in SEEDED} == {"D6"}  # which needs a relay: test_relay.py
    assert OURS - {rule for rule, *_ in NEAR_MISSES} == {"D6"}
