"""The archive's files about events: pages and calendars, and the record that keeps them in step."""

import json
import re
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from lxml import html
from msgspec import Struct

from newsletter.calendars.announcing import read_record
from newsletter.config import Config, load_config
from newsletter.content.loader import load_issue
from newsletter.errors import InputError
from newsletter.render.memory import Memory
from newsletter.site.archive import archive_files
from newsletter.site.site import Site
from newsletter.workflows.publish.events import EventFiles, IssueWithEvents, event_files, events_in, record_events
from tests.judges import require_judge
from tests.workspaces import CONFIG, ISSUE, write_workspace

NOW = datetime(2026, 2, 19, 8, tzinfo=UTC)
ARCHIVE = '\n[archive]\nurl = "https://archive.example.org"\nto = "site"\n'
EVENT = """\
---
title: Tea & cake for {{ first_name | default("friends") }}
subtitle: With 1 < 2 of us
starts: 2026-02-25 08:00
ends: 2026-02-25 11:00
location: Live online
button:
  label: Join
  url: https://www.example.org/join?for=tea&more=1
---
Come, {{ first_name | default("all of you") }}.
"""
SERIES = """\
---
title: Six weeks
starts: 2026-02-25 09:00
ends: 2026-04-01 10:00
repeats: weekly
---
"""


def workspace(root: Path, events: dict[str, str], *, issue: str = "2026-02", config: str = CONFIG + ARCHIVE) -> Config:
    files = {
        "newsletter.toml": config,
        f"issues/{issue}/issue.yaml": ISSUE.replace("2026-02-19", f"{issue}-19") + "  - events\n",
        f"issues/{issue}/letter.md": "Words.\n",
        f"issues/{issue}/events/index.md": "---\ntitle: Events\n---\n",
        **{f"issues/{issue}/events/{name}.md": text for name, text in events.items()},
    }
    return load_config(write_workspace(root, files))


class Made(Struct):
    """What was made of the events of a workspace, and the files that they have in the archive."""

    events: EventFiles
    files: dict[str, str]
    listed: list[str]


def make(config: Config, *issues: str, now: datetime = NOW, unlisted: tuple[str, ...] = ()) -> Made:
    memory = Memory(config.root / "build/.archive")
    found = event_files(
        config, [shown(config, name, memory, unlisted) for name in issues or ("2026-02",)], memory, now=now
    )
    url = "https://archive.example.org"
    site = Site(config.settings, url, (), changed={}, logos={}, is_searched=False, recall=memory.recall)
    files = {file.path: file.content.decode() for file in found.files if not file.path.startswith("i/")}
    others = {file.path: file.content.decode() for file in archive_files(site, found.pages)}
    pages = {path: text for path, text in others.items() if path.startswith(("events/", "i/"))}
    addresses = re.findall(f"<loc>{url}/(events/.*?)</loc>", others["sitemap.xml"])
    return Made(found, {**files, **pages}, addresses)


def shown(config: Config, name: str, memory: Memory, unlisted: tuple[str, ...]) -> IssueWithEvents:
    issue = load_issue(config, config.root / "issues" / name)
    texts = events_in(config, issue, memory)
    made_from = "".join(sorted(path.read_text() for path in issue_files(config, name)))
    day, is_listed = issue.fields.date, name not in unlisted
    return IssueWithEvents(
        name=name, day=day, is_listed=is_listed, facts=texts.facts, made_from=made_from, load=lambda: texts
    )


def issue_files(config: Config, name: str) -> list[Path]:
    return [path for path in (config.root / "issues" / name).rglob("*.*") if path.suffix in {".md", ".yaml"}]


def files_of(found: Made) -> dict[str, str]:
    return {path: text for path, text in found.files.items() if not path.startswith("i/")}


def lines_of(calendar: str) -> list[str]:
    return calendar.replace("\r\n ", "").split("\r\n")


def test_an_event_has_a_page_a_file_and_a_place_in_the_calendars(tmp_path: Path) -> None:
    found = make(workspace(tmp_path, {"tea": EVENT, "offer": "---\ntitle: Any time\n---\n"}))
    assert sorted(files_of(found)) == [
        "2026-02/events.ics",
        "calendar.ics",
        "events/2026-02-tea.ics",
        "events/2026-02-tea/index.html",
    ]
    assert found.listed == ["events/2026-02-tea/"]


