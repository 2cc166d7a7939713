"""What is read out of a variant's HTML."""

import pytest

from newsletter.checks.reading.document import Heading, MailDocument, MailLink, read_document
from newsletter.model.readership import Readership
from newsletter.model.rendered import RenderedVariant
from newsletter.model.slot_sources import Column
from newsletter.model.slots import Escape, Slot, Template

NAME = Slot(Column("first_name", "you"), Escape.HTML)


def document(body: str) -> MailDocument:
    """A document of this body; `§` in it stands for a slot."""
    html = Template(tuple(f"<!doctype html><html><body>{body}</body></html>".split("§")), (0,) * body.count("§"))
    empty = Template(("",))
    return read_document(
        RenderedVariant(
            readership=Readership(),
            language="en",
            subject=empty,
            preheader=empty,
            html=html,
            text=empty,
            slots=(NAME,) if html.slots else (),
            pictures=(),
        )
    )


def test_blocks_are_lines_and_what_is_hidden_is_none() -> None:
    read = document("<p>One <b>bold</b>\nline</p><div style='display:none'>x</div>two<br>three<style>p{}</style>")

    assert read.lines == ("One bold line", "two", "three")


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ('<a href="u">two <b>words</b></a>', "two words"),
        ('<a href="u" aria-label=" A  label ">words</a>', "A label"),
        ('<a href="u"><img alt="a cup"> and tea</a>', "a cup and tea"),
        ('<a href="u"><span aria-hidden="true">→</span></a>', ""),
        ('<a href="u"><div>one</div><div>two</div></a>', "one two"),
    ],
)
def test_a_link_says_what_a_screen_reader_would(html: str, text: str) -> None:
    assert document(html).links == (MailLink(text=text, address="u", is_visible=True),)


def test_slots_are_tokens_as_they_were_while_the_mail_was_composed() -> None:
    read = document('<h2>For §</h2><a href="https://example.org/?n=§">go</a>')

    assert read.links[0].address == f"https://example.org/?n={NAME.source.token}"
    assert read.headings == (Heading(level=2, text=f"For {NAME.source.token}"),)


def test_tags_are_read_in_comments_for_outlook_and_in_no_others() -> None:
    read = document(
        '<!--[if mso | IE]><v:rect ALT="a > b" fill=true><![endif]-->'
        "<!-- <table> --><!--[if !mso]><!--><p>x</p><!--<![endif]-->"
    )

    assert [(tag.name, dict(tag.attributes)) for tag in read.outlook_tags] == [
        ("v:rect", {"alt": "a > b", "fill": "true"})
    ]


def test_only_tables_without_head_cells_of_their_own_arrange_things() -> None:
    read = document(
        '<table role="none"><tr><td><table><tr><th>x</th></tr></table></td></tr></table>'
        '<table class="data big"></table>'
    )

    assert read.layout_roles == ("none",)


@pytest.mark.parametrize(
    ("html", "around"),
    [
        ('<p>One <a href="u">x</a></p>', ""),
        ('<table><tr><td>One <a href="u">x</a></td></tr></table>', ""),
        ('<ul><li>One <p><a href="u">x</a></p></li><li>Two</li></ul>', "one x"),
        ('<table class="data"><tr><td>One</td><td><a href="u">x</a></td></tr><tr><td>Two</td></tr></table>', "one x"),
        (
            '<ul><li>Outer <ul><li>Inner <a href="u">x</a></li></ul></li></ul><table><tr><th>H</th></tr></table>',
            "outer inner x",
        ),
    ],
)
def test_a_link_knows_the_words_of_its_row_or_entry(html: str, around: str) -> None:
    (link,) = document(html).links

    assert link.item == around
