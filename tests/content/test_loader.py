"""Loading an issue: what its files become, and how each mistake in them is reported."""

import os
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import Literal
from unicodedata import normalize

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from newsletter.config import load_config
from newsletter.content.loader import issue_headings, load_issue
from newsletter.errors import InputError, MistakesError
from newsletter.model.finding import Place
from newsletter.model.issue import Issue, PictureFile
from newsletter.model.issue_fields import LetterFields
from newsletter.model.slots import MergeField
from tests.workspaces import CONFIG, ISSUE, write_workspace

EVENT = """\
---
title: A workshop
starts: 2026-02-25 08:00
ends: 2026-02-25 11:00
---
Words.
"""


def png() -> bytes:
    buffer = BytesIO()
    Image.new("RGB", (8, 8)).save(buffer, "PNG")
    return buffer.getvalue()


def load(root: Path) -> Issue:
    return load_issue(load_config(root), root / "issues/2026-02")


def mistakes(root: Path) -> list[str]:
    with pytest.raises(MistakesError) as caught:
        load(root)
    return [str(mistake) for mistake in caught.value.mistakes]


def issue_with(*sections: str, extra: str = "") -> str:
    return ISSUE.replace("  - letter\n", "".join(f"  - {section}\n" for section in sections)) + extra


def test_the_smallest_issue_loads(tmp_path: Path) -> None:
    issue = load(write_workspace(tmp_path))
    assert [section.type for section in issue.sections] == ["letter"]
    assert issue.language == "en"
    assert issue.date_begins.isoformat() == "2026-02-19T00:00:00-08:00"


def test_merge_fields_become_tokens_and_are_listed_with_their_lines(tmp_path: Path) -> None:
    issue = load(write_workspace(tmp_path))
    (use,) = issue.merge_fields
    assert use.field == MergeField("first_name", "Friends")
    assert str(use.place) == "issues/2026-02/letter.md:2"
    fields = issue.sections[0].fields
    assert isinstance(fields, LetterFields)
    assert fields.greeting == f"Dear {use.field.token},"


def test_a_links_line_is_the_line_of_the_file(tmp_path: Path) -> None:
    letter = (
        "---\ntitle: T\n---\n\nOne\ntwo [three](https://www.example.org/3)\n\n- [four](https://www.example.org/4)\n"
    )
    issue = load(write_workspace(tmp_path, {"issues/2026-02/letter.md": letter}))
    links = issue.sections[0].prose.links
    assert [(link.text, link.place.line) for link in links] == [("three", 6), ("four", 8)]


def test_html_that_is_meant_literally_stays_text(tmp_path: Path) -> None:
    letter = "\\<script>alert(1)\\</script>\n\n`<img src=x onerror=alert(1)>`\n"
    issue = load(write_workspace(tmp_path, {"issues/2026-02/letter.md": letter}))
    assert not any(token.type.startswith("html") for token in issue.sections[0].prose.tokens)


def test_items_stand_in_the_order_of_their_dates_unless_listed(tmp_path: Path) -> None:
    files = {
        "issues/2026-02/issue.yaml": issue_with("events"),
        "issues/2026-02/events/index.md": "---\ntitle: Events\n---\n",
        "issues/2026-02/events/a.md": EVENT.replace("02-25", "02-27"),
        "issues/2026-02/events/b.md": EVENT,
        "issues/2026-02/events/c.md": "---\ntitle: Always\n---\n",
    }
    root = write_workspace(tmp_path, files)
    assert [item.name for item in load(root).sections[0].items] == ["b", "a", "c"]
    (root / "issues/2026-02/events/index.md").write_text("---\nitems: [c, a, b]\n---\n")
    assert [item.name for item in load(root).sections[0].items] == ["c", "a", "b"]


