"""The sender's domain: what is asked to be published, what is not judged, and relays of all kinds."""

import time

import pytest

from newsletter.checks.network.names import Names
from newsletter.checks.network.sender import carrier_of
from newsletter.errors import CannotRunError
from newsletter.settings.authentication import read_nameserver
from tests.checks.network.surroundings import DOMAIN, Surroundings, rsa_key_record
from tests.fakes.name_server import NameServer

RELAY = ('host = "relay.example.net"', "port = 1")


def remedies(surroundings: Surroundings, rule: str) -> str:
    return " | ".join(fault.remedy for fault in surroundings.faults(rule))


def test_the_remedy_holds_the_record_to_publish(surroundings: Surroundings) -> None:
    surroundings.names.drop(f"_dmarc.{DOMAIN}", "TXT")

    assert '_dmarc.example.org TXT "v=DMARC1; p=none; rua=mailto:dmarc@example.org"' in remedies(surroundings, "D3")


def test_a_record_that_lacks_the_provider_is_told_with_it(surroundings: Surroundings) -> None:
    surroundings.authenticate('envelope_domain = "example.org"')
    surroundings.names.put(DOMAIN, "TXT", "v=spf1 mx ip4:192.0.2.1 -all")

    assert '"v=spf1 include:sendgrid.net mx ip4:192.0.2.1 -all"' in remedies(surroundings, "D1")


def test_several_records_are_told_as_one(surroundings: Surroundings) -> None:
    surroundings.names.put(DOMAIN, "TXT", "v=spf1 mx -all", "v=spf1 redirect=_spf.example.net")

    assert '"v=spf1 mx include:_spf.example.net ~all"' in remedies(surroundings, "D1")


def test_an_address_for_reports_is_added_to_the_record_there_is(surroundings: Surroundings) -> None:
    surroundings.names.put(f"_dmarc.{DOMAIN}", "TXT", "v=DMARC1; p=reject; sp=none;")

    assert '"v=DMARC1; p=reject; sp=none; rua=mailto:dmarc@example.org"' in remedies(surroundings, "D3")


def test_the_bounce_domain_that_only_the_provider_knows_is_not_judged(surroundings: Surroundings) -> None:
    surroundings.names.put(DOMAIN, "TXT", "v=spf1 mx -all")

    assert surroundings.faults("D1") == []
    (why,) = surroundings.not_run("D1")
    assert "set envelope_domain under [authentication], for example to em123.example.org" in why


def test_names_that_need_a_tcp_connection_are_read(surroundings: Surroundings) -> None:
    surroundings.names.put(DOMAIN, "TXT", *(f"padding {number} {'x' * 200}" for number in range(9)), "v=spf1 -all")
    surroundings.authenticate('envelope_domain = "example.org"')

    assert "does not cover SendGrid" in surroundings.faults("D1")[0].what


@pytest.mark.parametrize("rule", ["D1", "D2", "D3", "D5"])
def test_an_answer_that_fails_is_neither_a_pass_nor_a_fault(surroundings: Surroundings, rule: str) -> None:
    surroundings.names.failing.add(DOMAIN)

    assert surroundings.faults(rule) == []
    (why,) = surroundings.not_run(rule)
    assert "the DNS gave no answer about" in why


def test_a_name_that_another_record_leads_to_and_fails_is_no_fault(surroundings: Surroundings) -> None:
    surroundings.names.failing.add("sendgrid.net")

    assert surroundings.faults("D1") == []
    assert surroundings.not_run("D1") == [
        "the DNS gave no answer about sendgrid.net; "
        "check your internet connection, or nameservers under [authentication] in newsletter.toml"
    ]


def test_a_name_server_that_never_answers_is_asked_once(name_server: NameServer) -> None:
    name_server.silent.add(".")
    names = Names([read_nameserver(name_server.place)], budget_seconds=0.4)

    started = time.monotonic()
    for name in ("example.org", "example.net", "example.com"):
        with pytest.raises(CannotRunError, match="the DNS gave no answer"):
            names.texts(name)

    assert {name for name, _ in name_server.asked} == {"example.org"}
    assert time.monotonic() - started < 5


