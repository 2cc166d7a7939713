"""Tracking changes the links of a finished email, and nothing else of it."""

import re
from html import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from newsletter.model.personal_links import Purpose, code_of
from newsletter.model.readership import TRACKING, VERSION, Readership, TrackingMode
from newsletter.model.rendered import RenderedVariant
from newsletter.model.slot_sources import Column, OwnLink, TrackingCode
from newsletter.model.slots import ChunkColumns, Escape, Link, Slot, Template
from newsletter.model.tracked_address import (
    MOST_LINKS,
    PICTURE,
    code_for_all,
    codes_for_each,
    is_picture,
    read_tracked_address,
)
from newsletter.model.tracking import CANARY, with_tracking

SERVICE = "https://news.example.org"
PEOPLE = ((7, "token-of-seven"), (12, "token-of-twelve"))
SLOTS = (Slot(Column("first_name"), Escape.URL), Slot(OwnLink(Link.UNSUBSCRIBE), Escape.LINK))


def variant(html: str, *, mode: TrackingMode = TrackingMode.CONSENTED) -> RenderedVariant:
    """A variant of this HTML, in which `{0}` and `{1}` are the first name and the link for leaving."""
    parts, slots = [], []
    for part in re.split(r"(\{[01]\})", html):
        if re.fullmatch(r"\{[01]\}", part):
            slots.append(int(part[1]))
        else:
            parts.append(part)
    plain = Template(("Words",))
    return RenderedVariant(
        readership=Readership(((TRACKING, mode.value),)),
        language="en",
        subject=plain,
        preheader=plain,
        html=Template(tuple(parts), tuple(slots)),
        text=plain,
        slots=SLOTS,
        pictures=(),
    )


def sent(variant: RenderedVariant, *, person: int = 0) -> str:
    """The HTML as a person gets it."""
    chunk = ChunkColumns(
        fields={"first_name": ("Ana", "Bo")},
        links={Link.UNSUBSCRIBE: (f"{SERVICE}/u/7-x", f"{SERVICE}/u/12-x")},
        people=PEOPLE,
        broadcast=3,
        nonce="0f0f",
    )
    return variant.html.fill(tuple(slot.source.column(chunk)[person] for slot in variant.slots))


def targets(html: str, **values: TrackingMode) -> list[str]:
    """Where the tracked links of an email lead, without the one that no person sees."""
    found = with_tracking([variant(f"<body>{html}</body>", **values)], service_url=SERVICE).links
    return [link.address for number, link in found.items() if number != PICTURE and link.address != CANARY]


@pytest.mark.parametrize(
    ("html", "tracked"),
    [
        ('<a href="https://example.org/a">a</a>', ["https://example.org/a"]),
        ('<a class="x" href="http://example.org/?a=1&amp;b=2" style="y">a</a>', ["http://example.org/?a=1&b=2"]),
        ('<A HREF="https://example.org/a">a</A>', ["https://example.org/a"]),
        ('<a href="https://example.org/a">a</a><a href="https://example.org/a">b</a>', ["https://example.org/a"]),
        ('<a href="https://example.org/ä#ö">a</a>', ["https://example.org/ä#ö"]),
        ('<a href="{1}">leave</a>', []),
        ('<a href="https://example.org/?who={0}">a</a>', []),
        ('<a href="https://example.org/" title="{0}">a</a>', []),
        ('<a href="https://example.org/a" clicktracking="off">a</a>', []),
        ('<a clicktracking=off href="https://example.org/a">a</a>', []),
        (f'<a href="{SERVICE}/join">a</a>', []),
        ('<a href="mailto:ana@example.org">a</a><a href="tel:1">b</a><a href="#top">c</a>', []),
        ('<a href="javascript:alert(1)">a</a><a href="data:text/html,x">b</a>', []),
        ('<img src="https://example.org/a.png"><link href="https://example.org/a.css">', []),
        ("<p>https://example.org/a</p>", []),
    ],
)
def test_links_with_an_address_of_their_own_are_tracked(html: str, tracked: list[str]) -> None:
    assert targets(html) == tracked


def test_only_links_change_and_a_picture_and_a_hidden_link_come_to_the_end() -> None:
    before = '<body><p>{0}: <a href="https://example.org/a">a</a> <a href="{1}">b</a></p></body></html>'
    (after,) = with_tracking([variant(before)], service_url=SERVICE).variants
    html = sent(after)

    link, canary = re.findall(rf'href="({SERVICE}/c/[^"]*)"', html)
    (picture,) = re.findall(rf'src="({SERVICE}/o/[^"]*)"', html)
    rest = html.replace(link, "https://example.org/a")
    rest = rest.replace(f'<a href="{canary}" aria-hidden="true" tabindex="-1"></a>', "")
    rest = re.sub(r'<img src="[^"]*" width="1" height="1" alt="" style="[^"]*">', "", rest)
    assert rest == before.replace("{0}", "Ana").replace("{1}", f"{SERVICE}/u/7-x")
    assert picture.startswith(f"{SERVICE}/o/7-3-0-")
    assert after.text == variant(before).text


