"""What is chosen lives in the address; what a device prefers is decided on the server."""

import re
from pathlib import Path
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.config import Config
from newsletter.web.studio.frame import html_for_frame
from newsletter.web.studio.views import DeviceScheme, Letters, Notes, Pictures, Show, StudioView, view_from
from newsletter.workflows.compose.compose import compose_issue
from tests.web.studio.conftest import Visitor

MAIL_PAGE = "/2026-02/mail.html"
VIEWS = st.builds(
    StudioView,
    show=st.sampled_from(Show),
    scheme=st.sampled_from(DeviceScheme),
    pictures=st.sampled_from(Pictures),
    letters=st.sampled_from(Letters),
    notes=st.sampled_from(Notes),
    reader=st.text(),
    language=st.text(),
    timezone=st.text(),
    sees=st.dictionaries(st.text(), st.text()),
)
MAIL = """\
<!doctype html><html><head><meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<style>:root { color-scheme: light dark; supported-color-schemes: light dark; }
@media (prefers-color-scheme: dark) { p { color: white } }
@media screen and (prefers-color-scheme:light) and (max-width:480px) { p { color: black } }</style></head><body></body>
"""


@given(VIEWS)
def test_a_view_survives_its_address(view: StudioView) -> None:
    assert view_from(dict(parse_qsl(view.query, keep_blank_values=True))) == view


@given(
    st.dictionaries(
        st.sampled_from(["show", "scheme", "pictures", "letters", "notes", "reader", "see.mailbox"]), st.text()
    )
)
def test_any_address_is_some_view(query: dict[str, str]) -> None:
    view_from(query)


def test_the_usual_view_needs_no_query() -> None:
    assert StudioView().query == ""


def test_dark_answers_the_mails_own_question_with_yes() -> None:
    html = html_for_frame(MAIL, DeviceScheme.DARK)
    assert "@media (min-width:0) { p { color: white } }" in html
    assert "@media screen and (max-width:0) and (max-width:480px)" in html
    assert html.count('content="dark"') == 2
    assert "color-scheme:dark; supported-color-schemes: light dark;" in html


def test_light_answers_it_with_no() -> None:
    html = html_for_frame(MAIL, DeviceScheme.LIGHT)
    assert "@media (max-width:0) { p { color: white } }" in html
    assert "prefers-color-scheme" not in html


def test_links_open_in_tabs_of_their_own() -> None:
    assert '<head><base target="_blank">' in html_for_frame(MAIL, DeviceScheme.LIGHT)


def test_inverted_colors_are_those_of_a_light_device_turned_around() -> None:
    html = html_for_frame(MAIL, DeviceScheme.FORCED)
    assert html == html_for_frame(MAIL, DeviceScheme.LIGHT)


@pytest.mark.parametrize("scheme", ["light", "dark", "forced"])
def test_the_colors_are_inverted_only_where_that_is_chosen(visitor: Visitor, scheme: str) -> None:
    html = visitor.get(f"{MAIL_PAGE}?scheme={scheme}").text
    assert ("filter:invert(1)" in html) is (scheme == "forced")


def test_large_text_doubles_every_size_of_letters_and_no_other(visitor: Visitor) -> None:
    usual, large = (visitor.get(f"{MAIL_PAGE}?letters={size}").text for size in ("usual", "large"))
    sizes = [re.findall(r"font-size:(\d+)px", html) for html in (usual, large)]
    assert sizes[0]
    assert [2 * int(size) for size in sizes[0]] == [int(size) for size in sizes[1]]
    widths = [re.findall(r"width:(\d+)px", html) for html in (usual, large)]
    assert widths[0] == widths[1]


def test_a_view_keeps_only_what_differs_from_the_fullest_email(config: Config, issue_folder: Path) -> None:
    axes = compose_issue(config, issue_folder).rendered.axes
    view = view_from({"see.only teachers": "hidden", "see.nothing": "shown", "show": "phone"})
    assert view.for_axes(axes).query == "show=phone&see.only+teachers=hidden"
    assert view_from({"see.only teachers": "shown"}).for_axes(axes).query == ""


def test_the_source_is_the_message_with_its_headers(visitor: Visitor) -> None:
    page = visitor.get("/2026-02/?show=source").text
    message = visitor.get("/2026-02/message.eml")
    assert message.headers["content-type"] == "message/rfc822"
    assert b"List-Unsubscribe-Post: List-Unsubscribe=One-Click" in message.content
    assert "List-Unsubscribe-Post: List-Unsubscribe=One-Click" in page
    assert "List-Unsubscribe-Post" not in visitor.get("/2026-02/").text


def test_the_inbox_shows_the_rows_of_the_apps_and_says_what_they_are(visitor: Visitor) -> None:
    page = visitor.get("/2026-02/?show=inbox&reader=sample").text
    for text in ("Gmail on a phone", "Apple Mail on a Mac", "Outlook for Windows, classic", "not by the apps"):
        assert text in page
    assert page.count("A letter for Ana</span>") >= 7
    assert "Gmail on a phone" not in visitor.get("/2026-02/").text
