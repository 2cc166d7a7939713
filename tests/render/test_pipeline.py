"""A whole issue: variants, slots, pictures, languages."""

from collections.abc import Mapping
from itertools import pairwise

import pytest
from lxml import html as lxml_html

from newsletter.model.issue_fields import SECTION_TYPES
from tests.render.conftest import UNSUBSCRIBE, Render, picture_bytes
from tests.render.values import slot_values
from tests.workspaces import CONFIG, ISSUE

TEACHING = {
    "issues/2026-02/issue.yaml": ISSUE + "  - section: teaching\n    only: teachers\n",
    "issues/2026-02/teaching.md": "---\ntype: text\n---\nFor teachers alone.\n",
}
PICTURE = {
    "issues/2026-02/letter.md": "![A red field](images/field.png)\n",
    "issues/2026-02/images/field.png": picture_bytes(1072, 600),
}
EVERYTHING = """\
---
title: Meetings
overline: Soon
---
Words before.
"""
EVENT = """\
---
title: A meeting
subtitle: With friends
badge: New
starts: 2026-03-07 08:00
ends: 2026-03-07 11:00
location: In the garden
deadline: {label: Sign up until, date: 2026-03-01}
notes: [{label: Bring, text: a blanket}, {label: "Rain?", text: We meet inside.}]
button: {label: Come along, url: https://www.example.org/come}
link: {label: See the garden, url: https://www.example.org/garden}
---
We sit **under** the tree.
"""
SAID = (
    "Meetings",
    "Soon",
    "Words before.",
    "A meeting",
    "With friends",
    "New",
    "Saturday, March 7, 2026 | 8:00–11:00 am PT",
    "In the garden",
    "Sign up until March 1",
    "Bring: a blanket",
    "Rain? We meet inside.",
    "We sit under the tree.",
)
SHOWN_IN_CARDS = ("Saturday, March 7, 2026", "8:00–11:00 am PT")
SHOWN_IN_ROWS = ("Mar 7", "Sat, 8:00–11:00 am PT")


def meetings(layout: str, section_type: str = "events", language: str = "en") -> Mapping[str, str]:
    return {
        "issues/2026-02/issue.yaml": f"{ISSUE}  - meetings\nlanguage: {language}\n",
        "issues/2026-02/meetings/index.md": EVERYTHING.replace(
            "---\n", f"---\ntype: {section_type}\nlayout: {layout}\n", 1
        ),
        "issues/2026-02/meetings/garden.md": EVENT,
    }


def words(html: str) -> str:
    return " ".join(" ".join(lxml_html.document_fromstring(html).body.itertext()).split())


def test_each_variant_shows_what_its_readers_may_see(render: Render) -> None:
    teachers, everyone = render(TEACHING).rendered.variants
    assert everyone.readership.segments == frozenset()
    assert teachers.readership.segments == {"teachers"}
    for part in ("html", "text"):
        assert "For teachers alone." not in "".join(getattr(everyone, part).parts)
        assert "For teachers alone." in "".join(getattr(teachers, part).parts)


def test_the_same_issue_rendered_twice_is_identical(render: Render) -> None:
    first, second = render(TEACHING).rendered, render(TEACHING).rendered
    assert (first.variants, first.pictures) == (second.variants, second.pictures)
    assert first.content_hash == second.content_hash


def test_a_variant_is_rendered_once_and_remembered(render: Render) -> None:
    rendered = render(TEACHING).rendered
    teachers, everyone = rendered.variants
    another = everyone.readership.having("language", "of nobody who was judged")

    assert rendered.variant_for(teachers.readership) is teachers
    assert rendered.variant_for(another) is rendered.variant_for(another)
    assert rendered.variant_for(another).html == everyone.html


def test_any_edit_changes_the_content_hash(render: Render) -> None:
    before = render(TEACHING).rendered.content_hash
    assert render({**TEACHING, "issues/2026-02/letter.md": "Hello."}).rendered.content_hash != before


def test_a_reader_is_greeted_by_name_and_others_by_the_default(render: Render) -> None:
    mail = render(first_name="Zoë & Ana")
    assert "Dear Zoë &amp; Ana," in mail.html
    assert "Dear Zoë & Ana," in mail.text
    assert "Dear Friends," in render().html


def test_every_mail_has_the_way_out_in_both_parts(render: Render) -> None:
    mail = render()
    assert f'href="{UNSUBSCRIBE}" clicktracking="off"' in mail.html
    assert UNSUBSCRIBE in mail.text.split("\n")


