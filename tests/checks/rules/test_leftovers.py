"""Merge tags and placeholders that were never replaced."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.checks.reading.placeholders import placeholders_in
from newsletter.model.finding import Severity
from newsletter.model.slots import MergeField
from tests.checks.conftest import Workspace, findings_of, summary, with_html


@pytest.mark.parametrize(
    "words",
    [
        "TODO",
        "TODO:",
        "a place ______",
        "a fee of €??",
        "a fee of ?? €",
        "@@@ ask Ana",
        "555-XXXX",
        "PLEASE CHECK with Ana",
        "BITTE PRÜFEN",
        "À VÉRIFIER",
        "text text text",
        "(tk)",
        "(for internal use only)",
        "(TK)",
        "TK,",
        "TKTK",
        "FIXME",
        "XXX",
        "XXXX",
        "Lorem ipsum dolor",
        "[insert the date]",
        "TBD",
        "t.b.c.",
        "xxx",
        "€xx",
        "XX.XX.2026",
        "DD/MM/YYYY",
        "20xx",
        "Where: ???",
        "[Date?]",
        "[link]",
        "[Name of the speaker]",
        "[your organization here]",
        "[ADD QUOTE FROM ANA]",
        "INSERT LINK HERE",
        "insert the program here",
        "(add photo)",
        "Replace this text",
        "the headline goes here",
        "[Uhrzeit]",
        "(Foto einfügen)",
        "Blindtext",
        "[prénom]",
        "[à compléter]",
        "[enlace]",
        "texto de ejemplo",
        "[имя]",
        "вставьте ссылку",
        "[שם]",
        "[الاسم]",
        "○○様",
        "（写真を追加）",
        "[姓名]",
        "[tarih ekleyin]",
        "*|FNAME|*",
        "<% name %>",
    ],
)
def test_a_placeholder_in_prose_blocks_at_its_line(workspace: Workspace, words: str) -> None:
    workspace.edit("letter", "grow longer", f"grow longer\nand {words} too")

    assert workspace.findings() == [("S6", "letter.md:10")]


@pytest.mark.parametrize(
    "words",
    [
        "TKMaxx",
        "PLEASE CHECK YOUR SPAM FOLDER",
        "please check with Ana",
        "snake_case_name",
        "€5? Yes!",
        "1984-xx",
        "ana@@example",
        "TK Maxx",
        "todo",
        "Todo lo que amamos",
        "a to-do list",
        "XX",
        "TODOS",
        "the letters W|X|Y",
        "[insert]",
        "lorem",
        "https://example.org/TODO",
        "#TODO-1/TK",
        "@TK",
        "“[The city] gave us a room”",
        "a [PDF] of [her] book [sic]",
        "(add salt to taste)",
        "(add your name)",
        "(photo: Ana Lima)",
        "What???",
        "Quoi ???",
        "XX Congreso, XXI",
        "Ana xx.",
        "二〇〇五年",
        "Insert a coin. Here we go",
        "a placeholder for love",
        "`[Name]` and `TBD`",
        "100 % {very sure}",
    ],
)
def test_words_that_look_like_placeholders_are_fine(workspace: Workspace, words: str) -> None:
    workspace.edit("letter", "grow longer", f"grow longer\nand {words} too")

    assert workspace.findings() == []


NATURAL = (
    "Am Samstag treffen wir uns am Hafen (bei Regen im Saal).",
    "Bitte melden Sie sich bis Freitag an.",
    "Hier finden Sie das Programm: Ort, Datum und Uhrzeit stehen darin.",
    "Wer mag, bringt ein Foto mit (gern auch ein altes).",
    "Preis: 20 € (ermäßigt 12 €).",
    "Der Ort wird noch bekannt gegeben.",
    "Bitte ersetzen Sie Zucker durch Honig.",
    "Text und Musik: Anna Seghers",
    "Hier kommt Alex!",
    "Tragen Sie hier bitte Ihren Namen ein.",
    "[…] und so weiter [sic]",
    "(Foto: Maria Meier)",
    "Adresse: Hafenstraße 7, 20359 Hamburg",
    "春の会は三月七日（土）に開きます。",
    "会場は港の家です（雨天の場合は中止）。",
    "お名前とご住所をお書きください。",
    "写真：山田花子",
    "【お知らせ】三月の講座",
    "〇月の花",
    "こちらに集まりましょう。",
    "ここに座ってください。",
    "二〇二六年三月",
    "Nous vous attendons samedi (entrée libre).",
    "Le lieu et l’heure sont dans le programme.",
    "Photo : Marie Dupont",
    "Venez nombreux ! Quoi ? Un bal !",
    "Ajoutez ici votre grain de sel.",
    "Todo lo que necesita está aquí: fecha, lugar y hora.",
    "El texto completo está en la web.",
    "Nombre y apellidos: obligatorios.",
    "Siglo XX y siglo XXI.",
    "Aggiungi un posto a tavola.",
    "Il testo è di Dante (1265–1321).",
    "Приходите в субботу (вход свободный).",
    "Здесь будет музыка и чай.",
    "Дата и место: 7 марта, порт.",
    "Buraya gel, çay var.",
    "כאן נפגשים בשבת (הכניסה חופשית).",
    "هنا نلتقي يوم السبت (الدخول مجاني).",
    "Bring a friend (and a photo, if you like).",
    "Add a pinch of salt here and there.",
    "Insert the key, and turn.",
    "The link between sleep and kindness",
    "Check the date: it is a Saturday.",
    "Her name here is Ana.",
    "Tel. +353 91 123 4567, or 0800 000 100",
    "We raised 1 000 000 euros, and 5.000.000 in 2025.",
    "A{b}c and x < y > z",
    "[Ana Lima] wrote it",
    "It is a test: can you stay?",
    "Draft beer and tests",
    "See you, xx",
    "A 5-0-0 victory",
    "(Images by Ana; text by Bo)",
    "Title IX turned fifty.",
    "[Music] plays",
    "[laughs]",
    "Dear friends ... we are back.",
    "Hello, X and Y!",
    "TEST centres reopen",
    "[Name withheld] wrote to us",
    "(more to follow)",
    "Here is the text of the poem.",
    "I put the photo here on the wall.",
    "Type here refers to blood type.",
)


def test_natural_sentences_in_many_languages_are_fine(workspace: Workspace) -> None:
    workspace.edit("letter", "A book", "".join(f"{sentence}\n\n" for sentence in NATURAL) + "A book")

    # A paragraph in another language needs to say so, which is another check.
    assert [rule for rule, _place in workspace.findings() if rule != "A14"] == []


def test_a_placeholder_in_front_matter_blocks_at_its_key(workspace: Workspace) -> None:
    workspace.edit("workshop", "Reserve a place for the day of rest", "Reserve TK")

    assert workspace.findings() == [("S6", "events/workshop.md:9")]


def test_a_placeholder_in_a_picture_s_words_blocks(workspace: Workspace) -> None:
    workspace.edit("letter", "Two hands around a cup", "TODO describe the cup")

    assert workspace.findings() == [("S6", "letter.md:12")]


def test_a_placeholder_of_the_settings_blocks(workspace: Workspace) -> None:
    workspace.edit("toml", "7 Quay Street", "TODO Street")

    assert workspace.findings() == [("S6", "newsletter.toml:5")]


def test_a_placeholder_of_the_theme_blocks(workspace: Workspace) -> None:
    workspace.edit("txt", "Unsubscribe:", "FIXME\nUnsubscribe:")

    assert workspace.findings() == [("S6", "issue.yaml")]


def test_each_placeholder_is_told_at_each_of_its_lines(workspace: Workspace) -> None:
    workspace.edit("letter", "grow longer", "TODO grow longer")
    workspace.edit("meditation", "Sit down", "TODO sit down")

    assert workspace.findings() == [("S6", "letter.md:9"), ("S6", "meditation.md:8")]


def test_a_spanish_title_that_the_text_part_sets_in_capitals_is_fine(workspace: Workspace) -> None:
    workspace.edit("issue", "date:", "language: es\ndate:")
    workspace.edit("issue", "title: The first days of March", "title: Todo lo que la primavera trae")

    assert "S6" not in {rule for rule, _ in workspace.findings()}


def test_a_spanish_heading_in_capitals_is_fine_and_a_note_is_not(workspace: Workspace) -> None:
    workspace.edit("issue", "date:", "language: es\ndate:")
    workspace.edit("letter", "## What we read", "## TODO LO QUE LEEMOS")
    workspace.edit("meditation", "Sit down", "TODO: una frase")

    assert [found for found in workspace.findings() if found[0] == "S6"] == [("S6", "meditation.md:8")]


def test_a_tag_of_another_program_in_an_address_blocks_at_its_line(workspace: Workspace) -> None:
    workspace.edit("letter", "https://example.org/poem", "https://example.org/poem?n=%7B%7Bname%7D%7D")

    assert workspace.findings() == [("S6", "letter.md:16")]


@pytest.mark.parametrize("leftover", ["{{ first_name }}", MergeField("first_name").token, "{% if member %}"])
def test_a_tag_that_the_theme_leaves_blocks(workspace: Workspace, leftover: str) -> None:
    edited = with_html(workspace.subject(), lambda part: part.replace("</h1>", f" {leftover}</h1>"))

    assert summary(findings_of(edited)) == [("S6", "issue.yaml")]


def test_braces_that_close_style_rules_are_fine(workspace: Workspace) -> None:
    css = "<style>@media screen{p{color:red}}</style>"
    edited = with_html(workspace.subject(), lambda part: part.replace("</head>", f"{css}</head>"))

    assert summary(findings_of(edited)) == []


def test_phrase_is_found_over_a_line_break_at_the_line_on_which_it_begins(workspace: Workspace) -> None:
    workspace.edit("letter", "grow longer", "grow longer\nand replace\nthis text")

    assert workspace.findings() == [("S6", "letter.md:10")]


def test_time_that_may_be_announced_later_is_only_a_warning(workspace: Workspace) -> None:
    workspace.edit("workshop", "Bring a blanket.", "The room is TBA.")

    assert [(each.rule, each.severity) for each in findings_of(workspace.subject()) if each.rule != "S14"] == [
        ("S6", Severity.WARNING)
    ]


@pytest.mark.parametrize(
    "title",
    [
        "[TEST] A day of rest",
        "DRAFT: A day of rest",
        "Copy of A day of rest",
        "A day of rest (copy 2)",
        "Kopie von Ruhetag",
        "【テスト】静かな一日",
        "Черновик: день отдыха",
        "A day of rest - Copy",
        "A day of rest - FINAL",
        "Ruhetag – ENTWURF",
        "Title",
        "Ohne Titel",
        "無題",
    ],
)
def test_title_of_an_unfinished_or_copied_file_blocks_at_its_key(workspace: Workspace, title: str) -> None:
    workspace.edit("workshop", "title: A day of rest", f'title: "{title}"')

    assert workspace.findings() == [("S6", "events/workshop.md:2")]


@pytest.mark.parametrize(
    "title",
    [
        "Testing the waters of rest",
        "World Cup - Final",
        "A FINAL rest",
        "A draft of air",
        "A copy of the moon",
        "Titles we love",
    ],
)
def test_title_that_only_begins_like_one_is_fine(workspace: Workspace, title: str) -> None:
    workspace.edit("workshop", "title: A day of rest", f'title: "{title}"')

    assert workspace.findings() == []


@given(st.text(alphabet="aeinrst xXbdTBD[]()?!.,:\n", max_size=60))
def test_every_placeholder_is_told_with_its_position(text: str) -> None:
    text = f"{text}\n[Name]"

    found = placeholders_in(text, "en")

    assert (found[-1].position, found[-1].words) == (len(text) - len("[Name]"), "[Name]")
    assert all(" ".join(text[each.position :].split()).startswith(each.words) for each in found)


@pytest.mark.parametrize("mark", ["(draft)", "(final v3)", "v2 FINAL FINAL", "[v2]"])
def test_a_subject_that_ends_as_a_file_does_is_not_finished(workspace: Workspace, mark: str) -> None:
    workspace.edit("issue", "subject: A letter for the first days of March", f'subject: "A letter for March {mark}"')

    assert ("S6", "issue.yaml:1") in workspace.findings()
