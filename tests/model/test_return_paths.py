"""Addresses that name a delivery: what they look like, what forwarders do to them, and that no one can make them up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.model.return_paths import USUAL_NAME, NamedDelivery, ReturnPurpose, is_genuine, named_in, return_path

TOKEN = "Zk3vQ9pXw2Lr8TnYb5Hs1A"
PATTERN = "*@bounces.example.org"
NUMBERS = st.integers(0, 2**63 - 1)


@given(
    purpose=st.sampled_from(ReturnPurpose),
    subscriber=NUMBERS,
    broadcast=NUMBERS,
    token=st.text(min_size=1, max_size=90),
)
def test_an_address_says_again_what_it_was_made_of(
    purpose: ReturnPurpose, subscriber: int, broadcast: int, token: str
) -> None:
    address = return_path(PATTERN, purpose, subscriber, broadcast, token)

    named = named_in(address)

    assert named is not None
    assert named[:3] == (purpose, subscriber, broadcast)
    assert is_genuine(*named, token=token)
    assert address == address.lower()
    assert len(address.partition("@")[0]) <= 64


def test_the_usual_address_survives_a_forwarder() -> None:
    address = return_path(PATTERN, ReturnPurpose.BOUNCE, 36**5 - 1, 36**3 - 1, TOKEN)

    assert len(address) <= 51
    assert len(address.partition("@")[0]) == USUAL_NAME


@pytest.mark.parametrize("pattern", ["*@bounces.example.org", "bounces+*@example.org", "bounces-*@example.org"])
@pytest.mark.parametrize(
    "as_it_arrives",
    [
        "{}",
        "prvs=0042a1b2c3={}",
        "prvs=12345678=/{}",
        "btv1==123abc=={}",
        "SRS0=HhHh=TT={domain}={local}@forwarder.example.com",
        "SRS0+HhHh=TT={domain}={local}@forwarder.example.com",
        "SRS1=QqQq=first.example.net==HhHh=TT={domain}={local}@second.example.com",
        "SRS0=HhHh=TT={domain}=prvs=0042a1b2c3={local}@forwarder.example.com",
    ],
)
def test_what_forwarders_add_is_removed(pattern: str, as_it_arrives: str) -> None:
    address = return_path(pattern, ReturnPurpose.BOUNCE, 42, 7, TOKEN)
    local, _, domain = address.partition("@")
    arrived = as_it_arrives.replace("/{}", "{}").format(address, local=local, domain=domain)

    for spelling in (arrived, arrived.upper(), f"{arrived.partition('@')[0]}@mail.{arrived.partition('@')[2]}"):
        named = named_in(spelling)
        assert named is not None, spelling
        assert is_genuine(*named, token=TOKEN)


@pytest.mark.parametrize(
    "changed",
    [
        NamedDelivery(ReturnPurpose.LEAVE, 42, 7, ""),
        NamedDelivery(ReturnPurpose.BOUNCE, 43, 7, ""),
        NamedDelivery(ReturnPurpose.BOUNCE, 42, 8, ""),
        NamedDelivery(ReturnPurpose.BOUNCE, 4, 27, ""),
    ],
)
def test_a_code_fits_only_its_purpose_its_person_and_its_broadcast(changed: NamedDelivery) -> None:
    named = named_in(return_path(PATTERN, ReturnPurpose.BOUNCE, 42, 7, TOKEN))
    assert named is not None

    assert not is_genuine(changed.purpose, changed.subscriber, changed.broadcast, named.code, token=TOKEN)
    assert not is_genuine(*named, token=f"{TOKEN}x")
    assert not is_genuine(*named[:3], "é" * 16, token=TOKEN)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "@",
        "news@example.org",
        "b.16.7.short@example.org",
        "b.16.7.anb3jdy4df4bhi3b9@example.org",
        "xb.16.7.anb3jdy4df4bhi3b@example.org",
        "b..7.anb3jdy4df4bhi3b@example.org",
        "c.16.7.anb3jdy4df4bhi3b@example.org",
        "b.zzzzzzzzzzzzz.zzzzzzzzzzzzz.anb3jdy4df4bhi3b@example.org",
        "b.٧.7.anb3jdy4df4bhi3b@example.org",
        "prvs=" * 5000,
        "srs0=" * 5000 + "@example.org",
    ],
)
def test_other_addresses_name_no_delivery(address: str) -> None:
    assert named_in(address) is None


def test_a_pattern_without_a_star_is_the_same_address_for_everyone() -> None:
    assert return_path("bounces@example.org", ReturnPurpose.BOUNCE, 42, 7, TOKEN) == "bounces@example.org"
