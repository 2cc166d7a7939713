"""Lists of other people and tools: no one is emailed who left, whatever a list calls that, and no one else is lost."""

from datetime import UTC, datetime
from itertools import chain
from pathlib import Path

import pytest

from newsletter.errors import MistakesError
from newsletter.lists.leavers import UnclearColumnsError
from newsletter.model.audience import SuppressionReason
from newsletter.store.suppressions import find_suppression, list_suppressions
from newsletter.workflows.subscribers.export import export_to_file
from tests.workflows.subscribers.here import WAYS, Here, written


def letters(count: int) -> list[str]:
    return [f"p{number:02}" for number in range(count)]


# The name of a column; the cells of people who left, of people of whom that is unclear, and of people who stay.
COLUMNS: list[tuple[str, tuple[str, ...], tuple[str, ...], tuple[str, ...]]] = [
    # a yes, or the date of leaving, as people and spreadsheets of many languages write it
    ("unsubscribed", ("WAHR", "x", "2025-03-01", "TRUE", "oui"), (), ("FALSCH", "")),
    ("unsubscribed", ("VERDADERO", "sí", "1"), ("perhaps", "03/2025", "Yes - by phone"), ("FALSO", "no", "0")),
    ("opt_out", ("VRAI", "vrai", "X", "✓", "1.3.2025"), ("?", "*", "+", "(!)"), ("FAUX", "non", "-", ".")),
    ("Unsubscribed?", ("はい", "是", "예", "نعم", "כן"), (), ("いいえ", "否", "아니오", "لا", "לא")),
    ("do_not_email", ("VERO", "ja", "Waar", "prawda", "on"), ("sometimes",), ("FALSO", "nee", "onwaar", "off")),
    # a status in words
    (
        "status",
        ("Unsubscribed ", "Unsubscribed (by admin)", "hard bounced", "Junk", "unreachable", "Opted-out", "stopped"),
        ("Soft Bounced", "0", "3", "inactive", "paused"),
        ("active", "Subscribed"),
    ),
    (
        "status",
        ("abgemeldet", "désinscrit", "gelöscht", "do not contact", "dnc", "spam complaint", "cancelled"),
        ("on holiday",),
        ("aktiv", "abonné"),
    ),
    ("Status", ("dado de baja", "cancelado", "rebotado", "eliminado"), ("inactivo",), ("activo", "suscrito")),
    ("Statut", ("désabonnée", "rejeté - opt-out", "supprimé"), ("inactif",), ("inscrite", "actif")),
    ("ステータス", ("配信停止", "退会", "解約済み"), ("休止",), ("登録済み", "購読中")),
    ("Estado", ("descadastrado", "cancelada", "marcado como spam"), ("pausado",), ("ativo", "assinante")),
    # a column that says who may be emailed, so that a no means leaving
    ("subscribed", ("no", "0", "FALSE"), ("", "maybe"), ("yes", "TRUE")),
    ("Is Subscribed", ("F", "nein", "unsubscribed"), ("", "later"), ("T", "1")),
    ("Opt-in", ("N", "non", "opted out"), ("",), ("Y", "oui", "2024-05-06")),
    ("Accepts Marketing", ("no", "false"), ("",), ("yes", "true")),
    ("メルマガ購読", ("いいえ", "配信停止"), ("",), ("はい",)),
    # names of columns that no one agreed on
    ("Email status", ("Unsubscribed", "Bounced"), ("unknown",), ("Active",)),
    ("Email permission status", ("Unsubscribed", "Opted out", "No permission: opted out"), (), ("Express", "")),
    ("Member status", ("Unsubscribed", "Cleaned"), (), ("Subscribed",)),
    ("Unsubscribed from all email", ("true",), (), ("false", "")),
    ("Email hard bounce reason", ("OTHER", "UNKNOWN_USER"), (), ("",)),
    ("donotContact", ("TRUE", "yes"), (), ("", "FALSE")),
    ("doNotEmail", ("TRUE", "y"), (), ("", "n")),
    ("Opted Out Of Email", ("true",), (), ("false",)),
    ("Email Opt Out", ("true", "Opted out"), (), ("false", "")),
    ("Unsubscribe", ("true", "2026-02-03 10:00"), (), ("false", "")),
    ("HasOptedOutOfEmail", ("1", "TRUE"), (), ("0",)),
    ("Abgemeldet am", ("01.03.2025", "2025-03-01 08:00"), (), ("",)),
    ("Date de désinscription", ("31/12/2025",), (), ("",)),
    ("配信停止日", ("2025/03/01",), (), ("",)),
    # moments, in which every program writes its own sign for none
    ("bounced_at", ("2026-01-01",), (), ("",)),
    ("complained_at", ("2026-01-01T08:00:00Z",), (), ("", "null")),
    ("unsubscribe_date", ("Jan 31, 2026",), (), ("", "-")),
    ("opt_out_date", ("31.01.2026",), (), ("", "n/a")),
    ("deleted_at", ("1767225600",), (), ("", "0")),
    ("unsubscribed_at", ("2026-01-01",), (), ("0000-00-00 00:00:00", "NULL", "\\N", "")),
    ("unsubscribed_at", ("1999-12-31",), (), ("0001-01-01T00:00:00Z", "#N/A", "None", "1970-01-01 00:00:00")),
    ("UNSUB_TIME", ("2025-06-01 00:00:00",), (), ("1899-12-30", "1900-01-00", "undefined", "(null)")),
    ("opted_out_at", ("2026-01-31 10:00:01.5 +0000 UTC",), ("45321", "soon"), ("0001-01-01 00:00:00 +0000 UTC",)),
]