def test_what_editors_hide_beside_a_file_is_no_item(tmp_path: Path) -> None:
    files = {
        "issues/2026-02/issue.yaml": issue_with("events"),
        "issues/2026-02/events/index.md": "---\ntitle: Events\n---\n",
        "issues/2026-02/events/a.md": EVENT,
        "issues/2026-02/events/._a.md": "not ours",
    }
    root = write_workspace(tmp_path, files)
    (root / "issues/2026-02/events/.#a.md").symlink_to("somebody@host.1")

    assert [item.name for item in load(root).sections[0].items] == ["a"]


def test_a_section_can_be_shown_to_a_segment_alone(tmp_path: Path) -> None:
    entry = issue_with("letter").replace("  - letter", "  - section: letter\n    only: teachers")
    issue = load(write_workspace(tmp_path, {"issues/2026-02/issue.yaml": entry}))
    assert issue.only_segments == ("teachers",)


WITH_TOPICS = CONFIG + '[topics]\nnews = "News and letters"\nevents = "Events and retreats"\n'


def about(root: Path, topics: str, *, config: str = WITH_TOPICS) -> Path:
    return write_workspace(root, {"newsletter.toml": config, "issues/2026-02/issue.yaml": ISSUE + topics})


@pytest.mark.parametrize(
    ("written", "topics"),
    [
        ("topics: [events]\n", ("events",)),
        ("topics: events\n", ("events",)),
        ("topics:\n  - news\n  - events\n", ("news", "events")),
    ],
)
def test_an_issue_says_what_it_is_about(tmp_path: Path, written: str, topics: tuple[str, ...]) -> None:
    assert load(about(tmp_path, written)).fields.topics == topics


@pytest.mark.parametrize(
    ("written", "told"),
    [
        (
            "",
            "issue.yaml:1: the issue has no topics; add a line such as `topics: [news]`, with one or more of "
            "news, events (subscribers who "
            "left all of its topics do not receive the issue)",
        ),
        ("topics: []\n", "issue.yaml:7: the issue has no topics; add"),
        (
            "topics:\n  - news\n  - evnts\n",
            "issue.yaml:9: there is no topic 'evnts' in newsletter.toml; did you mean events?",
        ),
        (
            "topics: [retreats]\n",
            "issue.yaml:7: there is no topic 'retreats' in newsletter.toml; choose from events, news",
        ),
        ("topics: [news, news]\n", "issue.yaml:7: the topic 'news' is listed twice; delete"),
        ("topics: [2]\n", "issue.yaml:7: there is no topic '2' in newsletter.toml; "),
    ],
)
def test_topics_that_are_missing_or_unknown_are_mistakes(tmp_path: Path, written: str, told: str) -> None:
    assert mistakes(about(tmp_path, written))[0].startswith(f"issues/2026-02/{told}")


def test_a_topic_where_the_workspace_has_none_is_a_mistake(tmp_path: Path) -> None:
    assert mistakes(about(tmp_path, "topics: [news]\n", config=CONFIG)) == [
        "issues/2026-02/issue.yaml:7: `topics` is set, but newsletter.toml defines no topics; delete the line, or "
        "add the topics to newsletter.toml under [topics]"
    ]


