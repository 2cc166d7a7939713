"""Names of columns in the languages of the theme: what is taken, what is suggested, and what is neither."""

from pathlib import Path

import pytest

from newsletter.lists.column_words import _told, _words, sure_column
from newsletter.lists.leaving_columns import column_about_leaving
from newsletter.model.columns import LIST_COLUMNS
from tests.lists.test_csv_import import complaint_about, only_row, read, rows_of, shape_of

HEADERS = {
    "en": "Email address;Given name;Surname;Preferred language;Joined on;Consent date",
    "de": "E-Mail-Adresse;Vorname;Name;Sprache;Mitglied seit;Eingewilligt am",
    "es": "Correo electrónico;Nombre;Apellidos;Idioma;Fecha de alta;Fecha de consentimiento",
    "fr": "Adresse e-mail;Prénom;Nom;Langue;Date d’inscription;Date du consentement",
    "pt": "Endereço de e-mail;Nome;Sobrenome;Idioma;Data de inscrição;Data do consentimento",
    "it": "Indirizzo e-mail;Nome;Cognome;Lingua;Iscritto il;Data del consenso",
    "nl": "E-mailadres;Voornaam;Achternaam;Taal;Lid sinds;Datum toestemming",
    "sv": "E-postadress;Förnamn;Efternamn;Språk;Medlem sedan;Samtyckesdatum",
    "pl": "Adres e-mail;Imię;Nazwisko;Język;Data zapisu;Data zgody",
    "ja": "メールアドレス;名;姓;言語;登録日;同意日",
    "zh": "电子邮件;名;姓;语言;加入日期;同意日期",
    "ko": "이메일;이름;성;언어;가입일;동의일",
    "ar": "البريد الإلكتروني;الاسم الأول;اسم العائلة;اللغة;تاريخ الانضمام;تاريخ الموافقة",
    "he": "דוא״ל;שם פרטי;שם משפחה;שפה;תאריך הצטרפות;תאריך הסכמה",
}


def test_every_language_of_the_theme_has_words() -> None:
    assert set(_told()) == set(HEADERS)


@pytest.mark.parametrize("language", HEADERS)
def test_usual_names_are_known_in_every_language(tmp_path: Path, language: str) -> None:
    content = f"{HEADERS[language]}\nana@example.org;Ana;Lima;{language};2024-01-02;2025-03-04\n"

    assert only_row(tmp_path, content) == {
        "email": "ana@example.org",
        "first_name": "Ana",
        "last_name": "Lima",
        "language": language,
        "joined_at": "2024-01-02T00:00:00Z",
        "consented_at": "2025-03-04T00:00:00Z",
    }


@pytest.mark.parametrize("header", ["VORNAME", "vor-name", "Vor Name", "prenom", "PRÉNOM", "Imie"])
def test_case_accents_and_punctuation_make_no_difference(tmp_path: Path, header: str) -> None:
    assert only_row(tmp_path, f"email,{header}\nana@example.org,Ana\n")["first_name"] == "Ana"


@pytest.mark.parametrize(
    ("header", "suggestion"),
    [
        ("Name", "first_name"),
        ("Nombre", "first_name"),
        ("created_at", "joined_at"),
        ("Opt-in date", "consented_at"),
        ("Bestätigt am", "consented_at"),
        ("Gruppe", "tags"),
        ("Quelle", "consent_source"),
    ],
)
def test_name_that_could_mean_something_else_is_suggested(tmp_path: Path, header: str, suggestion: str) -> None:
    content = f"email,{header}\nana@example.org,x\n"

    assert [column.suggestion for column in shape_of(tmp_path, content).header.columns] == ["", suggestion]
    assert only_row(tmp_path, content).keys() <= {"email", "attributes"}


@pytest.mark.parametrize(
    ("header", "remedy"), [("氏名", '--map "氏名=first_name"'), ("الاسم", '--map "الاسم=first_name"')]
)
def test_name_that_cannot_be_an_attribute_is_suggested_as_the_remedy(tmp_path: Path, header: str, remedy: str) -> None:
    assert remedy in complaint_about(tmp_path, f"email,{header}\nana@example.org,x\n")


@pytest.mark.parametrize("header", ["Vorname,Nachname,Name", "first_name,Name", "Vorname,Rufname"])
def test_nothing_is_suggested_for_a_column_that_is_there(tmp_path: Path, header: str) -> None:
    columns = shape_of(tmp_path, f"email,{header}\nana@example.org{',x' * len(header.split(','))}\n").header.columns

    assert not any(column.suggestion for column in columns)
    assert [column.fields for column in columns[1:]].count(("first_name",)) == 1


def test_column_with_our_name_comes_before_one_with_another(tmp_path: Path) -> None:
    row = only_row(tmp_path, "Mail,email,Vorname,first_name\nx,ana@example.org,Eva,Ana\n")

    assert row == {
        "email": "ana@example.org",
        "first_name": "Ana",
        "attributes": '{"mail":"x","vorname":"Eva"}',
    }


def test_of_two_columns_for_addresses_the_one_that_holds_them_is_used(tmp_path: Path) -> None:
    row = only_row(tmp_path, "E-Mail-Adresse,Mail\n,ana@example.org\n")

    assert row["email"] == "ana@example.org"


@pytest.mark.parametrize("cell", ["ja", "2015", "seit langem"])
def test_column_without_dates_is_no_date(tmp_path: Path, cell: str) -> None:
    content = f"email,Mitglied seit,Eingewilligt am\nana@example.org,{cell},{cell}\n"

    assert only_row(tmp_path, content).keys() == {"email", "attributes"}


def test_date_that_is_wrong_is_still_rejected(tmp_path: Path) -> None:
    batches = read(tmp_path, "email,Eingewilligt am\nana@example.org,03/04/2026\nbo@example.org,2026-02-30\n")

    assert rows_of(batches) == []
    assert [row.line for batch in batches for row in batch.rejected] == [2, 3]


def test_our_own_export_keeps_attributes_with_such_names(tmp_path: Path) -> None:
    header = ",".join([*LIST_COLUMNS, "vorname"])
    cells = ",".join("ana@example.org" if name == "email" else "" for name in LIST_COLUMNS)

    assert only_row(tmp_path, f"{header}\n{cells},Eva\n")["attributes"] == '{"vorname":"Eva"}'


def test_no_name_surely_means_two_columns() -> None:
    for found in _words().values():
        assert len({each.field for each in found if each.is_sure}) == 1 or not any(each.is_sure for each in found)


def test_no_name_for_a_column_is_about_leaving() -> None:
    for told in _told().values():
        for name in (name for field in LIST_COLUMNS for name in told.get(field, ())):
            leaving = column_about_leaving(name)
            assert leaving is None or not leaving.is_certain, name


def test_consent_needs_a_name_that_says_so() -> None:
    assert not any(sure_column(name) == "consented_at" for name in ("Opt-in", "Date", "Confirmed at", "Einwilligung"))
