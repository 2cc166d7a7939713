"""What may stand in `[authentication]`."""

import pytest
from pydantic import ValidationError

from newsletter.settings.authentication import AuthenticationSettings, read_nameserver


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("192.0.2.1", ("192.0.2.1", 53)),
        ("192.0.2.1:5353", ("192.0.2.1", 5353)),
        ("2001:db8::1", ("2001:db8::1", 53)),
        ("[2001:db8::1]", ("2001:db8::1", 53)),
        ("[2001:db8::1]:5353", ("2001:db8::1", 5353)),
    ],
)
def test_a_name_server_is_an_address_and_a_port(written: str, read: tuple[str, int]) -> None:
    assert read_nameserver(written) == read
    assert AuthenticationSettings(nameservers=(written,)).nameserver_addresses == (read,)


@pytest.mark.parametrize("written", ["", "dns.example.org", "192.0.2.300", "192.0.2.1:0", "192.0.2.1:70000", "1:2"])
def test_what_is_no_name_server_is_refused(written: str) -> None:
    with pytest.raises(ValidationError, match="is not the address of a name server"):
        AuthenticationSettings(nameservers=(written,))


@pytest.mark.parametrize("key", ["dkim_domain", "envelope_domain", "spf_include"])
@pytest.mark.parametrize("written", ["example", "a b.example.org", "-.example.org", "exämple.org"])
def test_what_is_no_domain_is_refused(key: str, written: str) -> None:
    with pytest.raises(ValidationError, match="is not a"):
        AuthenticationSettings.model_validate({key: written})


def test_domains_are_kept_in_small_letters_without_a_dot_at_their_end() -> None:
    settings = AuthenticationSettings.model_validate({"envelope_domain": "EM7.Example.org.", "dkim_selectors": ["S1"]})

    assert (settings.envelope_domain, settings.dkim_selectors) == ("em7.example.org", ("s1",))
