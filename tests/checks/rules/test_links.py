"""Where links lead, and whether their words say so."""

import pytest

from newsletter.model.finding import Severity
from tests.checks.conftest import Workspace, findings_of, summary, with_html

STUDY = "https://example.org/study"


def severities(workspace: Workspace, *, rule: str) -> list[Severity]:
    return [finding.severity for finding in findings_of(workspace.subject()) if finding.rule == rule]


@pytest.mark.parametrize("address", ["study", "/study", "www.example.org/study", "#study", ""])
def test_an_address_that_is_not_whole_blocks_at_its_line(workspace: Workspace, address: str) -> None:
    workspace.edit("letter", STUDY, address)

    assert workspace.findings() == [("S10", "letter.md:10")]
    assert severities(workspace, rule="S10") == [Severity.ERROR]


def test_a_merge_field_may_be_a_whole_address(workspace: Workspace) -> None:
    workspace.edit("letter", f"({STUDY})", '(<{{ link | default("https://www.example.org/study") }}>)')

    assert workspace.findings() == []


def test_a_default_that_is_no_address_blocks_and_is_shown_as_written(workspace: Workspace) -> None:
    workspace.edit("letter", f"({STUDY})", '(<{{ link | default("x") }}>)')

    (finding,) = findings_of(workspace.subject())

    assert (finding.rule, finding.place.line) == ("M3", 10)
    assert '{{ link | default("x") }}' in finding.what


@pytest.mark.parametrize(
    "address", ["http://example.org/study", "https://bit.ly/3xYz", "https://www.tinyurl.com/study"]
)
def test_an_insecure_or_disguised_address_blocks_at_its_line(workspace: Workspace, address: str) -> None:
    workspace.edit("letter", STUDY, address)

    assert workspace.findings() == [("S10", "letter.md:10")]
    assert severities(workspace, rule="S10") == [Severity.ERROR]


@pytest.mark.parametrize(
    "words",
    [
        "https:/example.org/study",
        "https//example.org/study",
        "htpps://example.org/study",
        "http:\\\\example.org",
        "ana@example",
        "ana@harbour.con",
        "ana@example,org",
    ],
)
def test_an_address_that_is_mistyped_in_the_text_blocks_at_its_line(workspace: Workspace, words: str) -> None:
    workspace.edit("letter", "grow longer", f"grow longer\nat {words} too")

    (finding,) = [each for each in findings_of(workspace.subject()) if each.rule == "S10"]

    assert (finding.severity, finding.place.line) == (Severity.ERROR, 10)


@pytest.mark.parametrize(
    "words",
    ["@ana@social.example.org", "we @ work", "ana@example.org", "and/or http", "hhh//", "`ana@host`", "C:/ or //host"],
)
def test_words_with_such_signs_are_fine(workspace: Workspace, words: str) -> None:
    workspace.edit("letter", "grow longer", f"grow longer\nat {words} too")

    assert workspace.findings() == []


@pytest.mark.parametrize(
    "part", ["fbclid=IwAR1x", "gclid=x", "mc_eid=a1b2", "_hsenc=p2", "MSCLKID=1", "ck_subscriber_id=3"]
)
def test_an_address_that_follows_the_person_who_copied_it_is_told(workspace: Workspace, part: str) -> None:
    workspace.edit("letter", STUDY, f"{STUDY}?page=2&{part}#top")

    (finding,) = findings_of(workspace.subject())

    assert (finding.rule, finding.severity, finding.place.line) == ("S10", Severity.WARNING, 10)
    assert finding.remedy == f"delete “{part}” from it"


@pytest.mark.parametrize("part", ["utm_source=letter", "id=gclid", "fbclid=", "fbclid"])
def test_an_address_that_follows_no_one_is_fine(workspace: Workspace, part: str) -> None:
    workspace.edit("letter", STUDY, f"{STUDY}?{part}")

    assert workspace.findings() == []


@pytest.mark.parametrize(
    "address",
    [
        "https://example.org/t.co/study",
        "https://not-bit.ly/study",
        'https://example.org/study?for={{ first_name | default("you") }}',
        "mailto:hello@example.org?subject=Study",
        "tel:+353911234567",
    ],
)
def test_whole_and_safe_addresses_are_fine(workspace: Workspace, address: str) -> None:
    workspace.edit("letter", f"({STUDY})", f"(<{address}>)".replace('"', "'"))

    assert workspace.findings() == []


@pytest.mark.parametrize("address", ["javascript:alert(1)", "file:///study", "ftp://example.org", "https://[x"])
def test_an_address_that_mail_programs_block_blocks(workspace: Workspace, address: str) -> None:
    html = f'<a href="{address}">Our catalog</a></h1>'
    edited = with_html(workspace.subject(), lambda part: part.replace("</h1>", html))

    assert [found for found in summary(findings_of(edited)) if found[0] != "S2"] == [("S10", "issue.yaml")]