def test_an_unknown_topic_is_told_beside_other_mistakes(tmp_path: Path) -> None:
    root = about(tmp_path, "topics: [news, wokshops]\nlanguage: nowhere at all\n")
    assert [told.partition(";")[0] for told in mistakes(root)] == [
        "issues/2026-02/issue.yaml:7: there is no topic 'wokshops' in newsletter.toml",
        "issues/2026-02/issue.yaml:8: language: 'nowhere at all' is not a language",
    ]


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        (
            "issue.yaml",
            ISSUE.replace("preheader:", "preheadr:"),
            "issues/2026-02/issue.yaml:2: unknown key 'preheadr'; did you mean preheader?",
        ),
        (
            "issue.yaml",
            ISSUE.replace("2026-02-19", "2026-02-30"),
            "issues/2026-02/issue.yaml:4: date: '2026-02-30' is not a date",
        ),
        (
            "issue.yaml",
            ISSUE.replace("- letter", "- lettre"),
            "issues/2026-02/issue.yaml:6: there is no section 'lettre'",
        ),
        ("issue.yaml", ISSUE + "  - letter\n", "issues/2026-02/issue.yaml:7: the section 'letter' is listed twice"),
        (
            "issue.yaml",
            ISSUE + "title: Again\n",
            "issues/2026-02/issue.yaml:7: the key 'title' appears twice, first on line 3",
        ),
        (
            "issue.yaml",
            ISSUE.replace("title: A", "title: [A"),
            "issues/2026-02/issue.yaml:3: the bracket [ that begins",
        ),
        (
            "issue.yaml",
            ISSUE.replace("title: A", 'title: "A'),
            "issues/2026-02/issue.yaml:3: the quotes that begin here",
        ),
        (
            "issue.yaml",
            ISSUE.replace("title: A small letter", "title:"),
            "issues/2026-02/issue.yaml:3: title is empty",
        ),
        (
            "issue.yaml",
            ISSUE.replace("A small letter for everybody", "Rest is our #1 wish"),
            "issues/2026-02/issue.yaml:1: the text of subject is cut off at “#1 wish”; put it in quotes: subject: "
            '"Rest is our #1 wish"',
        ),
        ("issue.yaml", "- a\n- b\n", "issues/2026-02/issue.yaml:1: the file is a list"),
        (
            "issue.yaml",
            "",
            "issues/2026-02/issue.yaml:1: the file is empty; write these lines, and fill in your own text: "
            "`subject: …`, `preheader: …`, `title: …`, `date: …`, `sections: …`",
        ),
        ("issue.yaml", "# nothing yet\n", "issues/2026-02/issue.yaml:1: the file is empty"),
        ("issue.yaml", ISSUE.replace("2026-02-19", "20260219"), "date: '20260219' is not a date; write 2026-02-19"),
        (
            "issue.yaml",
            ISSUE.replace("2026-02-19", "[2026]"),
            "issues/2026-02/issue.yaml:4: date: the value is more than",
        ),
        ("issue.yaml", ISSUE.replace("- letter", '- "“letter”"'), 'do not count as quotes; write "letter"'),
        (
            "letter.md",
            "---\ntitle: T\nbutton:\n\tlabel: D\n  url: https://www.example.org\n---\n",
            "issues/2026-02/letter.md:4: the line is indented with a tab; use ordinary spaces: `  label: D`",
        ),
        (
            "letter.md",
            "---\nthanks:\n  - {language: es, text: Gracias, amigas}\n---\n",
            "issues/2026-02/letter.md:3: “amigas” in the braces has no colon; put text that contains a comma in quotes"
            ': text: "Gracias, amigas"',
        ),
        (
            "letter.md",
            "---\ngreting: Hi\n---\n",
            "issues/2026-02/letter.md:2: unknown key 'greting'; did you mean greeting?",
        ),
        (
            "letter.md",
            "---\ntype: sonnet\n---\n",
            "issues/2026-02/letter.md:2: there is no section type 'sonnet'; choose from",
        ),
        ("letter.md", "---\ntitle: T\n", "issues/2026-02/letter.md:1: the settings at the top have no closing line"),
        ("letter.md", "One\n{% if x %}\n", "issues/2026-02/letter.md:2: {% does not work in content"),
        ("letter.md", "One\n{{ first name }}\n", "issues/2026-02/letter.md:2: {{ first name }} is not a merge field"),
        ("letter.md", "One\n\n{{ first_name\n", "issues/2026-02/letter.md:3: {{ has no matching }}"),
        ("letter.md", "One {{ x.__class__ }}\n", "is not a merge field"),
        ("letter.md", "One\n![A](images/a.png)\n", "issues/2026-02/letter.md:2: there is no image 'images/a.png'"),
        (
            "letter.md",
            "![A](../../../etc/a.png)\n",
            "is outside issues/2026-02/; copy it into issues/2026-02/images/",
        ),
        ("letter.md", "![A](images/a.pdf)\n", "issues/2026-02/letter.md:1: images/a.pdf is not an image"),
        ("letter.md", "![A](images/a.heic)\n", "letter.md:1: images/a.heic is a HEIC photo"),
        (
            "letter.md",
            b"One\ntwo \xff\n",
            "issues/2026-02/letter.md:2: the file is not UTF-8 text; save it",
        ),
        (
            "letter.md",
            "One\ntwo \x00\n",
            "issues/2026-02/letter.md:2: the line contains an invisible character (U+0000)",
        ),
        (
            "letter.md",
            "---\nbutton:\n  label: Go\n  url: /here\n---\n",
            "letter.md:4: button › url: '/here' is not a complete",
        ),
        ("letter.md", "---\nbutton:\n  label: Go\n  url: javascript:x\n---\n", "letter.md:4: button › url"),
        (
            "letter.md",
            "---\nsignature: Ana\n---\n",
            "issues/2026-02/letter.md:2: signature: must be a group of lines",
        ),
    ],
)
def test_a_mistake_names_its_line_and_the_remedy(
    tmp_path: Path, name: str, content: str | bytes, expected: str
) -> None:
    root = write_workspace(tmp_path, {f"issues/2026-02/{name}": content})
    assert any(expected in mistake for mistake in mistakes(root)), mistakes(root)


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (
            EVENT.replace("02-25 11:00", "02-31 11:00"),
            "events/a.md:4: ends: '2026-02-31 11:00' is not a date that exists",
        ),
        (EVENT.replace("02-25 11:00", "02-24 11:00"), "events/a.md:4: the event ends on 2026-02-24 11:00, before"),
        (EVENT.replace("ends: 2026-02-25 11:00", "ends: 2026-02-25"), "only one of `starts` and `ends` has a time"),
        (EVENT.replace("title:", "timezone: PST8\ntitle:"), "events/a.md:2: timezone: 'PST8' is not a time zone"),
        (EVENT.replace("ends: 2026-02-25", "repeats: weekly\nends: 2026-03-05"), "the event repeats weekly, but"),
        (EVENT.replace("08:00", "08:00+02:00"), "is a time difference, not a time zone; write 2026-02-25 08:00"),
        (
            EVENT.replace("starts: 2026-02-25 08:00\n", ""),
            "events/a.md:3: the event has no start; add a line such as `starts: ",
        ),
        (EVENT.replace("title: A workshop\n", ""), "title is missing"),
        ("---\ntitle: x\nstarts: 20260225\n---\n", "events/a.md:3: starts: '20260225' is not a date; write 2026-02-25"),
        (
            EVENT.replace("2026-02-25 11:00", "20260225"),
            "events/a.md:4: ends: '20260225' is not a date; write 2026-02-25",
        ),
        (EVENT.replace(" 08:00", " 8:00"), "starts: '2026-02-25 8:00' is not a date; write 2026-02-25 08:00"),
        (EVENT.replace("2026-02-25 08:00", "25 February 2026, 8 am"), "is not a date; write 2026-02-25 08:00"),
        (EVENT.replace("2026-02-25 08:00", "12:30"), "starts: '12:30' is not a date; write it as 2026-02-25, or"),
        (
            EVENT.replace("ends:", "deadline: {label: Ends, date: 2026-02-20 10:00}\nends:"),
            "'2026-02-20 10:00' has a time, but only a date is needed; write 2026-02-20",
        ),
    ],
)
def test_an_event_that_cannot_be_is_a_mistake(tmp_path: Path, event: str, expected: str) -> None:
    files = {
        "issues/2026-02/issue.yaml": issue_with("events"),
        "issues/2026-02/events/index.md": "",
        "issues/2026-02/events/a.md": event,
    }
    root = write_workspace(tmp_path, files)
    assert any(expected in mistake for mistake in mistakes(root)), mistakes(root)


