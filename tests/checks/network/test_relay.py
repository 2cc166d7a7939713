"""Encryption on the way to the relay."""

import pytest

from tests.checks.network.surroundings import Surroundings, server_context
from tests.providers.smtp_server import SmtpServer


def test_a_relay_with_starttls_and_a_valid_certificate_is_fine(surroundings: Surroundings) -> None:
    with SmtpServer(tls=server_context("localhost")) as relay:
        surroundings.send_by('host = "localhost"', f"port = {relay.port}")

        assert surroundings.faults("D6") == []
        assert surroundings.not_run("D6") == []
        assert relay.taken == []


def test_a_relay_without_starttls_blocks(surroundings: Surroundings) -> None:
    with SmtpServer() as relay:
        surroundings.send_by('host = "localhost"', f"port = {relay.port}", 'security = "starttls"')

        (fault,) = surroundings.faults("D6")

    assert (fault.severity.value, str(fault.place)) == ("error", "newsletter.toml:22")
    assert "does not offer STARTTLS" in fault.what


def test_a_certificate_for_another_name_blocks(surroundings: Surroundings) -> None:
    with SmtpServer(tls=server_context("relay.example.net")) as relay:
        surroundings.send_by('host = "localhost"', f"port = {relay.port}")

        (fault,) = surroundings.faults("D6")

    assert str(fault.place) == "newsletter.toml:20"
    assert "certificate" in fault.what


def test_no_encryption_is_asked_where_mail_crosses_no_network(surroundings: Surroundings) -> None:
    surroundings.send_by('host = "localhost"', "port = 1", 'security = "none"')

    assert surroundings.faults("D6") == []
    assert surroundings.not_run("D6") == []


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_relay_that_is_not_there_is_not_judged(surroundings: Surroundings, security: str) -> None:
    surroundings.send_by('host = "localhost"', "port = 1", f'security = "{security}"')

    assert surroundings.faults("D6") == []
    assert "the mail server localhost:1 cannot be reached" in surroundings.not_run("D6")[0]


def test_a_relay_that_speaks_no_tls_where_tls_is_asked_blocks(surroundings: Surroundings) -> None:
    with SmtpServer() as relay:
        surroundings.send_by('host = "localhost"', f"port = {relay.port}", 'security = "tls"')

        (fault,) = surroundings.faults("D6")

    assert "no encrypted connection" in fault.what