def column_list(column: int, *, is_reversed: bool = False) -> list[tuple[str, str, str]]:
    """Return a list with one person for each cell of a column of the table."""
    name, *cells = COLUMNS[column]
    rows = [(f"{who}@example.org", "Ana", cell) for who, cell in zip(letters(99), chain(*cells), strict=False)]
    return [("email", "first_name", name), *(reversed(rows) if is_reversed else rows)]


def staying(column: int) -> set[str]:
    _, left, unclear, stays = COLUMNS[column]
    return set(letters(len(left) + len(unclear) + len(stays))[len(left) + len(unclear) :])


EVERY_COLUMN = pytest.mark.parametrize("column", range(len(COLUMNS)), ids=[name for name, *_ in COLUMNS])


@EVERY_COLUMN
@pytest.mark.parametrize("way", WAYS)
def test_who_left_does_not_come_in(reader: Here, column: int, way: str) -> None:
    rows = column_list(column, is_reversed=way != "commas")

    report = reader.bring_in(written(rows, way), basis="members")

    assert reader.emailed() == staying(column)
    assert (report.added, report.rejected) == (len(staying(column)), len(rows) - 1 - len(staying(column)))


@EVERY_COLUMN
def test_who_left_elsewhere_is_no_longer_emailed_here(reader: Here, column: int) -> None:
    rows = column_list(column)
    reader.bring_in(written([(email, name) for email, name, _ in rows]), basis="members")

    reader.bring_in(written(rows))

    assert reader.emailed() == staying(column)
    _, left, unclear, _ = COLUMNS[column]
    in_doubt = {each.email for each in list_suppressions(reader.database, reason=SuppressionReason.IN_DOUBT)}
    assert in_doubt == {f"{who}@example.org" for who in letters(len(left) + len(unclear))[len(left) :]}


@EVERY_COLUMN
def test_the_same_file_tells_whom_to_block(reader: Here, column: int) -> None:
    name, left, _, stays = COLUMNS[column]
    people = zip(letters(99), [*left, *stays], strict=False)
    rows = [("email", name), *((f"{who}@example.org", cell) for who, cell in people)]

    assert reader.suppress(written(rows)) == set(letters(len(left)))


HELD_IN_MIND = [
    ("Left", "2020"),
    ("Removed", "yes"),
    ("Newsletter", "no"),
    ("Mailing", "nein"),
    ("Infolettre", "non"),
    ("reason", "unsubscribed"),
    ("Notes 2", "opted out"),
    ("Comment", "désinscrit"),
]


@pytest.mark.parametrize(("name", "cell"), HELD_IN_MIND)
def test_a_column_that_may_speak_of_leaving_is_asked_about(reader: Here, name: str, cell: str) -> None:
    text = written([("email", name), ("ana@example.org", cell), ("ben@example.org", "")])

    with pytest.raises(UnclearColumnsError) as raised:
        reader.bring_in(text, basis="members")

    assert f'--map "{name}=unsubscribed"' in str(raised.value)
    assert reader.emailed() == set()
    reader.bring_in(text, basis="members", mapping={name: "unsubscribed"})
    assert "ana" not in reader.emailed()
    reader.bring_in(text, basis="members", mapping={name: ""})
    assert "ben" in reader.emailed()