def test_no_token_is_left_behind(render: Render) -> None:
    variant = render().rendered.fullest
    for template in (variant.html, variant.text, variant.subject):
        assert "mfq" not in template.fill(slot_values(variant.slots, {}))


def test_pictures_travel_inside_the_mail_or_are_hosted_under_the_same_names(render: Render) -> None:
    inside = render(PICTURE).rendered
    hosted = render(
        {**PICTURE, "newsletter.toml": CONFIG + '\n[archive]\nurl = "https://www.example.org/letters"\n'}
    ).rendered
    [picture] = inside.pictures
    assert inside.fullest.pictures == (picture,)
    assert f'src="cid:{picture.content_id}"' in "".join(inside.fullest.html.parts)
    assert hosted.fullest.pictures == ()
    assert f'src="https://www.example.org/letters/i/{picture.name}"' in "".join(hosted.fullest.html.parts)


def test_hosted_pictures_are_named_by_their_address_and_do_not_travel(render: Render) -> None:
    files = {
        "issues/2026-02/letter.md": "![A field](images/field.png)\n",
        "issues/2026-02/images/field.png": picture_bytes(16, 9),
    }
    hosted = render({**files, "newsletter.toml": CONFIG + '\n[archive]\nurl = "https://www.example.org/letters"\n'})
    (picture,) = hosted.rendered.pictures
    assert f'src="https://www.example.org/letters/i/{picture.name}"' in hosted.html
    assert hosted.rendered.fullest.pictures == ()


@pytest.mark.parametrize("section_type", ["events", "community"])
@pytest.mark.parametrize("layout", ["cards", "list"])
def test_all_that_an_event_says_is_in_both_parts(render: Render, layout: str, section_type: str) -> None:
    mail = render(meetings(layout, section_type))
    html, text = words(mail.html), " ".join(mail.text.split())
    for said in SAID:
        assert said in text, said
    for said in (*SAID[:6], *(SHOWN_IN_ROWS if layout == "list" else SHOWN_IN_CARDS), *SAID[7:]):
        assert said in html, said
    for part in (mail.html, mail.text):
        assert "https://www.example.org/come" in part
        assert "https://www.example.org/garden" in part


def test_links_with_the_same_words_are_told_apart(render: Render) -> None:
    again = EVENT.replace("2026-03-07", "2026-03-14")
    files = {**meetings("cards"), "issues/2026-02/meetings/hall.md": again}
    document = lxml_html.document_fromstring(render(files).html)
    labels = [link.get("aria-label") for link in document.iter("a") if link.text_content() == "Add to calendar"]
    assert labels == ["Add to calendar: A meeting (Mar 7)", "Add to calendar: A meeting (Mar 14)"]


@pytest.mark.parametrize(
    "language", ["en", "es", "de", "fr", "it", "nl", "pt", "sv", "ja", "zh-Hans", "ar", "he", "xx"]
)
def test_an_issue_in_any_language_has_its_language_and_direction(render: Render, language: str) -> None:
    mail = render(meetings("cards", language=language))
    document = lxml_html.document_fromstring(mail.html)
    direction = "rtl" if language in {"ar", "he"} else "ltr"
    assert (document.get("lang"), document.get("dir")) == (language, direction)
    for child in document.body.iterchildren("div"):
        assert (child.get("lang"), child.get("dir")) == (language, direction)


def test_right_to_left_text_begins_at_the_right(render: Render) -> None:
    html = render(meetings("cards", language="ar")).html
    assert "text-align:right" in html
    assert "direction:rtl" in html
    assert "direction:ltr" not in html


def test_every_built_in_section_type_has_a_template(render: Render) -> None:
    names = [name for name in SECTION_TYPES if name != "letter"]
    files = {f"issues/2026-02/{name}.md": f"---\ntitle: The {name}\n---\nWords of {name}.\n" for name in names}
    issue = ISSUE + "".join(f"  - {name}\n" for name in names)
    mail = render({**files, "issues/2026-02/issue.yaml": issue})
    for name in names:
        assert f"Words of {name}." in mail.html
        assert f"Words of {name}." in mail.text


def test_headings_never_skip_a_level(render: Render) -> None:
    mail = render({**meetings("cards"), "issues/2026-02/letter.md": "# Loud\n\nText\n\n## Quiet\n\nText\n"})
    document = lxml_html.document_fromstring(mail.html)
    levels = [int(tag.tag[1]) for tag in document.iter("h1", "h2", "h3", "h4", "h5", "h6")]
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
