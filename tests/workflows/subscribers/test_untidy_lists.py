"""Lists as people and programs write them: tags, short rows, dates, names of columns, and who is the same person."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from newsletter.config import Config, load_config
from newsletter.errors import InputError
from newsletter.model.columns import SubscriberRecord
from newsletter.store.database import Database
from newsletter.store.segments import list_members
from newsletter.store.subscribers import export_subscribers, find_subscriber
from newsletter.store.suppressions import add_suppressions, find_suppression
from newsletter.workflows.segments import segment_where
from newsletter.workflows.subscribers.forget import erase, plan_erasure
from newsletter.workflows.suppressions.suppress import SuppressionTerms, named_suppressions
from tests.store.builders import KEY
from tests.store.empty_file import open_test_database
from tests.workflows.subscribers.here import NOW, Here, written
from tests.workspaces import write_workspace


def records(database: Database) -> dict[str, SubscriberRecord]:
    return {each.record.email.partition("@")[0]: each.record for each in export_subscribers(database)}


@pytest.mark.parametrize(
    ("cell", "tags"),
    [
        ('"Bristol, UK","VIP"', ("bristol, uk", "vip")),
        ('"Bristol, UK"', ("bristol, uk",)),
        ('VIP,"São Paulo, SP"', ("são paulo, sp", "vip")),
        ('"a; b";c', ("a; b", "c")),
        ('["Bristol, UK", "VIP"]', ("bristol, uk", "vip")),
        ("Bristol, UK", ("bristol", "uk")),
    ],
)
def test_a_tag_in_quotes_stays_whole(reader: Here, cell: str, tags: tuple[str, ...]) -> None:
    quoted = cell.replace('"', '""')
    reader.bring_in(f'email,tags\nana@example.org,"{quoted}"\n')

    assert records(reader.database)["ana"].tags == tags


@pytest.mark.parametrize("way", ["commas", "Excel in German", "tabs in UTF-16"])
@pytest.mark.parametrize(
    "rows",
    [
        (("ana@example.org", "Ana", "x"), ("ben@example.org", "Ben"), ("cy@example.org",)),
        (("cy@example.org",), ("ana@example.org", "Ana"), ("ben@example.org", "Ben", "")),
        (("ana@example.org", "", "y"), ("",), ("ben@example.org",), ("cy@example.org", "")),
    ],
)
def test_a_spreadsheet_may_leave_out_empty_cells_at_the_end(
    reader: Here, rows: tuple[tuple[str, ...], ...], way: str
) -> None:
    report = reader.bring_in(written([("email", "first_name", "notes"), *rows], way), basis="members")

    assert (report.added, report.rejected) == (3, 0)


@pytest.mark.parametrize(
    ("cell", "day"),
    [
        ("2026/01/31", "2026-01-31T00:00"),
        ("2026/1/5 10:00", "2026-01-05T10:00"),
        ("31-Jan-26", "2026-01-31T00:00"),
        ("1/31/26", "2026-01-31T00:00"),
        ("31.01.2026", "2026-01-31T00:00"),
        ("31 January 2026", "2026-01-31T00:00"),
        ("20260131", "2026-01-31T00:00"),
        ("2126-01-01", ""),
        ("45321", ""),
        ("03/04/2026", ""),
        ("31/02/2026", ""),
    ],
)
def test_a_day_is_understood_or_rejected(reader: Here, cell: str, day: str) -> None:
    report = reader.bring_in(f"email,joined_at\nana@example.org,{cell}\n", basis="members")

    assert report.rejected == (0 if day else 1)
    assert [f"{each.joined_at:%Y-%m-%dT%H:%M}" for each in records(reader.database).values()] == ([day] if day else [])


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("straße", "strasse", False),
        ("Straße", "STRASSE", False),
        ("groß", "GROSS", False),
        ("Ana", "ANA", True),
        ("ÉLISE", "élise", True),
        ("ana.lima", "analima", False),
        ("ana+news", "ana", False),
    ],
)
def test_only_upper_and_lower_case_make_no_difference(reader: Here, one: str, other: str, is_same: bool) -> None:
    reader.bring_in(f"email,consented_at,consent_source\n{other}@example.org,2025-06-01,form\n")

    reader.suppress(f"{one}@example.org\n")

    assert (find_suppression(reader.database, f"{other}@example.org") is not None) is is_same
    assert (reader.emailed() == set()) is is_same


GOOGLE = (
    "First Name,Middle Name,Last Name,Phonetic First Name,Nickname,File As,Organization Name,Birthday,Notes,Photo,"
    "Labels,E-mail 1 - Label,E-mail 1 - Value,E-mail 2 - Label,E-mail 2 - Value,Phone 1 - Label,Phone 1 - Value\n"
    "Ana,,Lima,,,,,1990-01-01,met in May,x,* myContacts ::: Newsletter,* Work,ana@example.org,Home,a@example.net,,1\n"
    "Noor,,,,,,,,,,* myContacts,,noor@example.net,,,,\n"
    "Bob,,,,,,,,,,* myContacts,,,,,Mobile,2\n"
)
GOOGLE_BEFORE = (
    "Name,Given Name,Additional Name,Family Name,Yomi Name,Group Membership,E-mail 1 - Type,E-mail 1 - Value\n"
    "Ana Lima,Ana,,Lima,,* myContacts ::: Newsletter,Work,ana@example.org\n"
)
OUTLOOK = (
    "First Name,Last Name,E-mail Address,E-mail Display Name,Categories,Birthday,Notes\n"
    "Ana,Lima,ana@example.org,Ana Lima,Newsletter,1/1/90,met in May\n"
)


@pytest.mark.parametrize("content", [GOOGLE, GOOGLE_BEFORE, OUTLOOK])
def test_of_contacts_only_name_address_and_labels_are_taken(reader: Here, content: str) -> None:
    reader.bring_in(content, basis="agreed in May")

    ana = records(reader.database)["ana"]
    assert (ana.first_name, ana.last_name, ana.tags, ana.attributes) == ("Ana", "Lima", ("newsletter",), {})
    assert "2" not in records(reader.database)


HEADERS = {
    "German": ("E-Mail;Vorname;Nachname;Ort;Eingewilligt am", "Zoë", "cp1252"),
    "French": ("Adresse e-mail;Prénom;Nom de famille;Ville;Date de consentement", "Zoé", "cp1252"),
    "Spanish": ("Correo electrónico;Nombre;Apellidos;Ciudad;Fecha de consentimiento", "Íñigo", "utf-8"),
    "Japanese": ("メールアドレス;名;姓;市;同意日", "陽子", "utf-16"),
}


@pytest.mark.parametrize("language", HEADERS)
def test_the_usual_names_of_columns_are_known_in_other_languages(reader: Here, language: str) -> None:
    header, name, encoding = HEADERS[language]
    rows = f"{header}\nana@example.org;{name};Lima;Köln;31.01.2026\nben@example.org;;;;\n"

    mapping = {"市": "city"} if language == "Japanese" else {}
    reader.bring_in(rows.encode(encoding, errors="replace"), mapping=mapping)

    ana = records(reader.database)["ana"]
    assert (ana.first_name, ana.last_name) == (name, "Lima")
    assert f"{ana.consented_at:%Y-%m-%d}" == "2026-01-31"


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return load_config(write_workspace(tmp_path / "workspace"))


@pytest.fixture
def place(config: Config) -> Iterator[Here]:
    with open_test_database(config.database) as database:
        yield Here(database, config.root)


SCORES = "email,country,score\nana@example.org,US,5\nben@example.org,,\ncy@example.org,us,05\ndi@example.org,DE,1e1\n"


@pytest.mark.parametrize(
    ("content", "expression", "expected"),
    [
        ("email,language\nAna@Example.org,EN\nben@example.org,pt_br\n", 'language = "EN"', "Ana"),
        ("email,language\nAna@Example.org,EN\nben@example.org,pt_br\n", 'language = "PT-br"', "ben"),
        ("email,language\nAna@Example.org,EN\nben@example.org,pt_br\n", 'email = "ana@EXAMPLE.org"', "Ana"),
        ("email,tags\nana@example.org,cafe\u0301\nben@example.org,caf\u00e9\n", 'tagged("caf\u00e9")', "ana ben"),
        ("email,tags\nana@example.org,cafe\u0301\nben@example.org,caf\u00e9\n", 'tagged("CAFE\u0301")', "ana ben"),
        ("email,city\nana@example.org,Ma\u0301laga\nben@example.org,Bonn\n", 'city = "M\u00e1laga"', "ana"),
        (
            "email,consented_at,consent_source,consent_confirmed_at\n"
            "ana@example.org,2025-06-01T10:00Z,f,2025-06-01T10:05Z\nben@example.org,2025-07-01T10:00Z,f,\n",
            "consent_confirmed_at = 2025-06-01",
            "ana",
        ),
        (SCORES, "score < 6", "ana cy"),
        (SCORES, "score > 6", "di"),
        (SCORES, 'country = "US"', "ana"),
        ('email,tags\nana@example.org,"""Bristol, UK"",VIP"\n', 'tagged("bristol, uk")', "ana"),
    ],
)
def test_a_segment_finds_values_as_the_list_has_them(
    config: Config, place: Here, content: str, expression: str, expected: str
) -> None:
    place.bring_in(content, basis="members")

    segment = segment_where(config, place.database, expression, now=NOW)

    found = {each.subscriber.record.email.partition("@")[0] for each in list_members(place.database, segment.condition)}
    assert found == set(expected.split())


