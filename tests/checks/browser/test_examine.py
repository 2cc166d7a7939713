"""The whole probe, on emails that break A6 or S13 and on emails that almost do."""

from datetime import UTC, datetime
from pathlib import Path

from msgspec.structs import replace

from newsletter.checks.base import Circumstances, Subject, read_context
from newsletter.checks.browser.examine import MOST_VARIANTS, examine, telling_documents
from newsletter.checks.reading.document import MailDocument
from tests.checks.conftest import ISSUE, Workspace, with_html

CIRCUMSTANCES = Circumstances(memory_folder=Path("unused"), now=datetime(2026, 3, 1, tzinfo=UTC))
LONG_WORD = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerk"
WIDE_TABLE = "| Port | Arrival | Departure |\n|---|---|---|\n" + "| " + " | ".join(["Kristiansund" * 2] * 3) + " |"
NIGHT = "@media (prefers-color-scheme: dark) { h2 { color: #E8E8E8 !important; } }"


def unbreakable(workspace: Workspace) -> Workspace:
    """The workspace with a theme that breaks no words."""
    with (workspace.root / "templates/author.css.j2").open("a") as css:
        css.write(".prose p, .prose td, .prose th { word-break: normal; overflow-wrap: normal; }\n")
    return workspace


def seen(subject: Subject) -> list[tuple[str, str, str]]:
    """Rule, place and words of everything that the browser finds."""
    faults = examine(read_context(subject), CIRCUMSTANCES).problems
    return [(rule, str(fault.place).removeprefix(f"{ISSUE}/"), fault.what) for rule, fault in faults]


def test_what_axe_finds_is_told_at_the_line_that_caused_it(workspace: Workspace) -> None:
    workspace.edit("toml", "[segments]", '[brand.light]\nink = "#222222"\naccent = "#C8A2A2"\n\n[segments]')
    workspace.edit("mjml", "<mj-text><h1>", '<mj-text color="{{ brand.light.accent }}"><h1>')
    workspace.edit(
        "mjml", "<mj-style></mj-style>", f"<mj-style>{NIGHT} .prose a {{ text-decoration: none; }}</mj-style>"
    )
    subject = with_html(workspace.subject(), lambda html: html.replace('alt="Two hands around a cup"', ""))

    found = seen(subject)

    assert [(rule, place) for rule, place, _ in found] == [
        ("A6", "newsletter.toml:15"),
        ("A6", "letter.md:2"),
        ("A6", "letter.md:12"),
        ("A6", "letter.md:10"),
    ]
    brand, night, picture, link = (what for _, _, what in found)
    assert brand.startswith("“The first days of March” is hard to read: #c8a2a2 on #ffffff has a contrast of 2.")
    assert night.startswith("“Spring by the water” is hard to read in dark mode: #e8e8e8 on #ffffff")
    assert ", and in 2 more places (axe: color-contrast)" in night
    assert picture.startswith("the image cup")
    assert "has no description" in picture
    assert picture.endswith("(axe: image-alt)")
    assert link.startswith("“our study of kindness” is a link ")
    assert link.endswith("(axe: link-in-text-block)")


def test_a_color_of_the_user_s_that_is_too_faint_in_many_places_is_told_once(workspace: Workspace) -> None:
    workspace.edit("toml", "[segments]", '[brand.light]\naccent = "#C8A2A2"\n\n[segments]')
    workspace.edit(
        "mjml",
        "<mj-text><h1>",
        '<mj-text color="{{ brand.light.accent }}" container-background-color="#F0F0F0">On gray</mj-text>'
        '<mj-text color="{{ brand.light.accent }}"><h1>',
    )

    ((rule, place, what),) = seen(workspace.subject())

    assert (rule, place) == ("A6", "newsletter.toml:14")
    assert what.startswith("“On gray” is hard to read: #c8a2a2 on #f0f0f0")
    assert ", and in 1 more place " in what


def test_what_is_too_wide_is_told_at_its_line_however_much_it_widens(workspace: Workspace) -> None:
    unbreakable(workspace).edit("letter", "the days grow longer", f"the {LONG_WORD} grows longer")
    workspace.edit("meditation", "Sit down where it is quiet.", WIDE_TABLE)

    found = seen(workspace.subject())

    assert [(rule, place) for rule, place, _ in found] == [("S13", "letter.md:9"), ("S13", "meditation.md:8")]
    assert found[0][2].startswith("on a screen 360 pixels wide, the email scrolls sideways: “")
    assert "the table with “Port” makes it " in found[1][2]


def test_what_keeps_the_rules_only_just_is_not_told(workspace: Workspace) -> None:
    workspace.edit("toml", "[segments]", '[brand.light]\naccent = "#767676"\n\n[segments]')
    workspace.edit("mjml", "<mj-text><h1>", '<mj-text color="{{ brand.light.accent }}"><h1>')
    workspace.edit("letter", "the days grow longer", f"the {LONG_WORD} grows longer")
    workspace.edit("meditation", "Sit down where it is quiet.", WIDE_TABLE)
    subject = with_html(workspace.subject(), lambda html: html.replace('alt="Two hands around a cup"', 'alt=""'))

    assert seen(subject) == []


def test_a_merge_field_is_as_wide_as_a_long_name_and_is_told_as_it_was_written(workspace: Workspace) -> None:
    unbreakable(workspace).edit("letter", "Dear {{ first_name", "Dear FriendOfTheHouseAndHarbour{{ first_name")

    ((_, place, _),) = seen(workspace.subject())

    assert place == "letter.md:7"


def test_variants_are_looked_at_while_they_say_something_new(workspace: Workspace) -> None:
    (document,) = read_context(workspace.subject()).documents

    def saying(*lines: str) -> MailDocument:
        return replace(document, lines=lines)

    fullest, part, other = saying("a", "b", "c"), saying("a", "b"), saying("a", "d")
    assert list(telling_documents((part, fullest, other))) == [fullest, other]


def test_variants_that_are_too_many_to_be_looked_at_are_told_as_not_judged(workspace: Workspace) -> None:
    context = read_context(workspace.subject())
    (document,) = context.documents
    many = tuple(replace(document, lines=(str(number),)) for number in range(MOST_VARIANTS + 2))

    probed = examine(replace(context, documents=many), CIRCUMSTANCES)

    assert [each.rule for each in probed.not_run] == ["A6", "S13"]
    assert all(each.why.startswith("2 variants of the email") for each in probed.not_run)
    assert all(f"only the {MOST_VARIANTS} with" in each.why for each in probed.not_run)
