"""Whole issues in German, Japanese and Arabic: the rules on dates find nothing in them, and each wrong word."""

import pytest

from tests.checks.conftest import ISSUE, Workspace, findings_of

GERMAN = (
    """\
Liebe Freundinnen und Freunde,

im Januar waren wir vierzig, im Februar schon sechzig. Seit 1998 treffen wir uns am ersten Samstag im März, und am
2. Mai beginnt der nächste Jahreskurs. Was uns trägt: drei Minuten am Morgen, eine Stunde in der Woche, 24/7 ein offenes
Ohr. Von 10 bis 12 Uhr ist das Büro besetzt. Am Montag, 2. März, beginnt die Fastenwoche.

Im Jahr 2024 erschien unser Buch, 3. Auflage 2025.
""",
    """\
title: Ein Tag der Stille
subtitle: Dreistündiger Workshop mit Anna Beispiel
starts: 2026-03-07 09:00
ends: 2026-03-07 12:00
deadline: {label: Frühbucherpreis bis, date: 2026-03-04}
notes:
  - {label: Voraussetzung, text: "ein abgeschlossener 8-Wochen-Kurs, nicht älter als März 2024"}
  - {label: Mitbringen, text: "eine Decke und 30 Minuten für den Heimweg"}
""",
    "Wir beginnen pünktlich um 9 Uhr, machen um 10:30 Uhr eine Pause von 15 Minuten und enden um 12 Uhr. Einlass ist\n"
    "ab 8:30 Uhr. Die Aufzeichnung ist bis zum 30. April abrufbar. Im letzten März waren wir zwanzig.\n",
)
JAPANESE = (
    """\
皆さま、

1月の集まりには40人、2月には60人が参加しました。2024年から続く朝の3分間の実践です。次回の講座は5月2日に始まります。
3月2日（月）から一週間、静かに過ごします。
""",
    """\
title: 静けさの一日
subtitle: 3時間のワークショップ
starts: 2026-03-07 09:00
ends: 2026-03-07 12:00
deadline: {label: 早割締切, date: 2026-03-04}
notes:
  - {label: 参加条件, text: 8週間コースを修了された方}
""",
    "3月7日（土）午前9時に始まり、10時30分に15分の休憩、正午に終わります。録画は4月30日まで見られます。\n",
)
ARABIC = (
    """\
أصدقاءنا الأعزاء،

اجتمعنا في يناير وكان عددنا أربعين، وفي فبراير ستين. منذ عام 1998 نلتقي كل سبت. تبدأ الدورة القادمة في 2 مايو.
""",
    """\
title: يوم من السكينة
subtitle: ورشة مدتها 3 ساعات
starts: 2026-03-07 09:00
ends: 2026-03-07 12:00
deadline: {label: آخر موعد للتسجيل المبكر, date: 2026-03-04}
""",
    "نلتقي يوم السبت 7 مارس الساعة 9:00 صباحًا. التسجيل متاح حتى 4 مارس، والتسجيل المرئي متاح حتى 30 أبريل.\n",
)


def dated(workspace: Workspace, language: str, letter: str, fields: str, prose: str) -> list[str]:
    workspace.edit("toml", 'timezone = "Europe/Dublin"', f'timezone = "Europe/Dublin"\nlanguage = "{language}"')
    workspace.edit("letter", "A book", f"{letter}\nA book")
    (workspace.root / ISSUE / "events" / "workshop.md").write_text(f"---\n{fields}---\n{prose}", encoding="utf-8")
    return [str(finding) for finding in findings_of(workspace.subject()) if finding.rule[0] == "E"]


@pytest.mark.parametrize(("language", "issue"), [("de", GERMAN), ("ja", JAPANESE), ("ar", ARABIC)])
def test_a_good_issue_has_no_problem_with_dates(
    workspace: Workspace, language: str, issue: tuple[str, str, str]
) -> None:
    assert dated(workspace, language, *issue) == []


@pytest.mark.parametrize(
    ("language", "issue", "old", "new", "found"),
    [
        ("de", GERMAN, "um 9 Uhr", "um 10 Uhr", ["workshop.md:11: “10 Uhr” does not agree"]),
        ("de", GERMAN, "Dreistündiger", "Zweistündiger", ["workshop.md:3: “Zweistünd” is not the length"]),
        ("de", GERMAN, "Am Montag, 2. März", "Am Montag, 3. März", ["letter.md:20: “Montag, 3. März” is wrong"]),
        ("ja", JAPANESE, "3月7日（土）", "3月8日（日）", ["workshop.md:10: “3月8日（日）” is not a day"]),
        ("ja", JAPANESE, "subtitle: 3時間の", "subtitle: 2時間の", ["workshop.md:3: “2時間” is not the length"]),
        ("ar", ARABIC, "السبت 7 مارس", "السبت 7 أبريل", ["workshop.md:8: “السبت 7 أبريل” is wrong"]),
        ("ar", ARABIC, "الساعة 9:00", "الساعة 8:00", ["workshop.md:8: “الساعة 8:00” does not agree"]),
    ],
)
def test_one_wrong_word_in_it_is_found(
    workspace: Workspace, language: str, issue: tuple[str, str, str], old: str, new: str, found: list[str]
) -> None:
    assert sum(part.count(old) for part in issue) == 1
    wrong = [part.replace(old, new) for part in issue]
    shown = dated(workspace, language, *wrong)
    assert len(shown) >= 1
    assert found[0] in shown[0].replace(f"{ISSUE}/events/", "").replace(f"{ISSUE}/", "")