def test_an_address_that_only_outlook_sees_is_checked_too(workspace: Workspace) -> None:
    html = '</h1><!--[if mso]><v:rect alt="" href="study"></v:rect><![endif]-->'
    edited = with_html(workspace.subject(), lambda part: part.replace("</h1>", html))

    assert summary(findings_of(edited)) == [("S10", "issue.yaml")]


def test_an_address_in_front_matter_is_told_at_its_key(workspace: Workspace) -> None:
    workspace.edit("workshop", "https://example.org/rest", "http://example.org/rest")

    assert workspace.findings() == [("S10", "events/workshop.md:10")]


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ("https://cdn.example.com/icon.png", [("S10", "issue.yaml")]),
        ("http://example.org/icon.png", [("S10", "issue.yaml")]),
        ("icon.png", [("S10", "issue.yaml")]),
        ("https://example.org/icon.png", []),
        ("https://news.example.org/icon.png", []),
    ],
)
def test_pictures_come_from_the_newsletter_s_own_hosts(
    workspace: Workspace, address: str, found: list[tuple[str, str]]
) -> None:
    html = f'<img alt="" src="{address}"></h1>'
    edited = with_html(workspace.subject(), lambda part: part.replace("</h1>", html))

    assert summary(findings_of(edited)) == found


@pytest.mark.parametrize("words", ["here", "Click here!", "Read more →", "learn more", "LINK", "hier", "Más", "こちら"])
def test_a_link_that_says_nothing_blocks_at_its_line(workspace: Workspace, words: str) -> None:
    workspace.edit("letter", "[our study of kindness]", f"[{words}]")

    assert workspace.findings() == [("A4", "letter.md:10")]


@pytest.mark.parametrize("words", ["here is our study", "Read more about kindness", "Links", "**our study**"])
def test_a_link_that_names_its_aim_is_fine(workspace: Workspace, words: str) -> None:
    workspace.edit("letter", "[our study of kindness]", f"[{words}]")

    assert workspace.findings() == []


def test_a_link_without_text_blocks_at_its_line(workspace: Workspace) -> None:
    workspace.edit("letter", "[our study of kindness]", "[]")

    assert workspace.findings() == [("A4", "letter.md:10")]


def test_a_linked_picture_speaks_by_its_description(workspace: Workspace) -> None:
    workspace.edit("letter", "![Two hands around a cup](images/cup.png)", f"[![A cup](images/cup.png)]({STUDY}#cup)")

    assert workspace.findings() == []


def test_the_same_words_for_two_places_are_told_at_the_second(workspace: Workspace) -> None:
    workspace.edit("letter", "[the poem that opens it]", "[Our study of kindness]")

    assert workspace.findings() == [("A4", "letter.md:16")]
    assert severities(workspace, rule="A4") == [Severity.WARNING]


def test_the_same_words_for_the_same_place_are_fine(workspace: Workspace) -> None:
    workspace.edit("letter", "[the poem that opens it](https://example.org/poem)", f"[Our study of kindness]({STUDY}/)")

    assert workspace.findings() == []


def test_a_label_tells_links_with_the_same_words_apart(workspace: Workspace) -> None:
    workspace.edit("letter", "[our study of kindness]", "[the poem that opens it]")
    label = 'aria-label="The poem about harbours"'

    edited = with_html(
        workspace.subject(),
        lambda part: part.replace('href="https://example.org/poem"', f'{label} href="https://example.org/poem"'),
    )

    assert summary(findings_of(edited)) == []


def test_a_label_gives_words_to_a_link_that_has_none(workspace: Workspace) -> None:
    html = f'<a href="{STUDY}" aria-label="The study, once more"><img alt="" src="cid:x"></a></h1>'
    edited = with_html(workspace.subject(), lambda part: part.replace("</h1>", html))

    assert summary(findings_of(edited)) == []


def test_hidden_links_need_no_words(workspace: Workspace) -> None:
    html = f'<span style="display: none"><a href="{STUDY}">here</a></span></h1>'
    edited = with_html(workspace.subject(), lambda part: part.replace("</h1>", html))

    assert summary(findings_of(edited)) == []


def test_address_that_is_wrong_in_two_files_is_told_in_both(workspace: Workspace) -> None:
    wrong = "[our study of kindness](https://staging.example.org/study)"
    workspace.edit("letter", f"[our study of kindness]({STUDY})", wrong)
    workspace.edit("workshop", "Bring a blanket.", f"Bring {wrong}.")

    assert workspace.findings() == [("S10", "events/workshop.md:12"), ("S10", "letter.md:10")]
