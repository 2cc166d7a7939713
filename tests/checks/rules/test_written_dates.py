"""Dates in numbers, days that depend on the day of reading, and subjects of another month."""

import pytest

from tests.checks.conftest import Workspace, findings_of, summary

LETTER = "letter.md:16"


@pytest.mark.parametrize(
    ("language", "text", "said"),
    [
        ("en", "On 1/13/2027 we begin.", "write “Wednesday, January 13, 2027”"),
        ("en", "On 13/1/2027 we begin.", "write “Wednesday, January 13, 2027”"),
        ("en", "On 13.1.2027 we begin.", "write “Wednesday, January 13, 2027”"),
        ("en", "On 2027-01-13 we begin.", "write “Wednesday, January 13, 2027”"),
        ("en", "On 1-13-27 we begin.", "write “Wednesday, January 13, 2027”"),
        ("en", "Since 20270113.", "write “Wednesday, January 13, 2027”"),
        ("en", "Before 2/30/2026.", "this day does not exist"),
        ("en", "Before 3/4/2026.", "write the weekday, the day and the name of the month"),
        ("en", "We begin on 1/13.", "write the weekday"),
        ("en", "We begin on the 13th.", "does not say in which month"),
        ("de", "Wir beginnen am 13.1.2027.", "write “Mittwoch, 13. Januar 2027”"),
        ("de", "Bis 13/01/2027.", "write “Mittwoch, 13. Januar 2027”"),
        ("es", "El 13/1/2027 empezamos.", "write “miércoles, 13 de enero de 2027”"),
        ("fr", "Le 13/01/2027, nous commençons.", "write “mercredi 13 janvier 2027”"),
        ("it", "Il 13-01-2027 iniziamo.", "write “mercoledì 13 gennaio 2027”"),
        ("nl", "Op 13-1-2027 beginnen we.", "write “woensdag 13 januari 2027”"),
        ("pt", "Em 13/01/2027 começamos.", "write “quarta-feira, 13 de janeiro de 2027”"),
        ("sv", "Den 2027-01-13 börjar vi.", "write “onsdag 13 januari 2027”"),
        ("ja", "2027/1/13 に始まります。", "write “2027年1月13日水曜日”"),
        ("zh", "2027-01-13 开始。", "write “2027年1月13日星期三”"),
        ("ar", "نبدأ في 13/01/2027.", "write “الأربعاء، 13 يناير 2027”"),
        ("he", "מתחילים ב 13/01/2027.", "write “יום רביעי, 13 בינואר 2027”"),
    ],
)
def test_a_date_in_numbers_is_found(workspace: Workspace, language: str, text: str, said: str) -> None:
    workspace.edit("toml", 'timezone = "Europe/Dublin"', f'timezone = "Europe/Dublin"\nlanguage = "{language}"')
    workspace.edit("letter", "A book", f"{text}\n\nA book")
    (finding,) = (each for each in findings_of(workspace.subject()) if each.rule == "E6")
    assert str(finding.place).endswith(LETTER)
    assert said in str(finding)


@pytest.mark.parametrize(
    "text",
    [
        "We are there 24/7, in 3/4 of all homes, with 1/2 a cup.",
        "Call +1 555-0100 or 555-01-2027-9.",
        "Version 2.10.2026.1 of our rules, and 10.0.0.1 of another.",
        "Read Genesis 1-13, pages 10-12, and verses 3.1 to 3.4.",
        "Number 20271399, or 2026-111.",
        "On the 13th of March, on the 1st floor.",
        "See https://example.org/2026/03/14/post for more.",
        "On Sunday, March 15, we walk.",
    ],
)
def test_other_numbers_are_not_dates(workspace: Workspace, text: str) -> None:
    workspace.edit("letter", "A book", f"{text}\n\nA book")
    assert [str(each) for each in findings_of(workspace.subject()) if each.rule[0] == "E"] == []


def test_a_numeric_date_after_its_weekday_is_fine_where_people_write_so(workspace: Workspace) -> None:
    workspace.edit("toml", 'timezone = "Europe/Dublin"', 'timezone = "Europe/Dublin"\nlanguage = "de"')
    workspace.edit("letter", "A book", "Am Freitag, 6.3.2026, und am 7.3. lesen wir.\n\nA book")
    assert [str(each) for each in findings_of(workspace.subject()) if each.rule[0] == "E"] == []


SUBJECT = "subject: A letter for the first days of March"


@pytest.mark.parametrize(
    ("language", "subject", "found"),
    [
        ("en", "Harbour news, January 2026", True),
        ("en", "Harbour news, March 2025", True),
        ("en", "What we read in May, and more", True),
        ("en", "The 2024 letter of the harbour", True),
        ("en", "Harbour news, March 2026", False),
        ("en", "Harbour news, February 2026", False),  # the issue is of March 1
        ("en", "You may rest, and march to the sea", False),
        ("en", "Save the date for March 7", False),
        ("en", "A look back at 2025, with thanks", True),
        ("de", "Neues vom Hafen im Januar 2026", True),
        ("de", "Neues vom Hafen im März 2026", False),
        ("fr", "Les nouvelles du port, avril 2026", True),
        ("es", "Noticias del puerto, enero de 2026", True),
        ("ja", "2026年1月号の便り", True),
        ("ja", "2026年3月号の便り", False),
        ("ar", "أخبار الميناء، يناير 2026", True),
    ],
)
def test_another_month_in_the_subject_is_found(workspace: Workspace, language: str, subject: str, found: bool) -> None:
    workspace.edit("toml", 'timezone = "Europe/Dublin"', f'timezone = "Europe/Dublin"\nlanguage = "{language}"')
    workspace.edit("issue", SUBJECT, f"subject: {subject}")
    rules = [(rule, place) for rule, place in summary(findings_of(workspace.subject())) if rule == "E9"]
    assert rules == [("E9", "issue.yaml:1")] * found


@pytest.mark.parametrize(("day", "found"), [("2026-01-10", False), ("2026-02-27", False), ("2026-03-20", True)])
def test_the_year_before_is_fine_at_the_start_of_a_year(workspace: Workspace, day: str, found: bool) -> None:
    workspace.edit("issue", "date: 2026-03-01", f"date: {day}").edit(
        "issue", SUBJECT, "subject: Thanks for all of 2025"
    )
    rules = [
        place for rule, place in summary(findings_of(workspace.subject())) if (rule, place) == ("E9", "issue.yaml:1")
    ]
    assert rules == ["issue.yaml:1"] * found
