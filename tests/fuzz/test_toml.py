"""`newsletter.toml` as anyone may write it: read, or told as mistakes on its lines."""

import tempfile
from pathlib import Path

from hypothesis import given, settings

from tests.fuzz.amount import EXAMPLES
from tests.fuzz.limits import limited
from tests.fuzz.mutations import texts
from tests.fuzz.scratch import load_settings
from tests.workspaces import CONFIG

_FOLDER = tempfile.TemporaryDirectory(prefix="newsletter-fuzz-")
_PROVIDER = '[provider]\nuse = "smtp"\n[provider.smtp]\nhost = "mail.example.org"\nper_second = 5\n'
_BASES = (CONFIG, f"{CONFIG}\n[brand]\nlogo_width = 72\n[[brand.social]]\nname = 'A'\n\n{_PROVIDER}")
_PIECES = (
    *(
        "a = ",
        "b",
        '"',
        "'",
        '"""',
        "'''",
        "[",
        "]",
        "[[",
        "]]",
        "{",
        "}",
        ",",
        "#",
        "\n",
        " ",
        "\t",
        "“",
        "”",
        "1",
        "true",
    ),
    *(
        "\\",
        "\\u12",
        ":",
        ".",
        "a.",
        "\u00a0",
        "[a]\n",
        "a = 1\n",
        "=",
        "2026-02-19",
        "0x",
        "1_",
        "1e9",
        "inf",
        "9" * 5000,
    ),
    *("[newsletter]\n", "[service]\n", "organisation = 'x'\n", "\r\n", "\x00", "\ufeff", "é", "[" * 400, "{a=" * 100),
    *("[segments]\nx = 'language = \"en\"'\n", "timezone = 'Europe/Paris'\n", "\U0001f600", "yes", "No", "12:30"),
)


@given(content=texts(_BASES, _PIECES))
@settings(max_examples=EXAMPLES)
def test_any_settings_are_loaded_or_told(content: bytes) -> None:
    with limited():
        load_settings(Path(_FOLDER.name), content)
