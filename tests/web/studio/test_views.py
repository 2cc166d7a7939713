"""What is chosen lives in the address; what a device prefers is decided on the server."""

from urllib.parse import parse_qsl

from hypothesis import given
from hypothesis import strategies as st

from newsletter.web.studio.views import ColorScheme, Pictures, Show, StudioView, html_for_frame, view_from

VIEWS = st.builds(
    StudioView,
    show=st.sampled_from(Show),
    scheme=st.sampled_from(ColorScheme),
    pictures=st.sampled_from(Pictures),
    reader=st.text(),
    variant=st.text(),
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


@given(st.dictionaries(st.sampled_from(["show", "scheme", "pictures", "reader", "variant"]), st.text()))
def test_any_address_is_some_view(query: dict[str, str]) -> None:
    view_from(query)


def test_the_usual_view_needs_no_query() -> None:
    assert StudioView().query == ""


def test_dark_answers_the_mails_own_question_with_yes() -> None:
    html = html_for_frame(MAIL, ColorScheme.DARK)
    assert "@media (min-width:0) { p { color: white } }" in html
    assert "@media screen and (max-width:0) and (max-width:480px)" in html
    assert html.count('content="dark"') == 2
    assert "color-scheme:dark; supported-color-schemes: light dark;" in html


def test_light_answers_it_with_no() -> None:
    html = html_for_frame(MAIL, ColorScheme.LIGHT)
    assert "@media (max-width:0) { p { color: white } }" in html
    assert "prefers-color-scheme" not in html


def test_links_open_in_tabs_of_their_own() -> None:
    assert '<head><base target="_blank">' in html_for_frame(MAIL, ColorScheme.LIGHT)
