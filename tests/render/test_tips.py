"""The tips section: the same steps in HTML and text, for all readers or for each mailbox provider's."""

import pytest
from lxml import html as lxml_html
from msgspec.structs import replace

from newsletter.model.issue import Tips
from newsletter.model.mailbox import APPS_OF_MAILBOX, MailApp, MailboxProvider
from newsletter.model.readership import Reader
from newsletter.model.rendered import RenderedIssue, RenderedVariant
from tests.render.conftest import Mail, Render
from tests.render.values import slot_values
from tests.steps import steps_file
from tests.workspaces import ISSUE


def tips_issue(front_matter: str, *, language: str = "en", only: str = "") -> dict[str, str | bytes]:
    entry = f"  - section: tips\n    only: {only}\n" if only else "  - tips\n"
    return {
        "issues/2026-02/issue.yaml": f"{ISSUE}{entry}language: {language}\n",
        "issues/2026-02/tips.md": f"---\ntitle: Find us\n{front_matter}\n---\nA few steps.\n",
    }


def cards_in(variant: RenderedVariant) -> list[tuple[str, list[str]]]:
    """The cards of the HTML: each one's title and steps."""
    tree = lxml_html.document_fromstring(variant.html.fill(slot_values(variant.slots, {})))
    return [
        (card.xpath("string(.//h3)"), [step.text_content() for step in card.iter("li")])
        for card in tree.xpath("//*[contains(@class, 'tip-text')]")
    ]


def cards_of(mail: Mail, *apps: MailApp) -> list[tuple[str, list[str]]]:
    tips = mail.issue.tips
    assert isinstance(tips, Tips)
    return [(tips.of(app).title, list(tips.of(app).steps)) for app in apps]


def text_of(variant: RenderedVariant) -> str:
    return " ".join(variant.text.fill(slot_values(variant.slots, {})).split())


def variant_at(rendered: RenderedIssue, mailbox: MailboxProvider) -> RenderedVariant:
    (variant,) = [each for each in rendered.variants if each.readership.mailbox is mailbox]
    return variant


def test_all_readers_share_one_variant_with_all_apps(render: Render) -> None:
    mail = render(tips_issue("show: all"))
    (variant,) = mail.rendered.variants
    assert variant.readership.mailbox is None
    assert cards_in(variant) == cards_of(mail, *MailApp)


def test_only_the_named_apps_are_shown(render: Render) -> None:
    mail = render(tips_issue("show: all\napps: [yahoo, apple-mail]"))
    assert cards_in(mail.rendered.fullest) == cards_of(mail, MailApp.YAHOO, MailApp.APPLE_MAIL)


@pytest.mark.parametrize("language", ["en", "de", "ar", "ja"])
def test_each_mailbox_sees_its_own_steps_in_html_and_text(render: Render, language: str) -> None:
    mail = render(tips_issue("show: own", language=language))
    assert {variant.readership.mailbox for variant in mail.rendered.variants} == set(APPS_OF_MAILBOX)
    for mailbox, apps in APPS_OF_MAILBOX.items():
        variant = variant_at(mail.rendered, mailbox)
        assert cards_in(variant) == cards_of(mail, *apps)
        shown = text_of(variant).replace(" ", "")
        for app in MailApp:
            steps = [step.replace("\N{NO-BREAK SPACE}", "").replace(" ", "") for step in mail.issue.tips.of(app).steps]  # type: ignore[union-attr]
            is_shown = all(f"{number}.{step}" in shown for number, step in enumerate(steps, start=1))
            assert is_shown == (app in apps)


def test_steps_read_from_right_to_left_where_the_language_does(render: Render) -> None:
    variant = variant_at(render(tips_issue("show: own", language="he")).rendered, MailboxProvider.GMAIL)
    tree = lxml_html.document_fromstring(variant.html.fill(slot_values(variant.slots, {})))
    (first, *_) = tree.xpath("//*[contains(@class, 'tip-text')]//ol")
    assert "padding-right:18px" in first.get("style")
    assert first.xpath("ancestor::*[@dir][1]/@dir") == ["rtl"]


def test_each_value_of_each_axis_is_judged_once_with_all_else_shown(render: Render) -> None:
    rendered = render(tips_issue("show: own", only="teachers")).rendered
    judged = [(variant.readership.mailbox, bool(cards_in(variant))) for variant in rendered.variants]
    others = [mailbox for mailbox in APPS_OF_MAILBOX if mailbox is not MailboxProvider.OTHER]
    assert sorted(judged) == sorted(
        [(MailboxProvider.OTHER, True), (MailboxProvider.OTHER, False), *((mailbox, True) for mailbox in others)]
    )


def test_any_other_variant_is_rendered_when_it_is_asked_for_and_once(render: Render) -> None:
    rendered = render(tips_issue("show: own", only="teachers")).rendered
    reader = Reader(email="ana@gmail.com")
    variant = rendered.variant_of(reader)
    assert variant not in rendered.variants
    assert (variant.readership.mailbox, cards_in(variant)) == (MailboxProvider.GMAIL, [])
    assert rendered.variant_of(replace(reader, email="bo@googlemail.com")) is variant


def test_the_fullest_variant_is_the_one_for_other_mailboxes(render: Render) -> None:
    fullest = render(tips_issue("show: own", only="teachers")).rendered.fullest.readership
    assert (fullest.segments, fullest.mailbox) == ({"teachers"}, MailboxProvider.OTHER)


MAILBOX_OF = {
    "ana@gmail.com": MailboxProvider.GMAIL,
    "ANA@GOOGLEMAIL.COM": MailboxProvider.GMAIL,
    "ana@mac.com": MailboxProvider.ICLOUD,
    "ana@live.nl": MailboxProvider.OUTLOOK,
    "ana@aol.com": MailboxProvider.YAHOO,
    "ana@proton.me": MailboxProvider.OTHER,  # it has no steps of its own
    "ana@bücher.example": MailboxProvider.OTHER,
}


def test_address_and_segments_decide_what_a_reader_gets(render: Render) -> None:
    rendered = render(tips_issue("show: own", only="teachers")).rendered
    for address, mailbox in MAILBOX_OF.items():
        for segments in (frozenset[str](), frozenset({"teachers", "somewhere else"})):
            got = rendered.variant_of(Reader(email=address, segments=segments)).readership
            assert (got.mailbox, got.segments) == (mailbox, segments & {"teachers"}), address


def test_an_address_makes_no_difference_where_all_see_the_same(render: Render) -> None:
    rendered = render(tips_issue("show: all")).rendered
    assert {rendered.variant_of(Reader(email=address)).readership for address in MAILBOX_OF} == {
        rendered.fullest.readership
    }


def test_what_readers_of_one_mailbox_see_is_part_of_the_content(render: Render) -> None:
    files = tips_issue("show: own")
    before = render(files).rendered.content_hash
    changed = {"templates/tips/en.yaml": steps_file().replace("Choose “Add to contacts” and save.", "Add us.")}
    assert render({**files, **changed}).rendered.content_hash != before


def test_own_cards_stay_as_they_are_written(render: Render) -> None:
    mail = render(tips_issue("cards:\n  - title: Ours\n    steps: [One., Two.]"))
    assert cards_in(mail.rendered.fullest) == [("Ours", ["One.", "Two."])]


def test_february_shows_the_three_apps_of_its_letter(february: Mail) -> None:
    apps = (MailApp.GMAIL_PHONE, MailApp.GMAIL_DESKTOP, MailApp.APPLE_MAIL)
    assert cards_in(february.rendered.fullest) == cards_of(february, *apps)
