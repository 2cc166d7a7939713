"""What `[provider]` may contain, and what it says about a provider that is not open yet."""

from pathlib import Path

import pytest

from newsletter.config import load_config
from newsletter.errors import MistakesError
from newsletter.settings.provider import (
    SENDGRID,
    MailRoute,
    OutboxSettings,
    PaceSettings,
    ProviderSettings,
    ProviderTable,
    SmtpSettings,
)
from tests.workspaces import CONFIG, write_workspace

RELAY = SmtpSettings(host="relay.example.net", pace=PaceSettings(per_hour=7))


def test_the_table_in_use_is_that_of_the_provider() -> None:
    assert ProviderSettings().table_in_use == OutboxSettings()
    assert ProviderSettings(use="smtp", smtp=RELAY).table_in_use.pace.per_hour == 7
    assert ProviderSettings(use="sendgrid", smtp=RELAY).table_in_use.pace == PaceSettings()


def test_a_provider_without_a_record_has_a_pace() -> None:
    settings = ProviderSettings.model_validate({"use": "pigeon", "pigeon": {"pace": {"per_day": 3}}})

    assert settings.table_in_use == ProviderTable(pace=PaceSettings(per_day=3))
    assert ProviderSettings(use="pigeon").table_in_use == ProviderTable()


def test_each_provider_says_how_its_mail_travels() -> None:
    assert ProviderSettings().table_in_use.route is None
    assert ProviderSettings(use="pigeon").table_in_use.route is None
    assert ProviderSettings(use="smtp", smtp=RELAY).table_in_use.route == MailRoute(relay=RELAY)
    assert ProviderSettings(use="sendgrid").table_in_use.route == MailRoute(carrier=SENDGRID)


@pytest.mark.parametrize(
    ("lines", "mistake"),
    [
        (
            "[provider.pigeon]\ncolor = 1\n",
            "unknown key 'provider › pigeon › color'; delete the line, or use one of pace",
        ),
        ("[provider.smtp]\nhots = 'x'\n", "unknown key 'provider › smtp › hots'; did you mean host?"),
        (
            "[provider]\npigeon = 7\n",
            "provider › pigeon: must be a group of lines, not a single value; "
            "choose from these lines, and write them below [provider.pigeon]: `pace = …`",
        ),
    ],
)
def test_a_key_that_a_provider_does_not_have_is_told(tmp_path: Path, lines: str, mistake: str) -> None:
    root = write_workspace(tmp_path, {"newsletter.toml": f"{CONFIG}\n{lines}"})

    with pytest.raises(MistakesError) as refusal:
        load_config(root)

    assert [str(each).partition(": ")[2] for each in refusal.value.mistakes][-1] == mistake
