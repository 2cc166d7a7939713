"""One table knows the providers; each opens with its secret from the environment, or says which one is missing."""

import subprocess
import sys
from pathlib import Path

import pytest

from newsletter.errors import MistakesError, ProviderError
from newsletter.providers.registry import PROVIDERS
from newsletter.settings.provider import ProviderSettings
from tests.providers.workspace import opened, smtp_settings

SENDGRID = '[provider]\nuse = "sendgrid"\n'


def test_every_table_of_the_settings_is_a_providers() -> None:
    assert set(ProviderSettings.model_fields) - {"use"} <= set(PROVIDERS)


@pytest.mark.parametrize(
    ("lines", "mistakes"),
    [
        ('[provider]\nuse = "pigeon"\n', ["provider › use: there is no provider 'pigeon'; choose from"]),
        ('[provider]\nuse = "smpt"\n', ["provider › use: there is no provider 'smpt'; did you mean smtp?"]),
        ("[provider.sendgird]\n", ["provider › sendgird: there is no provider 'sendgird'; did you mean"]),
        (
            '[provider]\nuse = "x"\n[provider.y]\n',
            ["provider › use: there is no provider 'x'", "provider › y: there is no provider 'y'"],
        ),
    ],
)
def test_a_provider_that_does_not_exist_is_told_with_its_line(tmp_path: Path, lines: str, mistakes: list[str]) -> None:
    with pytest.raises(MistakesError) as refusal:
        opened(tmp_path, lines)

    told = [str(mistake) for mistake in refusal.value.mistakes]
    assert len(told) == len(mistakes)
    assert all(words in each and "newsletter.toml:1" in each for words, each in zip(mistakes, told, strict=True))


def test_a_new_workspace_writes_to_the_outbox(tmp_path: Path) -> None:
    provider = opened(tmp_path, "")

    assert provider.name == "outbox"


@pytest.mark.parametrize("environ", [{}, {"SENDGRID_API_KEY": ""}, {"SENDGRID_API_KEY": "  \n"}])
def test_a_missing_key_is_named(tmp_path: Path, environ: dict[str, str]) -> None:
    with pytest.raises(ProviderError, match="SENDGRID_API_KEY is not set; set it"):
        opened(tmp_path, SENDGRID, environ)


@pytest.mark.parametrize("key", ["SG.broken\nkey", "SG.schlüssel"])
def test_a_key_that_cannot_be_one_is_refused_without_being_shown(tmp_path: Path, key: str) -> None:
    with pytest.raises(ProviderError, match="SENDGRID_API_KEY contains a character that is not allowed") as refusal:
        opened(tmp_path, SENDGRID, {"SENDGRID_API_KEY": key})

    assert "SG." not in str(refusal.value)


def test_a_line_break_around_a_key_is_no_part_of_it(tmp_path: Path) -> None:
    assert opened(tmp_path, SENDGRID, {"SENDGRID_API_KEY": "SG.key\n"}).name == "sendgrid"


def test_a_missing_password_is_named(tmp_path: Path) -> None:
    with pytest.raises(ProviderError, match="NEWSLETTER_SMTP_PASSWORD is not set; set it"):
        opened(tmp_path, smtp_settings(25, more='username = "letter"'))


def test_a_relay_without_a_username_needs_no_password(tmp_path: Path) -> None:
    assert opened(tmp_path, smtp_settings(25)).name == "smtp"


def test_nobody_loads_a_library_that_they_do_not_use() -> None:
    code = (
        "import sys; from newsletter.providers import registry, outbox, smtp; "
        "print([name for name in ('sendgrid', 'python_http_client', 'idna') if name in sys.modules])"
    )

    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert shown.stdout.strip() == "[]"