@pytest.mark.parametrize(
    ("name", "content", "what", "remedy"),
    [
        (
            "issue.yaml",
            ISSUE + "language: en; es\n",
            "language: 'en; es' is not a language",
            "write a code such as en, es or pt-BR",
        ),
        (
            "letter.md",
            '![A field](images/field.png "near; far")\n',
            "the image title “near; far” would not be shown",
            'write "decorative", a width such as "240 px", or both with a comma between them, or delete the title',
        ),
    ],
)
def test_a_semicolon_in_what_was_written_stays_in_its_place(
    tmp_path: Path, name: str, content: str, what: str, remedy: str
) -> None:
    root = write_workspace(tmp_path, {f"issues/2026-02/{name}": content})
    with pytest.raises(MistakesError) as caught:
        load(root)
    assert (what, remedy) in [(mistake.what, mistake.remedy) for mistake in caught.value.mistakes]


def test_all_mistakes_of_all_files_are_reported_at_once(tmp_path: Path) -> None:
    files = {
        "issues/2026-02/issue.yaml": issue_with("letter", "events", "nowhere") + "color: red\n",
        "issues/2026-02/letter.md": "---\ngreting: Hi\n---\n{% x %}\n",
    }
    found = mistakes(write_workspace(tmp_path, files))
    assert [mistake.split(": ")[1].split(";")[0] for mistake in found] == [
        "there is no section 'events'",
        "there is no section 'nowhere'",
        "unknown key 'color'",
        "unknown key 'greting'",
        "{% does not work in content",
    ]


