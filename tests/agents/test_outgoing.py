"""No address leaves that is not in the issue's own files, in whatever form it is written."""

from pathlib import Path

import pytest

from newsletter.agents.outgoing import REMOVED, addresses_in, cleared

ROOT = Path("/srv/news letters")
NO_ADDRESSES: frozenset[str] = frozenset()


def told(text: str, own: frozenset[str] = NO_ADDRESSES) -> str:
    return cleared(text, own=own, root=ROOT)


WRITTEN = [
    "ada@example.org",
    "Ada.Lovelace+news@mail.example.co.uk",
    "o'ada@example.org",
    '"ada lovelace"@example.org',
    "ada@[192.0.2.1]",
    "ada@localhost",
    "ada@xn--bcher-kva.example",
    "adä@bücher.example",
    "ada%40example.org",
    "ada%2540example.org",
    "ada&#64;example.org",
    "ada&#64example.org",
    "ada&#x40knee.example.org",
    "ada&#x40;example.org",
    "ada&commat;example.org",
    "ada=40example.org",
    "ada\\u0040example.org",
    "ada＠example.org",
    "ada﹫example.org",
    "bounce+ada=example.org@example.net",
    "ADA@EXAMPLE.ORG",
]
AROUND = [
    "{}",
    "<{}>",
    "mailto:{}?subject=x",
    "https://example.org/?email={}&x=1",
    'href="mailto:{}"',
    "({}),",
    "Line: {}\nnext",
    "['{}']",
    "{};{}",
    "x {}.",
    '{{"email": "{}"}}',
    "key={}",
    "/{}/",
    "{}\u200b",
]


@pytest.mark.parametrize("around", AROUND)
@pytest.mark.parametrize("written", WRITTEN)
def test_an_address_is_removed_with_its_domain(written: str, around: str) -> None:
    left = told(around.format(*[written] * around.count("{}")))
    assert REMOVED in left
    for piece in ("ada", "adä", "ADA", "lovelace", "192.0.2.1", "localhost", "bücher"):
        assert piece not in left.replace(REMOVED, "")


@pytest.mark.parametrize(
    "text",
    [
        "@media (max-width: 480px) { a { color: red } }",
        "<style>@import url(x);@font-face{}</style>",
        "a{color:red}@media (min-width:1px){b{}}@font-face{c:d}/* x */@supports(x){}",
        "50 % off @ the door",
        "2 @ 3",
        "a@",
        "@news",
        "width=40px and 40% of it",
        "https://example.org/a%20b",
        "The date is 2026-02-19, at 08:00.",
    ],
)
def test_what_is_no_address_stays(text: str) -> None:
    assert told(text) == text


def test_addresses_of_the_issue_itself_stay_in_every_spelling() -> None:
    own = addresses_in(["Write to [us](mailto:hello@example.org), or Team@Example.ORG."])
    for text in ("hello@example.org", "HELLO@example.org", "mailto:hello@example.org?subject=x", "team%40example.org"):
        assert told(text, own) == text
    assert told("hello@example.org.evil.example hello@example.com xhello@example.org", own) == " ".join([REMOVED] * 3)


def test_a_text_that_is_written_back_is_the_same() -> None:
    text = (
        "---\nx: a@example.org\n---\nTo b@example.org, <c@example.org> and https://example.org/?e=d@example.org&x=1.\n"
    )
    assert told(text, addresses_in([text])) == text


def test_no_path_of_the_computer_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ada")
    assert told("/srv/news letters/issues/x.md, /srv/news letters and /home/ada/x") == (
        "issues/x.md, the newsletter's folder and ~/x"
    )


def test_an_answer_has_a_largest_size_and_can_always_be_written() -> None:
    assert len(told("x" * 3_000_000)) < 1_000_200
    assert told("a\ud800b") == "a?b"


@pytest.mark.parametrize(
    "unit", ["a@", "@", '"@', "a" * 300 + "@", '"' + "a" * 299, "%40", "&#0064;", "a=40", "%25" * 50]
)
def test_the_search_takes_time_in_proportion_to_the_text(unit: str) -> None:
    """A quadratic search would take hours for a megabyte; pytest's own patience is the limit here."""
    told((unit * 1_000_000)[:300_000])