def test_a_page_says_everything_without_a_script_and_links_every_calendar(tmp_path: Path) -> None:
    page = html.fromstring(files_of(make(workspace(tmp_path, {"tea": EVENT})))["events/2026-02-tea/index.html"])
    for script in page.xpath("//script"):
        script.getparent().remove(script)
    text = " ".join(page.xpath("//body")[0].text_content().split())
    for said in ("Tea & cake for friends", "With 1 < 2 of us", "Wednesday, February 25, 2026", "8:00–11:00 am PT"):
        assert said in text
    assert "Come, all of you." in text
    hosts = {re.sub(r"^(\w+://[^/]+).*", r"\1", url) for url in page.xpath("//section//a/@href")}
    assert hosts == {
        "https://calendar.google.com",
        "https://outlook.live.com",
        "https://outlook.office.com",
        "https://calendar.yahoo.com",
        "https://archive.example.org",
        "webcal://archive.example.org",
    }
    assert page.xpath("//time/@datetime") == ["2026-02-25T08:00-08:00"]


def test_nothing_about_a_reader_is_in_any_file(tmp_path: Path) -> None:
    for path, content in files_of(make(workspace(tmp_path, {"tea": EVENT, "six": SERIES}))).items():
        assert "mfq" not in content, path
        assert "first_name" not in content, path


def test_publishing_again_changes_nothing(tmp_path: Path) -> None:
    config = workspace(tmp_path, {"tea": EVENT, "six": SERIES})
    first = make(config)
    record_events(first.events)
    again = make(config, now=NOW + timedelta(days=3))
    assert files_of(again) == files_of(first)
    assert again.events.records == {}


def test_a_changed_time_raises_the_sequence_everywhere_and_once(tmp_path: Path) -> None:
    config = workspace(tmp_path, {"tea": EVENT})
    record_events(make(config).events)
    workspace(tmp_path, {"tea": EVENT.replace("08:00", "07:30")})
    for _ in range(2):
        found = make(config, now=NOW + timedelta(days=1))
        record_events(found.events)
    files = files_of(found)
    for path in ("events/2026-02-tea.ics", "2026-02/events.ics", "calendar.ics"):
        assert {"SEQUENCE:1", "DTSTAMP:20260220T080000Z"} <= set(lines_of(files[path])), path
    data = re.search(r'ld\+json">(.*?)</script>', files["events/2026-02-tea/index.html"])
    assert data
    assert json.loads(data[1])["previousStartDate"] == "2026-02-25T08:00-08:00"


def test_nothing_is_recorded_before_it_is_published(tmp_path: Path) -> None:
    config = workspace(tmp_path, {"tea": EVENT})
    make(config)
    assert not (tmp_path / "issues/2026-02/calendar.json").exists()


def test_an_event_in_two_issues_is_one_event_as_the_later_issue_has_it(tmp_path: Path) -> None:
    config = workspace(tmp_path, {"tea": EVENT})
    record_events(make(config).events)
    later = EVENT.replace("title:", "id: 2026-02-tea\ntitle:", 1).replace("08:00", "07:30")
    workspace(tmp_path, {"tea": later}, issue="2026-03")
    found = make(config, "2026-02", "2026-03")
    everything = lines_of(files_of(found)["calendar.ics"])
    assert everything.count("UID:2026-02-tea@example.org") == 1
    assert {"SEQUENCE:1", "DTSTART;TZID=America/Los_Angeles:20260225T073000"} <= set(everything)
    record_events(found.events)
    record = read_record((tmp_path / "issues/2026-03/calendar.json").read_bytes(), "")
    assert record["2026-02-tea"].sequence == 1
    assert make(config, "2026-02", "2026-03").events.records == {}


def test_an_event_of_a_public_issue_does_not_lead_to_a_later_unlisted_one(tmp_path: Path) -> None:
    workspace(tmp_path, {"tea": EVENT.replace("title:", "id: 2026-02-tea\ntitle:", 1)}, issue="2026-04")
    config = workspace(tmp_path, {"tea": EVENT})  # last, because it is written with each workspace
    found = make(config, "2026-02", "2026-04", unlisted=("2026-04",))
    assert "UID:2026-02-tea@example.org" in lines_of(found.files["calendar.ics"])
    assert found.listed == ["events/2026-02-tea/"]
    public = {path: text for path, text in found.files.items() if not path.startswith("2026-04/")}
    assert not [path for path, text in public.items() if "2026-04" in text]