def test_a_picture_that_is_none_is_a_mistake(tmp_path: Path) -> None:
    files = {"issues/2026-02/letter.md": "![A](images/a.png)\n", "issues/2026-02/images/a.png": b"not a picture"}
    root = write_workspace(tmp_path, files)
    assert "is damaged, or its name has the wrong extension" in mistakes(root)[0]
    (root / "issues/2026-02/images/a.png").write_bytes(png())
    path = (root / "issues/2026-02/images/a.png").resolve()
    place = Place(path="issues/2026-02/letter.md", line=1)
    assert load(root).pictures == {"images/a.png": PictureFile(path=path, place=place)}


def test_a_folder_without_issue_yaml_is_no_issue(tmp_path: Path) -> None:
    root = write_workspace(tmp_path)
    with pytest.raises(InputError, match=r"it has no issue\.yaml"):
        load_issue(load_config(root), root / "issues")


def test_values_that_yaml_would_change_are_read_by_their_fields(tmp_path: Path) -> None:
    files = {
        "issues/2026-02/issue.yaml": issue_with("events").replace("A small letter\n", "1.10\n"),
        "issues/2026-02/events/index.md": "---\ntitle: No\n---\n",
        "issues/2026-02/events/a.md": EVENT.replace("A workshop", "12:30") + "",
        "issues/2026-02/events/b.md": EVENT.replace("---\nWords", "weekdays: Yes\nlink: null\n---\nWords"),
    }
    issue = load(write_workspace(tmp_path, files))

    (section,) = issue.sections
    assert (issue.fields.title, section.fields.title) == ("1.10", "No")
    assert [item.fields.title for item in section.items] == ["12:30", "A workshop"]
    assert [item.fields.weekdays for item in section.items] == [False, True]


def test_a_colon_that_makes_a_key_of_a_step_is_told(tmp_path: Path) -> None:
    tips = "---\ntype: tips\ncards:\n  - title: Ours\n    steps:\n      - Bring: a pillow\n---\n"
    (mistake,) = mistakes(write_workspace(tmp_path, {"issues/2026-02/letter.md": tips}))
    assert mistake.startswith("issues/2026-02/letter.md:6: cards › item 1 › steps › item 1: the colon after “Bring”")
    assert mistake.endswith('put the text in quotes: "Bring: a pillow"')


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(issue=st.text(max_size=300), letter=st.text(max_size=300))
def test_any_text_loads_or_is_told_as_mistakes(tmp_path: Path, issue: str, letter: str) -> None:
    files = {"issues/2026-02/issue.yaml": ISSUE + issue, "issues/2026-02/letter.md": f"---\n{letter}"}
    files = {name: text.encode("utf-8", "surrogatepass").decode("utf-8", "replace") for name, text in files.items()}
    root = write_workspace(tmp_path, files)
    with suppress(MistakesError):
        load(root)


