"""The lines of `newsletter.toml` that findings point to."""

from pathlib import Path

import pytest

from newsletter.config import line_of_key, load_config

TEXT = """\
[newsletter]
name = "Harbour Letters"
organisation = "Harbour House"
from = "Harbour House <letters@example.org>"
address = "7 Quay Street, Galway, Ireland"
website = "https://example.org"
reason = "You asked for it."
timezone = "Europe/Dublin"

[[brand.social]]
name = "One"
url = "https://example.org/one"

[[brand.social]]
name = "Two"
url = "https://example.org/two"

[brand]
logo_width = 80

[brand.light]
accent = "#9C3353"

[service]
url = "https://news.example.org"
"""


@pytest.mark.parametrize(
    ("keys", "line"),
    [
        (("newsletter", "from"), 4),
        (("newsletter", "list_id"), 1),  # which is not written: the table around it
        (("brand", "light", "accent"), 22),
        (("brand", "light", "ink"), 21),
        (("brand", "dark", "ink"), 18),
        (("brand", "social", 0, "url"), 12),
        (("brand", "social", 1, "url"), 16),
        (("service", "url"), 25),
        (("archive", "url"), None),
    ],
)
def test_a_key_is_found_on_its_line_or_that_of_the_table_around_it(
    tmp_path: Path, keys: tuple[str | int, ...], line: int | None
) -> None:
    (tmp_path / "newsletter.toml").write_text(TEXT)

    assert line_of_key(load_config(tmp_path), *keys) == line