@pytest.mark.parametrize(
    ("file", "basis", "tags"),
    [
        ("zelda@example.org.csv", "told by zelda@example.org", "zelda@example.org"),
        ("Zelda@Example.org list.csv", "members", "friends of zelda@example.org"),
        ("people.csv", "ZELDA@example.org asked us", "a;zelda@example.org"),
    ],
)
def test_an_erased_address_is_in_no_text_of_an_import(
    config: Config, place: Here, monkeypatch: pytest.MonkeyPatch, file: str, basis: str, tags: str
) -> None:
    monkeypatch.setenv("NEWSLETTER_KEY", KEY.decode())
    path = place.write(f"email,tags\nzelda@example.org,{tags}\nben@example.org,\n", file)
    place.bring_in("", path=path, basis=basis)
    path.unlink()

    erase(place.database, plan_erasure(config, place.database, "zelda@example.org", key=KEY), key=KEY, now=NOW)

    with place.database.read() as connection:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'", {})]
        rows = [str(row) for name in tables for row in connection.execute(f"SELECT * FROM {name}", {})]
    assert not [row for row in rows if "zelda" in row.lower()]
    again = named_suppressions(["zelda@example.org"], SuppressionTerms(), topics={}, now=NOW)
    with pytest.raises(InputError, match="NEWSLETTER_KEY"):
        add_suppressions(place.database, again, key=None)


@pytest.mark.parametrize(
    ("column", "wrong", "right"),
    [("tags", "wrong", ""), ("first_name", "Wrong", ""), ("city", "Rome", "Bonn"), ("language", "fr", "")],
)
def test_a_wrong_value_can_be_taken_off_by_another_import(reader: Here, column: str, wrong: str, right: str) -> None:
    reader.bring_in(f"email,{column}\nana@example.org,{wrong}\n", basis="members")
    reader.bring_in(f"email,{column}\nana@example.org,{right}\n", replaces=(column,))

    found = find_subscriber(reader.database, "ana@example.org")
    assert found is not None
    assert wrong not in str(found.record)