SCRIPTS = ("März", "наш-отчёт", "会場", "הודעה", "رسالة", "हिन्दी", "ก้าว", "v1.2_über", "می\u200cروم", "Ελλάδα")


@pytest.mark.parametrize("name", SCRIPTS)
@pytest.mark.parametrize("stored", ["NFC", "NFD"])
@pytest.mark.parametrize("written", ["NFC", "NFD"])
@pytest.mark.parametrize("file", ["{}.md", "{}/index.md"])
def test_a_section_may_be_called_by_a_name_in_any_script(
    tmp_path: Path, name: str, stored: Literal["NFC", "NFD"], written: Literal["NFC", "NFD"], file: str
) -> None:
    files = {
        "issue.yaml": issue_with(normalize(written, name), "events"),
        file.format(normalize(stored, name)): "---\ntype: text\n---\nWords.\n",
        "events/index.md": f"---\nitems: [{normalize(written, name)}]\n---\n",
        f"events/{normalize(stored, name)}.md": EVENT,
    }
    root = write_workspace(tmp_path, {f"issues/2026-02/{path}": text for path, text in files.items()})
    (root / "issues/2026-02/letter.md").unlink()

    issue = load(root)

    assert [section.name for section in issue.sections] == [normalize("NFC", name), "events"]
    assert [item.name for item in issue.sections[1].items] == [normalize("NFC", name)]
    assert issue.unused == ()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("m" * 2000, "the name mmmmmmmmmmmmmmmmmmmm… is too long for a file; choose one of at most 60 letters"),
        ("会" * 80, "the name 会会会会会会会会会会会会会会会会会会会会… is too long for a file"),
        ("../letter", "'../letter' is not a name; use letters, digits, dots, dashes and underscores"),
        ("our letter", "'our letter' is not a name"),
        ('"\\u202eletter"', "is not a name"),
        ("-letter", "'-letter' is not a name"),
    ],
)
def test_a_name_that_no_file_can_have_is_told(tmp_path: Path, name: str, said: str) -> None:
    root = write_workspace(tmp_path, {"issues/2026-02/issue.yaml": issue_with("letter", name)})

    (mistake,) = mistakes(root)

    assert mistake.startswith("issues/2026-02/issue.yaml:7: ")
    assert said in mistake


@pytest.mark.parametrize(
    "file",
    [
        "meditation.md",
        "meditation/index.md",
        "events2/one.md",
        "letter/more.md",
        "letter.MD",
        "news.markdown",
        "a/b/c.md",
    ],
)
def test_a_file_that_no_section_shows_is_noted(tmp_path: Path, file: str) -> None:
    root = write_workspace(tmp_path, {f"issues/2026-02/{file}": "Words.\n"})

    assert load(root).unused == (file,)


def test_of_a_file_and_a_folder_of_one_name_the_folder_is_noted(tmp_path: Path) -> None:
    root = write_workspace(tmp_path, {"issues/2026-02/letter/index.md": "Other words.\n"})

    assert load(root).unused == ("letter/index.md",)


@pytest.mark.parametrize("file", [".#letter.md", ".trash/letter.md", "images/credits.txt", "letter.md~", "._letter.md"])
def test_other_files_are_not_noted(tmp_path: Path, file: str) -> None:
    root = write_workspace(tmp_path, {f"issues/2026-02/{file}": "Words.\n"})

    assert load(root).unused == ()


