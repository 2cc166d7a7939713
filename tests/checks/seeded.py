"""For every rule: issues that break exactly it, with the place in which that must be told, and near misses.

A fault is made as small as it can be: by an edit of one file of the sound workspace, of its rendered HTML, or of its
message, where no file could make it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from msgspec.structs import replace
from PIL import Image

from newsletter.checks.base import Subject
from newsletter.model.issue import IssueHeading
from tests.checks.conftest import ISSUE, Workspace, with_html

Make = Callable[[Workspace], Subject]

ISSUE_YAML = "issue.yaml"
STUDY = '<a href="https://example.org/study"'
OPT_IN = '<mj-raw><meta name="color-scheme" content="light dark"></mj-raw>'
INKS, GROUNDS = "color: #EEEEEE !important;", "background: #222222 !important;"
AT_NIGHT = f"@media (prefers-color-scheme: dark) {{ td div, td a {{ {INKS} }} td, td a {{ {GROUNDS} }} }}"
IN_OUTLOOK = f"[data-ogsc] td div, [data-ogsc] td a {{ {INKS} }} [data-ogsb] td, [data-ogsb] td a {{ {GROUNDS} }}"
TABLE_WITHOUT_HEADS = "A book\n\n| | |\n| --- | --- |\n| Friday | Galway |\n\nand a book"
TABLE = "A book\n\n| Day | Place |\n| --- | --- |\n| Friday | Galway |\n\nand a book"
NESTED = "@media screen { p { margin: 0 } @media print { p { margin: 0 } } }"
STYLE_SHEET = '<link rel="stylesheet" href="https://example.org/x.css">'
SUBJECT = "A letter for the first days of March"
PREHEADER = "Three small practices, two courses and a poem to carry with you"
REAL_LINKS = (
    ("letter", "https://example.org/study", "https://harbour.ie/study"),
    ("letter", "https://example.org/poem", "https://harbour.ie/poem"),
    ("meditation", "https://example.org/video", "https://harbour.ie/video"),
    ("workshop", "https://example.org/rest", "https://harbour.ie/rest"),
)
LONG_PARAGRAPH = "A book of letters that two friends wrote to each other over forty years, and a cup of tea"
FOR_TEACHERS = (
    "[{section: letter, only: teachers}, {section: meditation, only: teachers}, {section: events, only: teachers}]"
)
TIMES, IN_THE_GAP = (
    "starts: 2026-03-07 09:00\nends: 2026-03-07 12:00",
    "starts: 2026-03-29 01:30\nends: 2026-03-29 03:30",
)
FIELD = '<{{{{ profile | default("{}") }}}}>'
IN_SPANISH = "Los días son más largos, y con ellos también nuestros paseos por la orilla del mar hasta el puerto viejo."
HEBREW = "הימים מתארכים, ואיתם גם הטיולים שלנו לאורך המים, אל הנמל הישן ובחזרה."

IN_HEBREW = (
    ("toml", 'timezone = "Europe/Dublin"', 'timezone = "Europe/Dublin"\nlanguage = "he"'),
    ("letter", "A book", f"A book\n\n{HEBREW}\n\n{{lang=en}}\nand a book"),
    ("letter", "the days", "{lang=en}\nthe days"),
    ("mjml", "<mj-text>{{ prose(section", '<mj-text align="start">{{ prose(section'),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seed:
    """A fault of one rule, and where it must be told."""

    rule: str
    place: str
    make: Make


@dataclass(frozen=True, slots=True, kw_only=True)
class Elsewhere:
    """The tests in which a rule that needs more than an issue has its fault and its near miss."""

    module: str
    fault: str
    near_miss: str


_SOUND: list[Subject] = []


def sound(workspace: Workspace) -> Subject:
    """The issue without a fault, loaded and rendered once for all tests."""
    if not _SOUND:
        _SOUND.append(workspace.subject())
    return _SOUND[0]


def edited(*edits: tuple[str, str, str]) -> Make:
    """By edits of files: short name, old, new."""

    def make(workspace: Workspace) -> Subject:
        for name, old, new in edits:
            workspace.edit(name, old, new)
        return workspace.subject()

    return make


def rendered(old: str, new: str, *edits: tuple[str, str, str]) -> Make:
    """By an edit of the HTML, after some of the files."""

    def make(workspace: Workspace) -> Subject:
        subject = edited(*edits)(workspace) if edits else sound(workspace)
        html = "".join(subject.rendered.fullest.html.parts)
        assert old in html, f"{old!r} is not in the HTML"
        return with_html(subject, lambda part: part.replace(old, new))

    return make


def on_the_wire(old: str, new: str) -> Make:
    """By an edit of the message."""

    def make(workspace: Workspace) -> Subject:
        subject = sound(workspace)
        assert old.encode() in subject.message, f"{old!r} is not in the message"
        return replace(subject, message=subject.message.replace(old.encode(), new.encode(), 1))

    return make


def judged_at(*moment: int) -> Make:
    """By the moment at which it is judged."""
    at = datetime(*moment, tzinfo=ZoneInfo("Europe/Dublin"))  # type: ignore[misc,arg-type]
    return lambda workspace: replace(sound(workspace), at=at)


def after(subject: str) -> Make:
    """By an earlier issue with this subject."""
    heading = IssueHeading(name="2026-02", date=date(2026, 2, 1), subject=subject)
    return lambda workspace: replace(sound(workspace), earlier=(heading,))


def after_one_with(name: str, text: str, *edits: tuple[str, str, str]) -> Make:
    """By an earlier issue with this text in a file, after some edits of this issue."""

    def make(workspace: Workspace) -> Subject:
        folder = Path(workspace.root, "issues/2026-02")
        folder.mkdir()
        heading = "subject: Another letter\ntitle: Another title\ndate: 2026-02-01\nsections: [letter]\n"
        for file, words in {"issue.yaml": heading, "letter.md": "---\n---\nOther words.\n"}.items():
            (folder / file).write_text(words)
        with (folder / name).open("a") as file:
            file.write(f"\n{text}\n")
        return edited(*edits)(workspace)

    return make


def house_words(lines: str) -> tuple[tuple[str, str, str], ...]:
    """The edit that lists words to avoid."""
    table = lines if lines.startswith("[") else f"[checks.words]\n{lines}"
    return (("toml", "[segments]", f"{table}\n\n[segments]"),)


def for_audience(*fields: str) -> Make:
    """By the merge fields that the audience has."""
    return lambda workspace: replace(sound(workspace), known_fields=frozenset(fields))


def with_picture(width: int, height: int) -> Make:
    """By another size of the letter's picture."""

    def make(workspace: Workspace) -> Subject:
        Image.new("RGB", (width, height), "#9C3353").save(Path(workspace.root, ISSUE, "images", "cup.png"))
        return workspace.subject()

    return make


