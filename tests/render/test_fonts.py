"""Font stacks without the quotes that they do not need."""

import pytest

from newsletter.render.sections import bare_font_stack


@pytest.mark.parametrize(
    ("stack", "expected"),
    [
        ("Georgia, 'Times New Roman', serif", "Georgia,Times New Roman,serif"),
        ('-apple-system, "Segoe UI", sans-serif', "-apple-system,Segoe UI,sans-serif"),
        ("'Source Sans 3', Arial", "'Source Sans 3',Arial"),
    ],
)
def test_quotes_stay_only_where_css_asks_for_them(stack: str, expected: str) -> None:
    assert bare_font_stack(stack) == expected