@pytest.mark.parametrize("name", ["letter.md", "issue.yaml"])
def test_a_file_is_measured_before_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    root = write_workspace(tmp_path)
    with (root / "issues/2026-02" / name).open("wb") as file:
        file.truncate(9_000_000_000)  # takes no space on the disk
    read = Path.read_bytes
    monkeypatch.setattr(
        Path, "read_bytes", lambda path: pytest.fail("it was read") if path.name == name else read(path)
    )

    (mistake,) = mistakes(root)

    assert mistake.startswith(f"issues/2026-02/{name}: the file is larger than 2 MB (9,000,000,000 bytes); delete text")


def test_a_pipe_or_a_device_is_not_read_because_that_may_never_end(tmp_path: Path) -> None:
    root = write_workspace(tmp_path)
    letter = root / "issues/2026-02/letter.md"
    letter.unlink()
    os.mkfifo(letter)
    told = "issues/2026-02/letter.md: the file is a pipe or a device, not a file; put a file in its place"
    assert mistakes(root) == [told]
    letter.unlink()
    letter.symlink_to("/dev/zero")
    assert mistakes(root) == [told]
    (root / "issues/2026-03").mkdir()
    os.mkfifo(root / "issues/2026-03/issue.yaml")
    assert [heading.name for heading in issue_headings(load_config(root))] == ["2026-02", "2026-03"]


def test_files_that_have_not_changed_give_the_same_objects_again(tmp_path: Path) -> None:
    events = {"index.md": "---\ntype: events\n---\n", "walk.md": EVENT, "talk.md": EVENT}
    files = {f"issues/2026-02/events/{name}": text for name, text in events.items()}
    root = write_workspace(tmp_path, {"issues/2026-02/issue.yaml": issue_with("letter", "events"), **files})
    letter, before = load(root).sections
    (root / "issues/2026-02/events/walk.md").write_text(EVENT.replace("Words.", "Other words."), encoding="utf-8")

    again, edited = load(root).sections

    assert again is letter
    assert edited is not before
    by_name = {item.name: item for item in edited.items}
    assert [by_name[item.name] is item for item in before.items] == [item.name == "talk" for item in before.items]
    assert edited.fingerprint != before.fingerprint


def test_an_image_that_disappears_is_missed_though_the_file_that_names_it_is_the_same(tmp_path: Path) -> None:
    letter = "---\nsignature:\n  name: Ada\n  portrait: walk.png\n  alt: Ada\n---\nWords.\n"
    root = write_workspace(tmp_path, {"issues/2026-02/letter.md": letter, "issues/2026-02/walk.png": png()})
    picture = root / "issues/2026-02/walk.png"
    load(root)
    picture.unlink()

    assert "no image 'walk.png'" in mistakes(root)[0]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Words, and **more.", "Other words.\n\nWords, and **more."),
        ("---\ntitle: Hi\n---\n**x", "---\n\ntitle: Hi\n---\n**x"),
    ],
)
def test_a_mistake_moves_when_a_line_is_written_above_it(tmp_path: Path, before: str, after: str) -> None:
    root = write_workspace(tmp_path, {"issues/2026-02/letter.md": before})
    first = mistakes(root)
    (root / "issues/2026-02/letter.md").write_text(after, encoding="utf-8")

    again = mistakes(root)

    moved = after.count("\n") - before.count("\n")
    old, new = (int(told[-1].split(":")[1]) for told in (first, again))
    assert new == old + moved


def test_two_files_with_the_same_mistake_are_both_named(tmp_path: Path) -> None:
    wrong = EVENT.replace("title: A workshop", "titel: A workshop {{ first_nme | }}")
    events = {"index.md": "---\ntype: events\n---\n", "walk.md": wrong, "talk.md": wrong}
    files = {f"issues/2026-02/events/{name}": text for name, text in events.items()}
    root = write_workspace(tmp_path, {"issues/2026-02/issue.yaml": issue_with("letter", "events"), **files})

    told = mistakes(root)

    for name in ("talk.md", "walk.md"):
        assert [line for line in told if line.startswith(f"issues/2026-02/events/{name}:2: {{{{ first_nme")], told
