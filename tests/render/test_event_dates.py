"""The days of events in the email are in the order of the language: in tiles, in lists and in what is read aloud."""

import pytest
from lxml import html as lxml_html

from tests.render.conftest import Mail, Render
from tests.workspaces import ISSUE

EVENT = "---\ntitle: {title}\n{fields}\n---\nCome.\n"
FIELDS = {
    "days": "starts: 2026-12-30 09:00\nends: 2027-01-02 17:00",
    "month": "starts: 2026-12-14\nends: 2026-12-19",
    "weeks": "starts: 2027-01-13 18:00\nends: 2027-02-17 19:00\nrepeats: weekly",
    "day": "starts: 2026-12-10 09:00\nends: 2026-12-10 11:30",
}


def mail(render: Render, language: str, layout: str) -> Mail:
    files = {
        "issues/2026-02/issue.yaml": f"{ISSUE}  - meetings\nlanguage: {language}\n",
        "issues/2026-02/meetings/index.md": f"---\ntype: events\nlayout: {layout}\n---\n",
    }
    for name, fields in FIELDS.items():
        files[f"issues/2026-02/meetings/{name}.md"] = EVENT.format(title=f"Nr. {name}", fields=fields)
    return render(files)


def words(html: str) -> str:
    text = " ".join(lxml_html.document_fromstring(html).body.itertext())
    return " ".join(text.replace("\N{NO-BREAK SPACE}", " ").split())


@pytest.mark.parametrize("layout", ["cards", "list"])
@pytest.mark.parametrize(
    ("language", "shown", "never"),
    [
        ("en", ("Dec 30 – Jan 2", "14–19"), ("30 Dec",)),
        ("de", ("30. Dez – 2. Jan", "14.–19."), ("Dez 30", "Jan 2")),
        ("fr", ("30 déc – 2 janv", "14–19"), ("déc 30", "janv 2")),
        ("ja", ("12月30日～", "1月2日"), ("12月 30", "1月 2")),
        ("he", ("30 בדצמ׳ – 2 בינו׳",), ("דצמ׳ 30",)),
    ],
)
def test_days_are_in_the_order_of_the_language(
    render: Render, language: str, layout: str, shown: tuple[str, ...], never: tuple[str, ...]
) -> None:
    said = words(mail(render, language, layout).html)
    assert [each for each in shown if each not in said] == []
    assert [each for each in never if each in said] == []


@pytest.mark.parametrize(
    ("language", "series"),
    [("en", "Wednesdays from Jan 13"), ("de", "jeden Mittwoch ab 13. Jan"), ("ja", "毎週水曜日 1月13日から")],
)
def test_the_tile_of_a_series_has_its_weekday_and_its_first_day(render: Render, language: str, series: str) -> None:
    assert series in words(mail(render, language, "cards").html)


def test_no_dash_between_numbers_has_spaces_around_it(render: Render) -> None:
    for layout in ("cards", "list"):
        for part in (words(mail(render, "en", layout).html), mail(render, "en", layout).text):
            assert "9:00–11:30 am" in part
            assert "14–19" in part
            assert "14 – 19" not in part
