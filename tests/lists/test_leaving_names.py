"""Names and cells that are easily taken for their opposite, or that say something beside leaving."""

from pathlib import Path

import pytest

from newsletter.lists.leavers import UnclearColumnsError
from tests.lists.test_leaving import imported

STAYED_OUT = [
    # two words of leaving, or a no beside one
    ("No Bulk Emails (User Opt Out)", ("Yes", "1"), ("", "No")),
    ("EMAILOPT_OUT", ("TRUE",), ("", "FALSE")),
    ("EMAILOptOut", ("TRUE",), ("",)),
    ("Opt'd out", ("yes",), ("",)),
    ("Ab\u00admeldung", ("ja",), ("",)),
    # both answers in the name
    ("Opted out (yes/no)", ("yes",), ("no",)),
    ("Subscribed (yes/no)", ("no",), ("yes",)),
    ("Abgemeldet ja/nein", ("ja",), ("nein", "")),
    ("Désinscrit (oui ou non)", ("oui",), ("non",)),
    # words that affirm, and refusals
    ("Unsubscribed", ("confirmed", "✗", "×", "no thanks"), ("subscribed", "no", "")),
    ("Opt-out", ("accepted", "approved", "❌"), ("",)),
    ("Suppression", ("active", "enabled"), ("",)),
    ("Unsubscribe reason", ("no thanks", "declined", "Member", "paid", "nie wieder"), ("", "none")),
    ("Do not contact", ("never", "yes"), ("",)),
    ("Accepts marketing", ("no thanks", "✗", "jamais"), ("yes", "✓")),
    # a no beside a word for email
    ("Doesn't want emails", ("x",), ("",)),
    ("Newsletter unerwünscht", ("x",), ("",)),
    ("Ne souhaite plus recevoir", ("x",), ("",)),
    ("No quiere recibir correos", ("sí",), ("",)),
    ("Ikke nyhedsbrev", ("ja",), ("",)),
    ("配信しない", ("はい",), ("",)),
    ("뉴스레터 안 받음", ("예",), ("",)),
    ("Email verified", ("false",), ("true",)),
]
ASKED = [
    ("Email opt out - not interested", "yes"),
    ("Opt-out: no further emails", "x"),
    ("Bounced - do not use", "x"),
    ("Unsubscribed on (not imported)", "2024-01-01"),
    ("Newsletter (ja/nein)", "nein"),
    ("Newsletter, yes or no", "no"),
    ("Newsletter", "mag ich nicht mehr"),
    ("Newsletter", "keinen"),
    ("メルマガ配信", "不可"),
    ("Will keinen Newsletter mehr", "x"),
    ("Removed by request", "x"),
    ("Subscribed until", "2020-12-31"),
    ("Newsletter bis", "31.12.2020"),
    ("E-Mail Abo beendet am (Datum, falls bekannt)", "31.12.2020"),
    ("tags", "vip;Unsubscribed"),
    ("tags", '["vip","unsubscribed"]'),
    ("first_name", "DO NOT EMAIL"),
    ("Nachname", "Meier (abgemeldet)"),
    ("consent_source", "unsubscribed 2024"),
    ("", "unsubscribed"),
    ("Notes", "Unsubscribed - moved to Canada"),
    ("Notes", "Mary asked to be removed, 3/2025"),
    ("Notizen", "hat sich am 3.2. abgemeldet"),
    ("Remarques", "s'est désinscrit en mars"),
    ("Notes", "please remove from list"),
    ("Notes", f"{'likes tea. ' * 60}Opted out in March."),
]
ABOUT_SOMETHING_ELSE = [
    ("Accepts SMS Marketing", "no"),
    ("SMS Marketing Consent", "NEVER_SUBSCRIBED"),
    ("SMS subscriber status", "unsubscribed"),
    ("phone_marketing_consent", "no"),
    ("Telefonwerbung erlaubt", "nein"),
    ("Push subscription status", "off"),
    ("Email status date", "2024-01-01"),
    ("Notes", "never unsubscribed"),
    ("tags", "vip;left-handed"),
    ("last_name", "Left"),
    ("Type", "Teacher"),
]


@pytest.mark.parametrize(("name", "left", "stayed"), STAYED_OUT, ids=[name for name, *_ in STAYED_OUT])
def test_only_who_did_not_leave_comes_in(
    tmp_path: Path, name: str, left: tuple[str, ...], stayed: tuple[str, ...]
) -> None:
    cells = [*left, *stayed, *left]

    emails = imported(tmp_path / "list.csv", name, cells)

    assert emails == [f"person{number}@example.org" for number, cell in enumerate(cells) if cell in stayed]


@pytest.mark.parametrize(("name", "cell"), ASKED)
def test_a_column_that_may_say_who_left_is_asked_about(tmp_path: Path, name: str, cell: str) -> None:
    with pytest.raises(UnclearColumnsError) as caught:
        imported(tmp_path / "list.csv", name, ["", cell, ""])

    assert [(each.name, each.line) for each in caught.value.columns] == [(name, 3)]


def test_an_empty_cell_beside_a_tick_is_asked_about(tmp_path: Path) -> None:
    with pytest.raises(UnclearColumnsError, match="'Newsletter' may say who unsubscribed: a cell in it is empty"):
        imported(tmp_path / "list.csv", "Newsletter", ["x", "", "x"])

    assert len(imported(tmp_path / "list.csv", "Newsletter", ["x", "x", "x"])) == 3
    assert len(imported(tmp_path / "list.csv", "Newsletter", ["", "", ""])) == 3


@pytest.mark.parametrize(("name", "cell"), ABOUT_SOMETHING_ELSE)
def test_a_column_about_something_else_keeps_no_one_out(tmp_path: Path, name: str, cell: str) -> None:
    assert len(imported(tmp_path / "list.csv", name, ["", cell])) == 2


MAPPED = [
    ("tags", ("vip;Unsubscribed", "optout|vip"), ("vip", "")),
    ("first_name", ("Ana (unsubscribed)",), ("Ana",)),
    ("Newsletter", ("no", "x nicht", ""), ("yes",)),
    ("Left", ("2020", "yes", "who knows"), ("", "no")),
    ("No Bulk Emails (User Opt Out)", ("Yes",), ("No", "")),
]


@pytest.mark.parametrize(("name", "left", "stayed"), MAPPED, ids=[name for name, *_ in MAPPED])
def test_a_column_is_read_as_its_name_says_once_someone_has_answered(
    tmp_path: Path, name: str, left: tuple[str, ...], stayed: tuple[str, ...]
) -> None:
    cells = [*left, *stayed]

    emails = imported(tmp_path / "list.csv", name, cells, mapping={name: "unsubscribed"})

    assert emails == [f"person{number}@example.org" for number, cell in enumerate(cells) if cell in stayed]


def test_tags_and_names_are_taken_as_they_are_if_someone_says_so(tmp_path: Path) -> None:
    cells = ["vip;Unsubscribed", "vip", "board"]

    with pytest.raises(UnclearColumnsError, match='if not, import it as it is: --map "tags=tags"'):
        imported(tmp_path / "list.csv", "tags", cells)
    assert len(imported(tmp_path / "list.csv", "tags", cells, mapping={"tags": "tags"})) == 3