def test_each_reader_has_links_of_their_own_and_all_share_those_of_totals() -> None:
    html = '<body><a href="https://example.org/a">a</a></body>'
    (each,) = with_tracking([variant(html)], service_url=SERVICE).variants
    (shared,) = with_tracking([variant(html, mode=TrackingMode.TOTALS)], service_url=SERVICE).variants

    assert sent(each) != sent(each, person=1)
    assert sent(shared) == sent(shared, person=1)
    assert "aria-hidden" not in sent(shared)


def test_untracked_variant_is_unchanged_and_numbers_are_shared_by_all_variants() -> None:
    first = '<body><a href="https://example.org/a">a</a></body>'
    second = '<body><a href="https://example.org/b">b</a><a href="https://example.org/a">a</a></body>'
    plain = variant(first, mode=TrackingMode.OFF)
    tracked = with_tracking([variant(first), plain, variant(second)], service_url=SERVICE)

    assert tracked.variants[1] is plain
    assert tracked.mode is TrackingMode.CONSENTED
    addresses = {number: link.address for number, link in tracked.links.items()}
    assert addresses == {PICTURE: "", 1: "https://example.org/a", 2: CANARY, 3: "https://example.org/b"}
    assert TrackingCode(1, is_for_all=False) in [slot.source for slot in tracked.variants[2].slots]
    assert with_tracking([plain], service_url=SERVICE).mode is TrackingMode.OFF


def test_versions_have_numbers_of_their_own_in_totals() -> None:
    def of(version: str, mode: TrackingMode) -> RenderedVariant:
        made = variant('<body><a href="https://example.org/a">a</a></body>', mode=mode)
        return replace(made, readership=Readership(((TRACKING, mode.value), (VERSION, version))))

    totals = with_tracking([of("A", TrackingMode.TOTALS), of("B", TrackingMode.TOTALS)], service_url=SERVICE)
    links = {number: tuple(link) for number, link in totals.links.items()}
    pictures = {number for number in links if is_picture(number)}
    assert {links[number] for number in pictures} == {("", "A"), ("", "B")}
    assert [links[number] for number in sorted(links.keys() - pictures)] == [
        ("https://example.org/a", "A"),
        ("https://example.org/a", "B"),
    ]
    assert len({sent(each) for each in totals.variants}) == 2
    for number in pictures:
        assert read_tracked_address(code_for_all(3, "0f0f", number)) is not None

    each = with_tracking([of("A", TrackingMode.CONSENTED), of("B", TrackingMode.CONSENTED)], service_url=SERVICE)
    assert len({sent(each) for each in each.variants}) == 1


def test_an_email_with_very_many_links_has_some_that_are_not_tracked() -> None:
    html = "".join(f'<a href="https://example.org/{number}">x</a>' for number in range(MOST_LINKS + 20))

    assert len(targets(html)) == MOST_LINKS


pieces = st.lists(
    st.sampled_from(("{0}", "{1}", " ", "</a>", "<p>", '"', "<", ">", "</body>", "&amp;", "text"))
    | st.builds(
        lambda address, more: f'<a{more} href="{escape(address)}">',
        st.sampled_from(("https://example.org/a", "http://example.org/?q=1&x=2", "mailto:a@example.org", "{1}")),
        st.sampled_from(("", ' class="b"', ' title="{0}"', ' clicktracking="off"')),
    ),
    max_size=12,
).map("".join)


@given(pieces)
def test_with_the_real_addresses_put_back_the_email_is_the_same(html: str) -> None:
    before = variant(html)
    tracked = with_tracking([before], service_url=SERVICE)
    after = sent(tracked.variants[0])

    for number, link in tracked.links.items():
        if link.address != CANARY:
            target = escape(link.address).replace("\\", "")
            after = re.sub(rf"{SERVICE}/c/7-3-{number}-[0-9A-Za-z_-]{{22}}", target, after)
    after = re.sub(r'<a href="[^"]*" aria-hidden="true" tabindex="-1"></a><img src="[^"]*/o/[^>]*>', "", after)
    assert after == sent(before)


@given(
    st.lists(st.tuples(st.integers(1, 10**17), st.text("abcXYZ019_-", min_size=16, max_size=32)), max_size=3),
    st.integers(1, 10**9),
    st.integers(0, 999),
)
def test_addresses_are_read_as_they_were_made(people: list[tuple[int, str]], broadcast: int, number: int) -> None:
    purpose = Purpose.CLICK if number else Purpose.OPEN
    for (subscriber, token), text in zip(people, codes_for_each(people, broadcast, number), strict=True):
        about = f"{subscriber}-{broadcast}-{number}"
        address = read_tracked_address(text)

        assert text == f"{about}-{code_of(token, purpose, about)}"
        assert address is not None
        assert (address.subscriber, address.broadcast, address.number) == (subscriber, broadcast, number)
        assert address.is_made_with(token)
        assert not address.is_made_with(token + "x")
        assert not replace(address, number=number + 1).is_made_with(token)
    shared = read_tracked_address(code_for_all(broadcast, "nonce", number))
    assert shared is not None
    assert shared.is_made_with("nonce")


@given(st.text() | st.from_regex(r"[0-9٧]{1,3}(-[0-9]{1,3}){2}-[A-Za-z0-9_-]{20,24}", fullmatch=True))
def test_any_text_from_outside_is_read_or_refused(text: str) -> None:
    address = read_tracked_address(text)

    assert address is None or not address.is_made_with("token")
