"""Who gets a tracked email is decided when a broadcast is created, and what may be saved when someone reacts."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from newsletter.cli.send.plan import print_plan
from newsletter.config import Config, load_config
from newsletter.errors import MistakesError
from newsletter.model.edit import Edit
from newsletter.model.readership import TrackingMode
from newsletter.store.database import Database
from newsletter.store.editing import edit_people
from newsletter.store.reactions import known_people
from newsletter.store.subscribers import find_subscriber
from newsletter.workflows.compose.compose import compose_issue, require_issue
from newsletter.workflows.compose.reader import reader_for_address
from newsletter.workflows.compose.sample import mail_of
from tests.store.builders import NOW, add, agree_to_tracking, row
from tests.store.empty_file import open_test_database
from tests.workflows.tracking.broadcasts import plan, send
from tests.workspaces import CONFIG, write_workspace

ANA, BO = "ana@example.org", "bo@example.org"
NO_TRACKING = Edit(cells={"tracking_consented_at": ""})


@pytest.fixture
def mode() -> str:
    """How the broadcasts are tracked."""
    return "consented"


@pytest.fixture
def config(tmp_path: Path, mode: str) -> Config:
    """A workspace with tracking."""
    return load_config(write_workspace(tmp_path, {"newsletter.toml": f'{CONFIG}\n[tracking]\nmode = "{mode}"\n'}))


@pytest.fixture
def database(config: Config) -> Iterator[Database]:
    """Ana agreed to tracking, and Bo did not."""
    with open_test_database(config.database) as opened:
        add(opened, row(ANA), row(BO))
        agree_to_tracking(opened, ANA)
        yield opened


def test_who_agrees_after_a_broadcast_was_created_gets_it_without_tracking(config: Config, database: Database) -> None:
    mails = send(config, database, meanwhile=lambda: agree_to_tracking(database, BO))[1]

    assert mails[ANA].own("c")
    assert not mails[BO].own("c")


def test_who_ends_tracking_before_a_broadcast_is_created_is_not_tracked(config: Config, database: Database) -> None:
    edit_people(database, [ANA], NO_TRACKING, shown=0, now=NOW)

    assert not send(config, database)[1][ANA].own("c")
    subscriber = find_subscriber(database, ANA)
    assert subscriber is not None
    assert subscriber.record.tracking_consented_at is None


def test_opens_are_known_only_of_those_whose_email_was_tracked(config: Config, database: Database) -> None:
    assert known_people(database, "2026-02") == (0, 0)
    send(config, database)
    assert known_people(database, "2026-02") == (2, 1)
    agree_to_tracking(database, BO, since=NOW + timedelta(seconds=1))  # too late for this broadcast

    assert known_people(database, "2026-02") == (2, 1)
    assert known_people(database, None) == (2, 2)
    edit_people(database, [ANA], NO_TRACKING, shown=0, now=NOW)
    assert known_people(database, "2026-02") == (2, 0)


@pytest.mark.parametrize("mode", ["totals", "off"])
def test_without_tracking_by_person_opens_are_known_of_no_one(config: Config, database: Database) -> None:
    send(config, database)

    assert known_people(database, "2026-02") == (2, 0)


def test_previews_have_the_real_links(config: Config, database: Database) -> None:
    composed = compose_issue(config, require_issue(config, None))
    found = reader_for_address(config, composed.issue, ANA, NOW)

    assert database
    assert found is not None
    mail = mail_of(config, composed.rendered.variant_of(found.reader), found.reader, made_at=NOW)
    assert "https://www.example.org/small" in mail.html
    assert "/c/" not in mail.html
    assert "/t/" in mail.html


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize(
    ("mode", "line"),
    [
        ("off", "off: no opens or clicks are recorded"),
        ("totals", "totals: opens and clicks are counted for all readers together"),
        ("consented", "consented: opens and clicks are recorded of 1 who agreed to it, and of no one else"),
    ],
)
def test_plan_says_how_it_is_tracked(
    config: Config, database: Database, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    print_plan(config, plan(config, database), through="outbox", now=NOW)

    assert line in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ('mode = "all"', "mode"),
        ('machine_networks = ["192.0.2.0/33"]', "'192.0.2.0/33' is not a range of addresses"),
        ("machine_networks = [7.5]", "7.5 is not a range of addresses"),
    ],
)
def test_mistake_in_the_settings_is_told_at_its_line(tmp_path: Path, lines: str, told: str) -> None:
    with pytest.raises(MistakesError) as caught:
        load_config(write_workspace(tmp_path, {"newsletter.toml": f"{CONFIG}\n[tracking]\n{lines}\n"}))

    (mistake,) = caught.value.mistakes
    assert told in str(mistake)
    assert str(mistake).startswith("newsletter.toml:")


def test_tracking_is_off_unless_someone_turns_it_on(tmp_path: Path) -> None:
    config = load_config(write_workspace(tmp_path))

    assert config.settings.tracking.mode is TrackingMode.OFF
    assert config.settings.tracking.machine_networks == ()
