"""The issue that comes with the repository: light, complete, and the same in both parts."""

import re
from datetime import datetime
from zoneinfo import ZoneInfo

from lxml import html as lxml_html

from newsletter.language.dates import format_deadline, format_when
from tests.render.conftest import Mail

THANKS = {
    "de": "Vielen Dank",
    "es": "Muchas gracias",
    "sv": "Tack så mycket",
    "nl": "Veel dank",
    "fr": "Merci beaucoup",
    "zh-Hans": "非常感谢你",
    "ja": "ありがとうございました",
    "pt": "Muito obrigado",
    "en": "Thank you very much",
}
AT_RULE = re.compile(r"@media[^{]*\{(?:[^{}]*\{[^{}]*\})*[^{}]*@")


def words(html: str) -> str:
    body = lxml_html.document_fromstring(html.replace("<br>", " ").replace("<br />", " ")).body
    return re.sub(r"\s*\|\s*", " ", " ".join("".join(body.itertext()).split()))


def test_the_mail_is_far_from_where_gmail_clips(february: Mail) -> None:
    assert len(february.html.encode()) < 60_000


def test_the_style_sheets_are_small_and_flat(february: Mail) -> None:
    styles = re.findall(r"<style[^>]*>(.*?)</style>", february.html, re.DOTALL)
    assert sum(len(style.encode()) for style in styles) <= 16_000
    assert not any(AT_RULE.search(style) for style in styles)


def test_nothing_important_is_inlined(february: Mail) -> None:
    assert not re.search(r'style="[^"]*!important', february.html)


def test_nothing_is_loaded_from_elsewhere(february: Mail) -> None:
    assert "<link" not in february.html
    assert "@import" not in february.html
    assert all(source.startswith("cid:") for source in re.findall(r'src="([^"]*)"', february.html))


def test_the_mail_that_outlook_sees_is_nested_properly(february: Mail) -> None:
    outlook = re.sub(r"<!--\[if (?:mso \| IE|mso)\]>|<!\[endif\]-->", "", february.html.split("<body", 1)[1])
    outlook = re.sub(r"<!--\[if !mso\]><!-->.*?<!--", "", outlook)
    open_tags: list[str] = []
    for closing, tag in re.findall(r"<(/?)(table|tbody|tr|td|div|span|a|p|ol|ul|li|h[1-6])\b", outlook):
        if closing:
            assert open_tags.pop() == tag
        else:
            open_tags.append(tag)
    assert open_tags == []


def test_every_link_of_the_html_is_in_the_text(february: Mail) -> None:
    document = lxml_html.document_fromstring(february.html)
    listed = {
        calendar.get("href") for calendar in document.iter("a") if (calendar.get("href") or "").startswith("mailto:")
    }
    for link in document.iter("a"):
        href = link.get("href")
        assert href
        assert href in february.text or href in listed
    assert "hello@centerformsc.org" in february.text


def test_every_date_stands_in_both_parts(february: Mail) -> None:
    html, text = words(february.html), " ".join(february.text.split())
    for section in february.issue.sections:
        for item in section.items:
            for said in (format_when(item, "en"), format_deadline(item, "en")):
                assert said in text
                # The rows of a list show the days in their short form, and the hours as they are.
                shown = said.partition(" | ")[2] if section.name == "retreats" else said.replace(" | ", " ")
                assert shown in html


def test_thanks_are_said_in_nine_languages(february: Mail) -> None:
    document = lxml_html.document_fromstring(february.html)
    said = {span.get("lang"): span.text_content() for span in document.iter("span") if span.get("lang")}
    assert said == THANKS
    assert all(phrase in february.text for phrase in THANKS.values())


def test_the_subject_keeps_its_heart(february: Mail) -> None:
    assert february.subject == "💗 [CMSC February 2026 News] Finding Connection in Shared Humanity"


def test_no_line_of_the_text_is_wider_than_seventy_two_columns(february: Mail) -> None:
    wide = [line for line in february.text.split("\n") if len(line) > 72 and not line.startswith("https://")]
    assert wide == []


def test_the_silent_retreat_is_dated_by_its_dates(february: Mail) -> None:
    assert "Wednesday – Monday, April 15–20, 2026" in february.text


def test_the_first_event_begins_when_its_calendar_link_says(february: Mail) -> None:
    starts = datetime(2026, 2, 25, 8, tzinfo=ZoneInfo("America/Los_Angeles")).astimezone(ZoneInfo("UTC"))
    assert f"{starts:%Y%m%dT%H%M%SZ}" in february.text


def test_pictures_are_light_and_sharp(february: Mail) -> None:
    pictures = february.rendered.pictures
    assert sum(len(picture.content) for picture in pictures) < 200_000
    shown = re.findall(r'<img[^>]*src="cid:([^@"]+)@newsletter"[^>]*width="(\d+)"', february.html)
    natural = {picture.name: picture.width for picture in pictures}
    assert len(shown) == len(pictures)
    assert all(1.5 <= natural[name] / int(width) <= 2.5 for name, width in shown)