def at_night(css: str) -> Make:
    """By a theme that opts into dark colors and has these rules for them."""
    return edited(("mjml", "<mj-style></mj-style>", f"{OPT_IN}<mj-style>{css}</mj-style>"))


def brand(accent: str) -> tuple[tuple[str, str, str], ...]:
    """Edits that give the workspace an accent, and its title this color."""
    return (
        ("toml", "[segments]", f'[brand.light]\nink = "#222222"\naccent = "{accent}"\n\n[segments]'),
        ("mjml", "<mj-text><h1>", '<mj-text color="{{ brand.light.accent }}"><h1>'),
    )


def words(count: int) -> str:
    """As many words, in paragraphs."""
    return "\n\n".join(" ".join(["kindness"] * 50) for _ in range(count // 50))


FAULTS: tuple[Seed, ...] = (
    Seed(rule="A1", place=ISSUE_YAML, make=rendered("</body>", "<div>x</div></body>")),
    Seed(rule="A1", place=ISSUE_YAML, make=rendered("</body>", '<div lang="ar" dir="ltr">x</div></body>')),
    Seed(rule="A2", place=ISSUE_YAML, make=rendered("</h1>", "</h1><table><tr><td>x</td></tr></table>")),
    Seed(
        rule="A2",
        place=ISSUE_YAML,
        make=rendered("</h1>", "</h1><!--[if mso]><table><tr><td>x</td></tr></table><![endif]-->"),
    ),
    Seed(rule="A3", place="letter.md:12", make=edited(("letter", "![Two hands around a cup]", "![ ]"))),
    Seed(rule="A3", place="letter.md:12", make=rendered('alt="Two hands around a cup"', "")),
    *(
        Seed(rule="A3", place="letter.md:12", make=edited(("letter", "Two hands around a cup", alt)))
        for alt in ("image", "ein Bild", "写真", "фото", "IMG_2034_1", "WhatsApp Image 12")
    ),
    Seed(
        rule="A3", place="meditation.md:6", make=edited(("meditation", "alt: a practice for the evening", "alt: video"))
    ),
    *(
        Seed(rule="A4", place="letter.md:16", make=edited(("letter", "[the poem that opens it]", f"[{words}]")))
        for words in ("czytaj dalej", "buradan", "כאן", "من هنا", "点此", "find out more")
    ),
    Seed(rule="A4", place="letter.md:10", make=edited(("letter", "[our study of kindness]", "[Click here]"))),
    Seed(rule="A4", place="letter.md:10", make=edited(("letter", "[our study of kindness]", "[]"))),
    Seed(
        rule="A4",
        place="letter.md:16",
        make=edited(("letter", "[the poem that", "[our study of kindness](https://example.org/b) [the poem that")),
    ),
    Seed(rule="A5", place="issue.yaml:3", make=edited(("mjml", "<mj-title>{{ issue.title }}</mj-title>", ""))),
    Seed(rule="A5", place="letter.md:18", make=edited(("letter", "A book", "A book\n\n#### Small print\n\nand"))),
    Seed(
        rule="A7",
        place="issue.yaml:3",
        make=rendered("<h1>", '<h1 style="color:#FAFAFA;background:url(https://example.org/a.png) #FFFFFF">'),
    ),
    Seed(
        rule="A8",
        place="letter.md:7",
        make=edited(("mjml", "<mj-text>{{ prose(section", '<mj-text font-size="12px">{{ prose(section')),
    ),
    Seed(
        rule="A8",
        place="letter.md:9",
        make=edited(("mjml", "<mj-text>{{ prose(section", '<mj-text line-height="1">{{ prose(section')),
    ),
    Seed(
        rule="A8",
        place="letter.md:9",
        make=edited(("mjml", "<mj-text>{{ prose(section", '<mj-text align="justify">{{ prose(section')),
    ),
    Seed(rule="A9", place="letter.md:10", make=rendered(STUDY, f'{STUDY} style="text-decoration:none"')),
    Seed(rule="A10", place="letter.md:20", make=edited(("letter", "A book", TABLE_WITHOUT_HEADS))),
    Seed(rule="A10", place="letter.md:18", make=rendered('<th scope="col"', "<th", ("letter", "A book", TABLE))),
    Seed(
        rule="A10",
        place="letter.md:18",
        make=rendered('class="data"', 'class="data" role="presentation"', ("letter", "A book", TABLE)),
    ),
    Seed(rule="A11", place="letter.md:19", make=rendered("start", "left", *IN_HEBREW)),
    Seed(rule="A11", place="letter.md:19", make=rendered("direction:rtl", "direction:ltr", *IN_HEBREW)),
    Seed(rule="A14", place="letter.md:18", make=edited(("letter", "A book", f"A book\n\n{HEBREW}\n\nand a book"))),
    Seed(rule="A14", place="letter.md:18", make=edited(("letter", "A book", f"A book\n\n{IN_SPANISH}\n\nand a book"))),
    Seed(rule="A12", place="newsletter.toml:15", make=edited(*brand("#D08A9A"))),
    Seed(rule="C2", place="issue.yaml:5", make=edited(("issue", "[letter, meditation, events]", FOR_TEACHERS))),
    Seed(rule="C3", place="issue.yaml:5", make=edited(("issue", "[letter, meditation, events]", "[letter, events]"))),
    Seed(rule="E1", place="events/workshop.md:4", make=judged_at(2026, 3, 7, 12)),
    Seed(rule="E1", place="events/workshop.md:7", make=judged_at(2026, 3, 5)),
    Seed(
        rule="E2",
        place="events/workshop.md:2",
        make=edited(("workshop", "title: A day of rest", "title: A day of rest, Friday, March 7")),
    ),
    Seed(rule="E2", place="letter.md:10", make=edited(("letter", "We tell", "On Sunday,\nMarch 2nd, we tell"))),
    Seed(rule="E2", place="letter.md:9", make=edited(("letter", "the days", "on Tuesday, April 31, the days"))),
    Seed(rule="E2", place="events/workshop.md:12", make=edited(("workshop", "blanket.", "blanket at 1 am PDT."))),
    Seed(rule="E4", place="events/workshop.md:3", make=edited(("workshop", TIMES, IN_THE_GAP))),
    Seed(rule="E5", place="events/workshop.md:7", make=edited(("workshop", "date: 2026-03-04", "date: 2026-03-08"))),
    Seed(rule="E6", place="letter.md:16", make=edited(("letter", "A book", "From 3/14/2026, a book"))),
    Seed(rule="E7", place="events/workshop.md:12", make=edited(("workshop", "blanket.", "blanket on April 7."))),
    Seed(
        rule="E8", place="events/workshop.md:12", make=edited(("workshop", "blanket.", "blanket. We begin at 10 am."))
    ),
    Seed(
        rule="E9", place="issue.yaml:1", make=edited(("issue", "first days of March\npre", "first days of June\npre"))
    ),
    Seed(rule="E10", place="events/workshop.md:9", make=edited(("workshop", TIMES, f"{TIMES}\nstatus: canceled"))),
    Seed(rule="H1", place=ISSUE_YAML, make=on_the_wire("Date: ", "X-Date: ")),
    Seed(rule="H1", place="newsletter.toml:4", make=on_the_wire("Date: ", "From: <b@example.org>\r\nDate: ")),
    Seed(rule="H1", place=ISSUE_YAML, make=on_the_wire("Date: Sun", "Date: Mon")),
    Seed(rule="H2", place="newsletter.toml:11", make=on_the_wire("List-Unsubscribe-Post: ", "X-Post: ")),
    Seed(rule="H2", place="newsletter.toml:11", make=on_the_wire("/u/0-sample>", ">")),
    Seed(
        rule="H2",
        place="newsletter.toml:11",
        make=on_the_wire("<https://news.example.org/u", "<http://news.example.org/u"),
    ),
    Seed(rule="H5", place="newsletter.toml:4", make=edited(("toml", '"Harbour House <', '"Harbour House 🌊 <'))),
    Seed(rule="H6", place="issue.yaml:1", make=edited(("issue", "subject: A letter", "subject: 'RE: A letter'#"))),
    *(
        Seed(rule="H6", place="issue.yaml:1", make=edited(("issue", SUBJECT, f"'{mark} a letter for March'")))
        for mark in ("R:", "回复：", "Ответ:", "השב:", "İLT:", "Weitergeleitet:")
    ),
    Seed(rule="H7", place="issue.yaml:1", make=on_the_wire("Subject: A", f"Subject: =?utf-8?b?{'QUFB' * 18}?= A")),
    Seed(rule="H7", place="issue.yaml:1", make=on_the_wire("Subject: A", "Subject: =?utf-8?b?w6?= A")),
    Seed(rule="H7", place="newsletter.toml:4", make=on_the_wire("From: Harbour", "From: Harb\tour\x07")),
    Seed(rule="H8", place=ISSUE_YAML, make=on_the_wire("MIME-Version", f"X-Long: {'a' * 991}\r\nMIME-Version")),
    Seed(rule="H8", place=ISSUE_YAML, make=on_the_wire("THE FIRST DAYS", f"{'a' * 77}\r\nTHE FIRST DAYS")),
    Seed(rule="H8", place=ISSUE_YAML, make=on_the_wire("THE FIRST DAYS", "THE\nFIRST DAYS")),
    Seed(rule="H9", place="newsletter.toml:1", make=on_the_wire("List-Id: ", "X-List-Id: ")),
    Seed(rule="K1", place=ISSUE_YAML, make=rendered("<h1>", '<h1 style="color:#222222 !important">')),
    Seed(rule="K2", place="issue.yaml:3", make=at_night("")),
    Seed(rule="K2", place="issue.yaml:3", make=at_night(AT_NIGHT)),
    Seed(rule="K2", place="issue.yaml:3", make=at_night(AT_NIGHT.replace(INKS, "color: #EEEEEE;") + IN_OUTLOOK)),
    Seed(rule="K2", place="events/workshop.md:9", make=at_night(AT_NIGHT.replace(GROUNDS, "") + IN_OUTLOOK)),
    Seed(rule="L1", place="newsletter.toml:5", make=edited(("txt", "{{ newsletter.address }}", ""))),
    Seed(rule="L2", place=ISSUE_YAML, make=edited(("txt", "Unsubscribe: {{ unsubscribe_url }}", ""))),
    Seed(rule="M1", place="letter.md:7", make=for_audience("email")),
    Seed(rule="M2", place="letter.md:7", make=edited(("letter", ' | default("friends")', ""))),
    Seed(rule="M3", place="letter.md:10", make=edited(("letter", "https://example.org/study", FIELD.format("me")))),
    Seed(rule="S1", place=ISSUE_YAML, make=on_the_wire("multipart/alternative", "multipart/mixed")),
    Seed(rule="S1", place=ISSUE_YAML, make=on_the_wire("text/plain", "text/enriched")),
    Seed(rule="S2", place="meditation.md:5", make=edited(("txt", "{{ section.fields.video.url }}", ""))),
    Seed(rule="S3", place="issue.yaml:5", make=edited(("letter", "A book", f"{words(12_000)}\n\nA book"))),
    Seed(rule="S3", place="issue.yaml:5", make=edited(("letter", "A book", f"{words(9_500)}\n\nA book"))),
    Seed(rule="S4", place=ISSUE_YAML, make=rendered("</head>", f"<style>{'p{margin:0}' * 1_600}</style></head>")),
    Seed(rule="S5", place=ISSUE_YAML, make=rendered("</head>", f"<style>{NESTED}</style></head>")),
    Seed(rule="S6", place="letter.md:16", make=edited(("letter", "A book", "TODO: a book"))),
    Seed(rule="S6", place="letter.md:16", make=edited(("letter", "A book", "*|FNAME|*, a book"))),
    Seed(rule="S6", place="letter.md:16", make=edited(("letter", "A book", "%FIRSTNAME%, a book"))),
    Seed(rule="S6", place="letter.md:16", make=edited(("letter", "A book", "%%first_name%%, a book"))),
    Seed(rule="S6", place="letter.md:16", make=edited(("letter", "A book", "[FIRSTNAME], a book"))),
    Seed(rule="S7", place=ISSUE_YAML, make=rendered("<!DOCTYPE html>", "")),
    Seed(rule="S8", place=ISSUE_YAML, make=rendered("</h1>", "</h1><!--[if mso]><p>open")),
    Seed(rule="S9", place=ISSUE_YAML, make=rendered("</h1>", "</h1><script></script>")),
    Seed(
        rule="S10",
        place="letter.md:10",
        make=edited(("letter", "https://example.org/study", "http://example.org/study")),
    ),
    Seed(rule="S10", place="letter.md:10", make=edited(("letter", "https://example.org/study", "https://bit.ly/3xYz"))),
    *(
        Seed(rule="S10", place="letter.md:10", make=edited(("letter", "https://example.org/study", f"https://{host}/")))
        for host in ("localhost:8025", "192.168.1.5", "[::1]", "0x7f.1", "printer.local", "intranet", "harbour.test")
    ),
    *(
        Seed(rule="S10", place="letter.md:10", make=edited(("letter", "https://example.org/study", address)))
        for address in (
            "https://https://example.org/study",
            "https://ana:secret@example.org/study",
            "https://staging.example.org/study",
            "https://www-dev.example.org/study",
            "https://example.org:3000/study",
            "https://example.con/study",
            "https://www..example.org/study",
            "https://example.org/wp-admin/post.php",
            "https://example.org/insert-link-here",
            "mailto:ana",
            "mailto:",
            "tel:call-us",
            "tel:12",
        )
    ),
    *(
        Seed(rule="S10", place="letter.md:16", make=edited(("letter", "A book", f"{link} on a book")))
        for link in (
            "[www.example.org/a](https://www.example.org/b)",
            "[example.com](https://example.org/page)",
            "[ana@example.org](mailto:bo@example.org)",
            "[+353 91 123 4567](tel:+353917654321)",
        )
    ),
    Seed(
        rule="S10",
        place="letter.md:10",
        make=edited(
            ("toml", "<letters@example.org>", "<letters@harbour.ie>"),
            ("toml", '"https://example.org"', '"https://harbour.ie"'),
            ("toml", "https://news.example.org", "https://news.harbour.ie"),
        ),
    ),
    Seed(
        rule="S18",
        place="newsletter.toml:6",
        make=edited(
            ("toml", "<letters@example.org>", "<letters@harbour.ie>"),
            ("toml", "https://news.example.org", "https://news.harbour.ie"),
            *REAL_LINKS,
        ),
    ),
    Seed(
        rule="S10", place=ISSUE_YAML, make=rendered("</h1>", '</h1><img src="https://10.0.0.7/a.png" alt="" width="9">')
    ),
    Seed(
        rule="S10",
        place="letter.md:16",
        make=edited(("letter", "A book", "[www.example.org](https://example.net/page) on a book")),
    ),
    Seed(
        rule="S10",
        place=ISSUE_YAML,
        make=rendered("</h1>", '</h1><img src="https://cdn.example.com/a.png" alt="" width="9">'),
    ),
    Seed(
        rule="S10",
        place=ISSUE_YAML,
        make=rendered("<h1>", '<h1 style="background:#FFFFFF url(https://cdn.example.com/a.png)">'),
    ),
    Seed(rule="S11", place=ISSUE_YAML, make=rendered("</head>", f"{STYLE_SHEET}</head>")),
    Seed(rule="S12", place="letter.md:12", make=with_picture(700, 400)),
    Seed(rule="S15", place="issue.yaml:2", make=edited(("issue", PREHEADER, "Three small practices"))),
    *(
        Seed(rule="S15", place="issue.yaml:2", make=edited(("issue", PREHEADER, preheader)))
        for preheader in (
            "A letter for the first days of March, and a poem for you",
            "View this email in your browser to see all of its pictures",
            "Ce message ne s'affiche pas ? Voir dans le navigateur, en deux clics",
            "COME AND SEE WHAT WE HAVE DONE THIS MONTH IN GALWAY",
            "Three small practices!! Two courses and a poem for you",
        )
    ),
    *(
        Seed(rule="S16", place="issue.yaml:1", make=edited(("issue", SUBJECT, f"'{subject}'")))
        for subject in (
            "💗💗💗💗💗💗💗💗💗💗💗",
            "SPRING IS HERE AT LAST",
            "FREE WORKSHOP on SATURDAY, FREE TEA",
            "Spring is here!!! Come along",
            "春が来ました！！ 来てください",
            "Spring  is here at last",
        )
    ),
    Seed(
        rule="S16",
        place="issue.yaml:1",
        make=edited(("issue", "subject: A letter for the first days of March", "subject: A letter")),
    ),
    Seed(rule="S17", place="issue.yaml:1", make=after("A letter for  the first days of march")),
    Seed(
        rule="S18",
        place="letter.md:17",
        make=edited(
            (
                "letter",
                "A book",
                "Now.\nWrite as you would to someone you know:\na few short paragraphs, one thought in each. A book",
            )
        ),
    ),
    Seed(rule="S18", place="letter.md:4", make=edited(("letter", "name: Ana Lima", "name: Your Name"))),
    Seed(
        rule="S18",
        place="events/workshop.md:2",
        make=edited(("workshop", "title: A day of rest", "title: An evening workshop")),
    ),
    Seed(rule="S18", place="newsletter.toml:2", make=edited(("toml", '"Harbour Letters"', '"Our Newsletter"'))),
    Seed(rule="S18", place="newsletter.toml:4", make=edited(("toml", '"Harbour House <', '"Our Organization <'))),
    Seed(rule="S19", place="letter.md:9", make=edited(("letter", "the days", "weâ€™re glad that the days"))),
    Seed(rule="S19", place="letter.md:9", make=edited(("letter", "the days", "the caf\ufffd and the days"))),
    Seed(rule="S19", place="letter.md:10", make=edited(("letter", "We tell", "We \u202ello\u202c tell"))),
    Seed(rule="S19", place="letter.md:10", make=edited(("letter", "We tell", "We te\u200b\u200bll"))),
    Seed(
        rule="S20",
        place="letter.md:14",
        make=after_one_with(
            "letter.md", LONG_PARAGRAPH, ("letter", "## What we read", f"{LONG_PARAGRAPH}\n\n## What we read")
        ),
    ),
    Seed(rule="S20", place="issue.yaml:2", make=after_one_with("issue.yaml", f"preheader: {PREHEADER}")),
    Seed(rule="S20", place="meditation.md:5", make=after_one_with("meditation.md", "  url: https://example.org/video")),
    Seed(
        rule="S21",
        place="letter.md:9",
        make=edited(*house_words('seniors = "older people"'), ("letter", "the days", "Seniors know that the days")),
    ),
    Seed(
        rule="S21",
        place="letter.md:9",
        make=edited(*house_words('"old people" = ""'), ("letter", "the days", "the old\npeople and the days")),
    ),
    Seed(
        rule="S21",
        place="events/workshop.md:2",
        make=edited(
            *house_words('[checks.words.en]\nrest = "quiet"'),
            ("workshop", "title: A day of rest", "title: A day of Rest"),
        ),
    ),
)

NEAR_MISSES: tuple[tuple[str, Make], ...] = (
    ("A1", rendered("</body>", '<div lang="he" dir="rtl">x</div></body>')),
    ("A2", rendered("</h1>", '</h1><table role="presentation"><tr><td>x</td></tr></table>')),
    ("A3", rendered("</h1>", '</h1><img src="cid:x" alt="" width="9">')),
    ("A4", edited(("letter", "[our study of kindness]", "[here is our study]"))),
    ("A4", edited(("letter", "[the poem that", "[our study of kindness](https://example.org/study/) [the poem that"))),
    ("A5", edited(("letter", "A book", "A book\n\n### Small print\n\nand"))),
    ("A7", rendered("<h1>", '<h1 style="color:#FAFAFA;background:url(https://example.org/a.png) #223344">')),
    ("A8", edited(("mjml", "<mj-text>{{ newsletter", '<mj-text font-size="14px" line-height="1.4">{{ newsletter'))),
    ("A8", edited(("mjml", "<mj-text><h1>", '<mj-text line-height="1.1"><h1>'))),
    ("A9", rendered(STUDY, f'{STUDY} style="text-decoration:none;border-bottom:1px solid #222222"')),
    ("A9", rendered(STUDY, f'{STUDY} style="text-decoration:none;background:#EEEEEE"')),
    ("A9", rendered("</h1>", f'</h1><p>{STUDY} style="text-decoration:none">our study of kindness</a></p>')),
    ("A10", edited(("letter", "A book", TABLE))),
    ("A10", edited(("letter", "A book", TABLE.replace("Day", "   ")))),
    ("A11", edited(*IN_HEBREW)),
    ("A11", rendered("start", "center", *IN_HEBREW)),
    ("A14", edited(("letter", "A book", f"A book\n\n{{lang=he}}\n{HEBREW}\n\nand a book"))),
    ("A14", edited(("letter", "A book", f"A book\n\n[{IN_SPANISH}]{{lang=es}}\n\nand a book"))),
    ("A14", edited(("letter", "A book", "A book, la vida es sueño, and a book"))),
    ("A12", edited(*brand("#767676"))),
    (
        "C2",
        edited(("issue", "[letter, meditation, events]", "[letter, {section: meditation, only: teachers}, events]")),
    ),
    ("C3", edited(("issue", "[letter, meditation, events]", "[events, meditation, letter]"))),
    ("E1", judged_at(2026, 3, 4, 23)),
    ("E2", edited(("workshop", "title: A day of rest", "title: A day of rest, Saturday, March 7"))),
    ("E2", edited(("letter", "We tell", "On Sunday, March 2nd, 2025, we told"))),
    ("E2", edited(("letter", "We tell", "On Saturdays, March 1 to June 27, we tell"))),
    ("E2", edited(("letter", "We tell", "On Friday or Saturday, March 6 or 7, we tell"))),
    ("E2", edited(("letter", "We tell", "On Monday, December 15, we told"))),
    ("E2", edited(("workshop", "blanket.", "blanket at 1 am PST, or 9 am GMT."))),
    ("E4", edited(("workshop", TIMES, IN_THE_GAP.replace(" 01:", " 00:")))),
    ("E5", edited(("workshop", "date: 2026-03-04", "date: 2026-03-07"))),
    ("E6", edited(("letter", "A book", "In 3/4 of all homes, 24/7, a book"))),
    ("E7", edited(("workshop", "blanket.", "blanket on March 7. The replay is available until April 7."))),
    ("E8", edited(("workshop", "blanket.", "blanket. We begin at 9 am, and rest at 10:30."))),
    ("E9", edited(("issue", "first days of March\npre", "last days of February 2026\npre"))),
    ("E10", edited(("workshop", TIMES, f"{TIMES}\nstatus: postponed"))),
    ("H1", on_the_wire("Date: ", "DATE: ")),
    ("H2", on_the_wire("/u/0-sample>", "/u/0-sample>, <mailto:leave@example.org?subject=0-sample>")),
    ("H5", edited(("toml", '"Harbour House <', '"Häfen & Söhne (Galway) <'))),
    ("H6", edited(("issue", "subject: A letter", "subject: Re-reading a letter"))),
    *(
        ("H6", edited(("issue", SUBJECT, f"'{words}'")))
        for words in ("PS: come on Sunday", "Iris: the flower of March")
    ),
    ("H7", on_the_wire("Subject: A", f"Subject: =?utf-8?b?{'QUFB' * 15}?= A")),
    ("H7", on_the_wire("Subject: A", "Subject: =?utf-8?b?w6Q=?=\r\n =?iso-8859-1?q?=E4?= A")),
    ("H8", on_the_wire("MIME-Version", f"X-Long: {'a' * 990}\r\nMIME-Version")),
    ("H8", on_the_wire("THE FIRST DAYS", f"{'a' * 76}\r\nTHE FIRST DAYS")),
    ("H9", edited(("toml", '"Europe/Dublin"', '"Europe/Dublin"\nlist_id = "letters.example.org"'))),
    ("K1", rendered("<h1>", '<h1 style="color:#222222;width:auto !important">')),
    ("K2", at_night(AT_NIGHT + IN_OUTLOOK)),
    ("K2", edited(("mjml", "<mj-style></mj-style>", f"<mj-style>{AT_NIGHT}</mj-style>"))),
    ("L1", edited(("txt", "{{ newsletter.address }}", "{{ newsletter.address | upper | replace(', ', '\n') }}"))),
    ("L2", edited(("txt", "Unsubscribe: {{ unsubscribe_url }}", "{{ unsubscribe_url }}"))),
    ("M1", for_audience("email", "first_name")),
    ("M2", edited(("letter", '{{ first_name | default("friends") }}', "{{ email }}"))),
    ("M3", edited(("letter", "https://example.org/study", FIELD.format("https://example.org/me")))),
    ("S1", on_the_wire("text/html; charset=utf-8", "TEXT/HTML; charset=UTF-8")),
    ("S2", edited(("txt", "{{ section.fields.video.url }}", "(<{{ section.fields.video.url }}>)."))),
    ("S3", edited(("letter", "A book", f"{words(8_000)}\n\nA book"))),
    ("S4", rendered("</head>", f"<style>{'p{margin:0}' * 1_300}</style></head>")),
    (
        "S5",
        rendered("</head>", "<style>@media screen { p { margin: 0 } } @media print { p { margin: 0 } }</style></head>"),
    ),
    ("S6", edited(("letter", "A book", "A book of TK Maxx"))),
    ("S6", edited(("letter", "A book", "A book [PDF], 100%SURE% or 50% OF 80%"))),
    ("S7", rendered("<!DOCTYPE html>", "\n<!doctype HTML>")),
    ("S8", rendered("</h1>", "</h1><!--[if mso]><p>closed</p><![endif]-->")),
    ("S9", edited(("letter", "A book", "The `<script>` of a play, a book"))),
    ("S10", edited(("letter", "https://example.org/study", "https://example.org/bit.ly/http"))),
    *(
        ("S10", edited(("letter", "https://example.org/study", address)))
        for address in (
            "https://test.de/study",
            "https://bücher.example/straße?q=ü",
            "https://президент.рф/",
            "mailto:?subject=Look",
            "tel:+44%2020%207946%200000",
            "https://example.org:8443/study",
        )
    ),
    *(
        ("S10", edited(("letter", "A book", f"{link} on a book")))
        for link in (
            "[www.example.org/shop](https://www.example.org/shop/spring?from=letter)",
            "[bücher.example](https://xn--bcher-kva.example/)",
            "[020 7946 0000](tel:+442079460000)",
            "[Node.js](https://example.org/node)",
        )
    ),
    ("S10", edited(("letter", "A book", "[www.example.org](https://shop.example.org/page) on a book"))),
    ("S10", rendered("<h1>", '<h1 style="background:#FFFFFF url(https://news.example.org/a.png)">')),
    ("S11", rendered("</head>", '<link rel="canonical" href="https://example.org/x"></head>')),
    ("S12", with_picture(804, 500)),
    ("S15", edited(("issue", PREHEADER, "Three small practices, two courses, poems"))),
    ("S15", edited(("issue", PREHEADER, "What our letter for the first days of March brings you"))),
    *(
        ("S16", edited(("issue", SUBJECT, f"'{words}'")))
        for words in (
            "💗 [CMSC News] Spring is here",
            "CMSC NEWS for March 2026",
            "Spring?! Here it is at last",
            "WHO and UNICEF on rest",
        )
    ),
    ("S16", edited(("issue", "subject: A letter for the first days of March", "subject: A letter 1"))),
    ("S17", after("A letter for the last days of March")),
    ("S18", edited(("workshop", "title: A day of rest", "title: An evening workshop on rest"))),
    ("S18", edited(("workshop", "Reserve a place for the day of rest", "Reserve your place"))),
    (
        "S19",
        edited(
            ("letter", "the days", "the “naïve” café at 5\u00a0°C, \u2067עברית\u2069, `&amp;` and 👩‍🚀 as the days")
        ),
    ),
    ("S20", after_one_with("letter.md", "the days grow longer, and with them our walks.\n")),
    ("S20", after_one_with("donate.md", LONG_PARAGRAPH)),
    (
        "S21",
        edited(
            *house_words('senior = "older"\n[checks.words.de]\nwalks = "Gänge"'),
            ("letter", "the days", "seniority and the days"),
        ),
    ),
)

# Rules that no edit of an issue breaks alone: those that need a browser, a network or a filter, and what is judged
# before there is an email.
_NETWORK = "tests.checks.network.test_seeded_faults"
_SEEDED, _MISSED = "test_a_seeded_fault_is_found_in_its_place", "test_a_near_miss_is_not_told"
ELSEWHERE: dict[str, Elsewhere] = {
    "A6": Elsewhere(
        module="tests.checks.browser.test_examine",
        fault="test_what_axe_finds_is_told_at_the_line_that_caused_it",
        near_miss="test_what_keeps_the_rules_only_just_is_not_told",
    ),
    "C1": Elsewhere(
        module="tests.content.test_loader",
        fault="test_a_mistake_names_its_line_and_the_remedy",
        near_miss="test_the_smallest_issue_loads",
    ),
    **{rule: Elsewhere(module=_NETWORK, fault=_SEEDED, near_miss=_MISSED) for rule in ("D1", "D2", "D3", "D4", "D5")},
    "D6": Elsewhere(
        module="tests.checks.network.test_relay",
        fault="test_a_relay_without_starttls_blocks",
        near_miss="test_no_encryption_is_asked_where_mail_crosses_no_network",
    ),
    **{rule: Elsewhere(module=_NETWORK, fault=_SEEDED, near_miss=_MISSED) for rule in ("E3", "H4", "S22")},
    "J1": Elsewhere(
        module="tests.checks.test_spamassassin",
        fault="test_what_it_counts_is_told_with_its_points_at_the_line_that_set_it_off",
        near_miss="test_the_theme_makes_mail_that_it_has_nothing_against",
    ),
    "S13": Elsewhere(
        module="tests.checks.browser.test_examine",
        fault="test_what_is_too_wide_is_told_at_its_line_however_much_it_widens",
        near_miss="test_what_keeps_the_rules_only_just_is_not_told",
    ),
    "S14": Elsewhere(
        module="tests.checks.clients.test_seeded_faults",
        fault="test_author_css_that_some_do_not_know_is_told_at_its_line",
        near_miss="test_author_css_that_nobody_misses_is_not_told",
    ),
    **{
        rule: Elsewhere(
            module="tests.checks.rules.test_translations",
            fault=fault,
            near_miss="test_complete_translation_has_no_findings",
        )
        for rule, fault in (
            ("T1", "test_borrowed_section_is_told_once_and_judged_in_its_own_language"),
            ("T2", "test_text_that_was_copied_is_found_at_its_line"),
            ("T3", "test_footer_without_a_reason_in_the_language_is_an_error"),
        )
    },
    **{
        rule: Elsewhere(
            module="tests.checks.rules.test_versions",
            fault=fault,
            near_miss="test_versions_that_differ_have_no_findings",
        )
        for rule, fault in (
            ("V1", "test_versions_that_are_the_same_are_an_error"),
            ("V2", "test_version_without_a_language_is_a_warning"),
        )
    },
}
