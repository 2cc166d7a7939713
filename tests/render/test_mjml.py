"""The compiler's faults are caught here, and its comments are joined."""

import pytest

from newsletter.errors import InputError
from newsletter.render.mjml import compile_mjml

PAGE = "<mjml><mj-body><mj-section><mj-column>{}</mj-column></mj-section></mj-body></mjml>"


def test_an_unknown_component_is_an_error_that_names_it() -> None:
    with pytest.raises(InputError, match="mj-txt"):
        compile_mjml(PAGE.format("<mj-text><mj-txt>Hello</mj-txt></mj-text>"))


def test_broken_mjml_is_an_error() -> None:
    with pytest.raises(InputError, match="cannot be compiled"):
        compile_mjml("<mjml><mj-body>")


def test_outlooks_comments_stay_balanced_after_they_are_joined() -> None:
    html = compile_mjml(PAGE.format("<mj-text>Hello</mj-text>"))
    assert html.count("<!--[if") == html.count("<![endif]-->")
    assert "<![endif]--><!--[if mso | IE]>" not in html


@pytest.mark.parametrize("font", ["Roboto", "Open Sans", "Lato", "Ubuntu"])
def test_no_font_is_fetched_from_elsewhere(font: str) -> None:
    html = compile_mjml(PAGE.format(f'<mj-text font-family="{font}, Arial">Hello</mj-text>'))
    assert "<link" not in html
    assert "@import" not in html