# Whole lists, and the people who may be emailed after it was imported with a basis.
WHOLE_LISTS: dict[str, tuple[str, str]] = {
    "Ghost, opened and saved in Germany": (
        "id;email;name;subscribed_to_emails;created_at;deleted_at;labels\n"
        "1;ana@example.org;Ana;FALSCH;2025-01-02T03:04:05.000Z;;\n"
        "2;ben@example.org;Ben;WAHR;2025-01-02T03:04:05.000Z;;\n"
        "3;cy@example.org;Cy;0;2025-01-02T03:04:05.000Z;;\n"
        "4;di@example.org;Di;no;2025-01-02T03:04:05.000Z;;\n"
        "5;el@example.org;El;WAHR;2025-01-02T03:04:05.000Z;2026-01-02T03:04:05.000Z;\n",
        "ben",
    ),
    "our own, with a column more": (
        "email,first_name,last_name,language,timezone,tags,joined_at,consented_at,consent_source,consent_wording,"
        "consent_confirmed_at,consent_basis,status,unsubscribed_at\n"
        "ana@example.org,Ana,,,,,2025-01-02T00:00:00Z,2025-01-01T00:00:00Z,form,,,,unsubscribed,2026-11-01\n"
        "ben@example.org,Ben,,,,,2025-01-02T00:00:00Z,2025-01-01T00:00:00Z,form,,,,active,\n"
        "cy@example.org,Cy,,,,,2025-01-02T00:00:00Z,2025-01-01T00:00:00Z,form,,,,active,2026-11-01\n",
        "ben",
    ),
    "beehiiv": (
        "email,First Name,status,tier,created_at,stripe_customer_id,Free Tier,unsubscribed_at\n"
        "ana@example.org,Ana,active,free,2023-03-24 10:23:10 UTC,,Yes,\n"
        "ben@example.org,,inactive,free,2023-03-24 10:23:10 UTC,,Yes,\n"
        "cy@example.org,,pending,free,2023-03-24 10:23:10 UTC,,Yes,\n"
        "di@example.org,,active,premium,2023-03-24 10:23:10 UTC,,No,2024-03-13 11:33:53 UTC\n",
        "ana",
    ),
    "Kit": (
        "first_name,email,created_at,status\n"
        "Ana,ana@example.org,2023-03-24 10:23:10 UTC,active\n"
        "Ben,ben@example.org,2023-03-24 10:23:10 UTC,cancelled\n"
        "Cy,cy@example.org,2023-03-24 10:23:10 UTC,bounced\n"
        "Di,di@example.org,2023-03-24 10:23:10 UTC,complained\n",
        "ana",
    ),
    "Substack's addresses": (
        "email,expiry,email_disabled,prefer_digests,stripe_connected_customer_id,type\n"
        "ana@example.org,2021-07-06T16:20:44.000Z,false,false,cus_1,paid\n"
        "ben@example.org,2025-06-23T23:41:42.980Z,true,false,,comp\n"
        "cy@example.org,,,false,,gift\n"
        "di@example.org,,TRUE,false,,gift\n",
        "ana cy",
    ),
    "Mailchimp, with who left in the same file": (
        "Email Address,First Name,OPTIN_TIME,CONFIRM_TIME,LEID,EUID,UNSUB_TIME,CLEAN_TIME\n"
        "ana@example.org,Ana,2025-01-02 03:04:05,2025-01-02 03:04:05,1,a,,\n"
        "ben@example.org,Ben,2025-01-02 03:04:05,2025-01-02 03:04:05,2,b,2025-06-01 00:00:00,\n"
        "cy@example.org,Cy,2025-01-02 03:04:05,2025-01-02 03:04:05,3,c,,2025-06-01 00:00:00\n",
        "ana",
    ),
    "listmonk": (
        "uuid,email,name,attributes,status,created_at,updated_at\n"
        "1,ana@example.org,Ana,{},enabled,2025-01-02 03:04:05 +0000 UTC,2025-01-02 03:04:05 +0000 UTC\n"
        "2,ben@example.org,Ben,{},blocklisted,2025-01-02 03:04:05 +0000 UTC,2025-01-02 03:04:05 +0000 UTC\n"
        "3,cy@example.org,Cy,{},disabled,2025-01-02 03:04:05 +0000 UTC,2025-01-02 03:04:05 +0000 UTC\n",
        "ana",
    ),
    "Constant Contact": (
        "Email address,First name,Email status,Email permission status\n"
        "ana@example.org,Ana,Active,Express\n"
        "ben@example.org,Ben,Unsubscribed,Unsubscribed\n"
        "cy@example.org,Cy,Awaiting Confirmation,\n",
        "ana",
    ),
    "HubSpot's contacts": (
        "Record ID,First Name,Email,Unsubscribed from all email,Email hard bounce reason\n"
        "1,Ana,ana@example.org,true,\n2,Ben,ben@example.org,,OTHER\n3,Cy,cy@example.org,false,\n",
        "cy",
    ),
}