def test_a_name_server_without_a_way_out_is_not_believed(surroundings: Surroundings) -> None:
    surroundings.names.records.clear()
    surroundings.names.knows_root = False

    judged = surroundings.judged("D1")

    assert judged.problems == ()
    reasons = {left_out.why for left_out in judged.not_run if left_out.rule != "D4"}
    assert reasons == {
        "the name server has no connection to the internet; "
        "check your internet connection, or nameservers under [authentication] in newsletter.toml"
    }


def test_nothing_is_judged_without_an_answer(surroundings: Surroundings) -> None:
    surroundings.names.silent.add(".")

    judged = surroundings.judged("D1")

    assert judged.problems == ()
    assert {left_out.rule for left_out in judged.not_run} == {"D1", "D2", "D3", "D4", "D5"}


def test_a_policy_above_a_subdomain_holds_for_it(surroundings: Surroundings) -> None:
    surroundings.workspace.edit("toml", "letters@example.org", "letters@mail.example.org")
    surroundings.names.put("mail.example.org", "MX", "10 mx.example.org.")
    surroundings.names.put("mail.example.org", "TXT", "v=spf1 include:sendgrid.net ~all")

    assert surroundings.judged("D1").problems == ()


def test_strict_alignment_is_heeded(surroundings: Surroundings) -> None:
    surroundings.workspace.edit("toml", "letters@example.org", "letters@mail.example.org")
    surroundings.names.put("mail.example.org", "MX", "10 mx.example.org.")
    surroundings.names.put(
        f"_dmarc.{DOMAIN}", "TXT", "v=DMARC1; p=reject; adkim=s; aspf=s; rua=mailto:dmarc@example.org"
    )

    (fault,) = surroundings.faults("D4")

    assert "readers see mail.example.org, but the signature is for example.org" in fault.what


def test_alignment_that_a_strict_policy_would_not_take_is_not_judged_while_nobody_knows_the_policy(
    surroundings: Surroundings,
) -> None:
    surroundings.workspace.edit("toml", "letters@example.org", "letters@mail.example.org")
    surroundings.names.failing.add(f"_dmarc.{DOMAIN}")
    surroundings.names.failing.add(f"_dmarc.mail.{DOMAIN}")

    assert surroundings.faults("D4") == []
    assert surroundings.not_run("D4") == ["the domain's DMARC policy could not be read; see D3"]


def test_alignment_that_holds_either_way_is_judged_without_the_policy(surroundings: Surroundings) -> None:
    surroundings.names.failing.add(f"_dmarc.{DOMAIN}")

    assert surroundings.not_run("D3") != []
    assert surroundings.not_run("D4") == []
    assert surroundings.faults("D4") == []


def test_organisations_below_a_shared_ending_are_strangers(surroundings: Surroundings) -> None:
    surroundings.workspace.edit("toml", "letters@example.org", "letters@harbour.co.uk")
    surroundings.authenticate('dkim_domain = "other.co.uk"')
    for selector in ("s1", "s2"):
        surroundings.names.put(f"{selector}._domainkey.other.co.uk", "TXT", rsa_key_record(2048))

    assert len(surroundings.faults("D4")) == 1


def test_nobody_but_the_mailbox_provider_sends_as_its_users(surroundings: Surroundings) -> None:
    surroundings.workspace.edit("toml", "letters@example.org", "harbour@gmail.com")

    assert "use a From address at your own domain" in remedies(surroundings, "D4")


def test_a_relay_is_covered_by_its_address(surroundings: Surroundings) -> None:
    surroundings.send_by(*RELAY)
    surroundings.names.put("relay.example.net", "A", "192.0.2.77")
    surroundings.names.put(DOMAIN, "TXT", "v=spf1 include:_spf.example.net -all")
    surroundings.names.put("_spf.example.net", "TXT", "v=spf1 ip4:192.0.2.64/26 -all")

    assert surroundings.faults("D1") == []
    assert surroundings.not_run("D1") == []