def test_an_event_of_an_unlisted_issue_is_in_no_list(tmp_path: Path) -> None:
    found = make(workspace(tmp_path, {"tea": EVENT}), unlisted=("2026-02",))
    files = files_of(found)
    assert "BEGIN:VEVENT" not in files["calendar.ics"]
    assert found.listed == []
    assert '<meta name="robots" content="noindex">' in files["events/2026-02-tea/index.html"]


def test_a_canceled_event_says_so_and_offers_no_calendar_but_stays_in_the_files(tmp_path: Path) -> None:
    files = files_of(make(workspace(tmp_path, {"tea": EVENT.replace("location", "status: cancelled\nlocation")})))
    page = html.fromstring(files["events/2026-02-tea/index.html"])
    assert page.xpath("//*[@class='status']")[0].text_content() == "Canceled"
    assert page.xpath("//section") == []
    assert page.xpath("//a[@class='button']") == []
    assert "STATUS:CANCELLED" in lines_of(files["calendar.ics"])


def test_a_series_says_which_calendars_take_only_its_first_date(tmp_path: Path) -> None:
    page = html.fromstring(files_of(make(workspace(tmp_path, {"six": SERIES})))["events/2026-02-six/index.html"])
    marked = [each.text_content() for each in page.xpath("//li[small]/a[1]")]
    assert marked == ["Outlook.com", "Office 365", "Yahoo"]
    assert len(page.xpath("//ol[@class='dates']/li/time")) == 6


def test_a_page_in_each_language_names_all_the_others(tmp_path: Path) -> None:
    config = CONFIG + '\n[languages]\noffered = ["es"]\n' + ARCHIVE
    texts = "title: Té\nsubtitle: Con nosotros\nlocation: En línea\nbutton:\n  label: Entrar\n"
    workspace(
        tmp_path,
        {"tea": EVENT, "tea.es": f"---\n{texts}---\nVen.\n", "index.es": "---\ntitle: Actos\n---\n"},
        config=config,
    )
    keys = "subject.es: Una carta\npreheader.es: Unas palabras\ntitle.es: Carta\n"
    path = tmp_path / "issues/2026-02/issue.yaml"
    path.write_text(path.read_text() + keys)
    (tmp_path / "issues/2026-02/letter.es.md").write_text("Palabras.\n")
    files = files_of(make(load_config(tmp_path)))
    english, translated = (files[f"events/2026-02-tea/{folder}index.html"] for folder in ("", "es/"))
    addresses = {"en": "https://archive.example.org/events/2026-02-tea/"}
    addresses["es"] = f"{addresses['en']}es/"
    for code, text in (("en", english), ("es", translated)):
        page = html.fromstring(text)
        found = {link.get("hreflang"): link.get("href") for link in page.xpath("//link[@hreflang]")}
        assert found == {**addresses, "x-default": addresses["en"]}
        assert page.xpath("//link[@rel='canonical']/@href") == [addresses[code]]
        assert page.get("lang") == code
    assert "SUMMARY;LANGUAGE=es:Té" in lines_of(files["events/2026-02-tea/es.ics"])
    assert "UID:2026-02-tea@example.org" in lines_of(files["events/2026-02-tea/es.ics"])


def test_a_damaged_record_stops_everything_and_is_named(tmp_path: Path) -> None:
    config = workspace(tmp_path, {"tea": EVENT})
    (tmp_path / "issues/2026-02/calendar.json").write_text("{")
    with pytest.raises(InputError, match=r"2026-02/calendar\.json cannot be read"):
        make(config)


def test_pages_are_valid_html(tmp_path: Path) -> None:
    folder = require_judge("html-validate")
    files = files_of(make(workspace(tmp_path, {"tea": EVENT, "six": SERIES})))
    pages = [tmp_path / f"{number}.html" for number in range(2)]
    for page, path in zip(pages, (path for path in files if path.endswith(".html")), strict=True):
        page.write_text(files[path])
    settings = tmp_path / ".htmlvalidate.json"
    settings.write_text('{"extends": ["html-validate:standard"], "root": true}')
    command = ["node", str(folder / "bin/html-validate.mjs"), "--config", str(settings), *map(str, pages)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert ran.returncode == 0, ran.stdout + ran.stderr