@pytest.mark.parametrize("whose", WHOLE_LISTS)
def test_whole_lists_of_other_tools(here: Here, whose: str) -> None:
    text, expected = WHOLE_LISTS[whose]

    here.bring_in(text, basis="members")

    assert here.emailed() == set(expected.split())
    here.bring_in(text, basis="members")  # again, with these people on the list
    assert here.emailed() == set(expected.split())


REPEATED = {
    "the first row left": (["ANA@example.org,unsubscribed", "ana@example.org,active"], ""),
    "the last row left": (["ana@example.org,active", "Ana@Example.org,unsubscribed"], ""),
    "one row of three is unclear": (["ana@example.org,active", "ANA@example.org,inactive", "ana@example.org,"], ""),
    "a domain in its other spelling": (["p@müller.example,bounced", "p@xn--mller-kva.example,active"], ""),
    "one of two people": (["ana@example.org,abgemeldet", "ben@example.org,active", "ana@example.org,active"], "ben"),
    "not confirmed in one row": (["ana@example.org,pending", "ana@example.org,active"], ""),
}  # fmt: skip


@pytest.mark.parametrize("kind", REPEATED)
@pytest.mark.parametrize("is_known", [False, True])
def test_who_left_in_one_row_comes_in_by_no_other(here: Here, kind: str, is_known: bool) -> None:
    rows, expected = REPEATED[kind]
    if is_known:
        here.bring_in("email\nsomeone@example.org\n", basis="members")

    here.bring_in("\n".join(["email,status", *rows]), basis="members")

    assert here.emailed() - {"someone"} == set(expected.split())


def test_the_export_says_who_is_not_emailed(here: Here, tmp_path: Path) -> None:
    people = [(f"{name}@example.org", "2025-03-01T09:00:00Z", "form") for name in ("ana", "ben", "cy", "di")]
    here.bring_in(written([("email", "consented_at", "consent_source"), *people, ("el@example.org", "", "")]))
    here.suppress("email,reason\nana@example.org,unsubscribed\nben@example.org,bounced\n")
    here.bring_in("email,status\ncy@example.org,inactive\nel@example.org,active\n")

    export_to_file(here.database, tmp_path / "all.csv")

    lines = (tmp_path / "all.csv").read_text().splitlines()
    place = lines[0].split(",").index("status")
    statuses = {line.partition("@")[0]: line.split(",")[place] for line in lines[1:]}
    assert statuses == {
        "ana": "unsubscribed",
        "ben": "bounced",
        "cy": "in doubt",
        "di": "subscribed",
        "el": "no consent",
    }


@pytest.mark.parametrize("suppresses", [False, True])
def test_people_who_left_elsewhere_and_are_not_on_the_list(here: Here, suppresses: bool) -> None:
    text = "email,status,unsubscribed_at\nana@example.org,bounced,2026-01-31T08:00:00Z\nben@example.org,inactive,\n"

    report = here.bring_in(text, suppresses_leavers=suppresses)

    found = find_suppression(here.database, "ana@example.org")
    assert (found is not None) is suppresses
    assert find_suppression(here.database, "ben@example.org") is None
    assert (report.blocked, report.rejected) == ((1, 1) if suppresses else (0, 2))
    if found is not None:
        assert (found.reason, found.created_at) == (SuppressionReason.BOUNCED, datetime(2026, 1, 31, 8, tzinfo=UTC))


@pytest.mark.parametrize(
    ("rows", "to_correct"),
    [
        (("ana@example.org,unsubscribed",), 0),
        (("ana@example.org,pending", "ana@example.org,active", "ben@example.org,bounced"), 0),
        (("ana@example.org,unsubscribed", "ana@example.org,", "ana@example.org,active", "ben@example.org,active"), 0),
        (("ana@example.org,inactive", "ben@example.org,unsubscribed"), 1),
        (("ana,active", "ben@example.org,unsubscribed"), 1),
    ],
)
@pytest.mark.parametrize("is_known", [False, True])
def test_rows_of_people_who_left_are_nothing_to_correct(
    here: Here, rows: tuple[str, ...], to_correct: int, is_known: bool
) -> None:
    if is_known:
        here.bring_in("email\nsomeone@example.org\n", basis="members")

    assert here.bring_in("\n".join(["email,status", *rows])).to_correct == to_correct


def test_a_file_with_an_unclear_status_blocks_no_one(reader: Here) -> None:
    with pytest.raises(MistakesError, match="does not say whether this person unsubscribed"):
        reader.suppress("email,status\nana@example.org,unsubscribed\nben@example.org,on holiday\n")
    assert find_suppression(reader.database, "ana@example.org") is None