@pytest.mark.parametrize(
    ("record", "host"),
    [("v=spf1 a:relay.example.net -all", "relay.example.net"), ("v=spf1 mx -all", "mx.example.org")],
)
def test_a_relay_is_covered_by_its_name(surroundings: Surroundings, record: str, host: str) -> None:
    surroundings.send_by(*RELAY)
    surroundings.names.put("relay.example.net", "A", "192.0.2.77")
    surroundings.names.put(host, "A", "192.0.2.77")
    surroundings.names.put(DOMAIN, "TXT", record)

    assert surroundings.faults("D1") == []


def test_a_relay_that_is_not_covered_is_told_both_ways_to_do_so(surroundings: Surroundings) -> None:
    surroundings.send_by(*RELAY)
    surroundings.names.put("relay.example.net", "A", "192.0.2.77")
    surroundings.names.put(DOMAIN, "TXT", "v=spf1 ~ip4:192.0.2.77 -all")

    (fault,) = surroundings.faults("D1")

    assert fault.what == "the SPF record of example.org does not cover relay.example.net"
    assert "spf_include" in fault.remedy
    assert '"v=spf1 a:relay.example.net ~ip4:192.0.2.77 -all"' in fault.remedy


@pytest.mark.parametrize(
    "record", ["v=spf1 include:%{ir}._spf.example.net -all", "v=spf1 redirect=%{d}._spf.example.net"]
)
def test_a_record_that_answers_by_each_mail_is_not_judged(surroundings: Surroundings, record: str) -> None:
    surroundings.names.put(DOMAIN, "TXT", record)

    assert surroundings.faults("D1") == []
    assert surroundings.not_run("D1") == [
        "the result of the SPF record of example.org differs from email to email (macros or exists:)"
    ]


def test_what_the_settings_name_is_what_must_be_included(surroundings: Surroundings) -> None:
    surroundings.send_by(*RELAY)
    surroundings.authenticate('spf_include = "spf.example.net"')
    surroundings.names.put("spf.example.net", "TXT", "v=spf1 ip4:192.0.2.0/24 -all")
    surroundings.names.put(DOMAIN, "TXT", "v=spf1 include:spf.example.net -all")

    assert surroundings.faults("D1") == []


def test_a_relay_on_this_machine_may_pass_mail_on_from_anywhere(surroundings: Surroundings) -> None:
    surroundings.send_by('host = "127.0.0.1"', "port = 1", 'security = "none"')

    assert surroundings.faults("D1") == []
    assert "the servers through which 127.0.0.1 sends email are not known" in surroundings.not_run("D1")[0]


def test_selectors_that_nobody_knows_are_not_judged(surroundings: Surroundings) -> None:
    surroundings.send_by(*RELAY)

    assert surroundings.faults("D2") == []
    assert "set dkim_selectors under [authentication]" in surroundings.not_run("D2")[0]


def test_selectors_of_the_settings_are_told_where_they_stand(surroundings: Surroundings) -> None:
    surroundings.authenticate('dkim_selectors = ["s1", "mail2026"]')

    (fault,) = surroundings.faults("D2")

    assert "mail2026._domainkey.example.org" in fault.what
    assert str(fault.place) == "newsletter.toml:20"


def test_keys_may_stand_at_the_organisation_above(surroundings: Surroundings) -> None:
    surroundings.workspace.edit("toml", "letters@example.org", "letters@mail.example.org")

    assert surroundings.faults("D2") == []
    assert surroundings.faults("D4") == []


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("smtp.sendgrid.net", "SendGrid"),
        ("email-smtp.eu-west-1.amazonaws.com", "Amazon SES"),
        ("SMTP.Office365.com", "Microsoft"),
        ("smtp-relay.brevo.com", "Brevo"),
        ("relay.example.net", None),
        ("notbrevo.com", None),
    ],
)
def test_the_larger_carriers_are_known_by_their_hosts(host: str, name: str | None) -> None:
    carrier = carrier_of(host)

    assert (carrier.name if carrier else None) == name
