"""The readers' email apps: weights, names, and mistakes in them."""

from pathlib import Path

import pytest

from newsletter.checks.clients.readers import mistakes_in_clients, readers_of
from newsletter.checks.clients.table import load_carried
from newsletter.config import load_config
from newsletter.errors import MistakesError
from newsletter.settings.workspace import USUAL_CLIENTS
from tests.workspaces import CONFIG, write_workspace

TABLE = load_carried()
FIRST_LINE = len(CONFIG.splitlines()) + 3  # of a table's keys, below the rest


def mistakes(root: Path, table: str) -> list[str]:
    write_workspace(root, {"newsletter.toml": f"{CONFIG}\n{table}"})
    return [str(mistake) for mistake in mistakes_in_clients(load_config(root))]


def test_a_family_is_spread_evenly_over_what_is_not_named_on_its_own() -> None:
    shares = readers_of(TABLE, {"outlook": 8, "outlook.windows": 5, "apple-mail": 20}).shares
    assert shares == {
        "outlook.ios": 2,
        "outlook.android": 2,
        "outlook.windows": 5,
        "outlook.macos": 2,
        "outlook.outlook-com": 2,
        "apple-mail.ios": 10,
        "apple-mail.macos": 10,
    }


def test_a_program_without_readers_is_not_asked() -> None:
    assert readers_of(TABLE, {"hey": 0, "gmail.ios": 3}).shares == {"gmail.ios": 3}


def test_a_family_is_named_whole_or_by_its_platforms() -> None:
    readers = readers_of(TABLE, {"gmail": 30, "outlook.windows": 5, "outlook.macos": 5, "hey": 1})
    assert readers.named(tuple(readers.shares)) == "Gmail, Outlook, HEY in a browser"
    assert readers.named(("gmail.ios", "gmail.android", "outlook.macos")) == "Gmail (iOS, Android), Outlook on macOS"


def test_the_usual_readers_are_known_and_are_all() -> None:
    readers = readers_of(TABLE, USUAL_CLIENTS)
    assert readers.share(tuple(readers.shares)) == pytest.approx(100)


def test_names_with_dots_need_no_quotes(tmp_path: Path) -> None:
    assert mistakes(tmp_path, "[checks.clients]\noutlook.windows = 5\n'outlook.macos' = 2.5\ngmail = 40\n") == []
    assert load_config(tmp_path).settings.checks.clients == {"outlook.windows": 5, "outlook.macos": 2.5, "gmail": 40}


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("gmial = 40", "did you mean gmail?"),
        ('"outlook.window" = 5', "did you mean outlook.windows?"),
        ("outlook.window = 5", "did you mean outlook.windows?"),
        ("pegasus = 5", "choose from aol, apple-mail"),
    ],
)
def test_an_unknown_program_is_a_mistake_with_its_line_and_a_suggestion(tmp_path: Path, line: str, told: str) -> None:
    (mistake,) = mistakes(tmp_path, f"[checks.clients]\n{line}\n")
    assert mistake.startswith(f"newsletter.toml:{FIRST_LINE}: clients › ")
    assert told in mistake


def test_an_unknown_accepted_feature_is_a_mistake_with_its_line(tmp_path: Path) -> None:
    (mistake,) = mistakes(tmp_path, '[checks.accept]\ncss-grid = "columns stack"\n')
    assert mistake.startswith(f"newsletter.toml:{FIRST_LINE}: accept › css-grid is not a feature")


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("gmail = 70\napple-mail = 40", "add up to 110%"),
        ("gmail = -1", "write 0 or more"),
        ('gmail = "many"', "clients › gmail: must be a number"),
    ],
)
def test_weights_that_cannot_be_are_mistakes(tmp_path: Path, line: str, told: str) -> None:
    write_workspace(tmp_path, {"newsletter.toml": f"{CONFIG}\n[checks.clients]\n{line}\n"})
    with pytest.raises(MistakesError, match=told):
        load_config(tmp_path)


def test_a_damaged_table_is_a_mistake_of_its_file(tmp_path: Path) -> None:
    (tmp_path / "caniemail.json").write_text("{")
    (mistake,) = mistakes(tmp_path, "")
    assert mistake.startswith(
        "caniemail.json: this file is damaged, or `newsletter clients --refresh` did not write it"
    )
