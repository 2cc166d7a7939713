"""Each block of the email is found at its place in the files, and marked only in the copy that a page shows."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from lxml import etree

from newsletter.config import load_config
from newsletter.workflows.compose.compose import Composed, compose_issue, require_issue
from newsletter.workflows.compose.placed import Block, place_blocks
from newsletter.workflows.compose.sample import mail_of, sample_mail, sample_reader
from tests.render.conftest import picture_bytes
from tests.workspaces import ISSUE, LETTER, write_workspace

MARKS = re.compile(r' data-place="([^"]*)" data-block="([0-9]+)"')
EVENT = """\
---
title: A quiet evening
starts: 2026-03-0{day} 19:00
ends: 2026-03-0{day} 20:00
location: Online
button:
  label: Reserve your place
  url: https://www.example.org/{day}
---
What the evening number {day} holds.
"""
FILES: dict[str, str | bytes] = {
    "issues/2026-02/issue.yaml": ISSUE.replace("  - letter", "  - letter\n  - events\n"),
    "issues/2026-02/letter.md": LETTER
    + "\n## What & why\n\n- First *of two*\n- Second\n\n"
    + "Hello {{ first_name }}, see [your page](https://www.example.org/?name={{ first_name }}).\n\n"
    + "![A field in spring](images/field.png)\n",
    "issues/2026-02/images/field.png": picture_bytes(600, 300),
    "issues/2026-02/events/index.md": "---\ntitle: Two evenings\n---\n",
    "issues/2026-02/events/one.md": EVENT.format(day=4),
    "issues/2026-02/events/two.md": EVENT.format(day=5),
}


def composed(root: Path, files: dict[str, str | bytes] | None = None) -> Composed:
    config = load_config(write_workspace(root, FILES | (files or {})))
    return compose_issue(config, require_issue(config, "2026-02"), at=datetime(2026, 2, 19, tzinfo=UTC))


def places(blocks: tuple[Block, ...], words: str) -> list[str]:
    return [str(block.place) for block in blocks if words in block.words]


def test_each_block_leads_to_the_line_that_has_its_words(tmp_path: Path) -> None:
    issue = composed(tmp_path)
    blocks = place_blocks(issue, issue.rendered.fullest).blocks
    letter = (tmp_path / "issues/2026-02/letter.md").read_text().splitlines()

    def line(words: str) -> str:
        (number,) = (at for at, text in enumerate(letter, start=1) if words in text)
        return f"issues/2026-02/letter.md:{number}"

    assert places(blocks, "This is a small letter") == [line("This is a small")]
    assert places(blocks, "What & why") == [line("What & why")]
    assert places(blocks, "First of two") == [line("First *of")]
    assert places(blocks, "Second") == [line("Second")]
    assert places(blocks, "A field in spring") == [line("A field in spring")]
    assert places(blocks, "Hello {{ first_name }}, see your page") == [line("Hello {{")]
    assert places(blocks, "Dear ") == [line("greeting")]
    assert places(blocks, "You receive this letter") == ["newsletter.toml:8"]


def test_words_that_two_events_share_lead_to_the_event_in_which_they_stand(tmp_path: Path) -> None:
    issue = composed(tmp_path)
    blocks = place_blocks(issue, issue.rendered.fullest).blocks
    one, two = "issues/2026-02/events/one.md", "issues/2026-02/events/two.md"
    assert places(blocks, "A quiet evening") == [f"{one}:2", f"{two}:2"]
    assert places(blocks, "Reserve your place") == [f"{one}:7", f"{two}:7"]
    dates = [place.partition(":")[0] for place in places(blocks, "Wednesday, March 4, 2026")]
    assert dates == [one], "a date is written by the theme, and belongs to the event around it"


def test_the_marks_are_all_that_is_added_to_any_variant_for_any_reader(tmp_path: Path) -> None:
    issue = composed(tmp_path)
    config, before = issue.subject.config, issue.rendered.content_hash
    reader = sample_reader(config, {"first_name": '"><b data-place="x">Ana'})
    for variant in issue.rendered.variants:
        placed = place_blocks(issue, variant)
        for marked, plain in (
            (mail_of(config, placed.variant, reader), mail_of(config, variant, reader)),
            (sample_mail(config, placed.variant), sample_mail(config, variant)),
        ):
            found = MARKS.findall(marked.html)
            assert [int(number) for _, number in found] == list(range(len(placed.blocks)))
            assert [place for place, _ in found] == [str(block.place) for block in placed.blocks]
            assert MARKS.sub("", marked.html) == plain.html
    assert issue.rendered.content_hash == before


def test_a_mark_stands_on_the_element_that_has_the_words(tmp_path: Path) -> None:
    issue = composed(tmp_path)
    placed = place_blocks(issue, issue.rendered.fullest)
    root = etree.fromstring(sample_mail(issue.subject.config, placed.variant).html.encode(), etree.HTMLParser())
    marked = {int(element.get("data-block", "")): element for element in root.iter() if element.get("data-block")}
    for number, block in enumerate(placed.blocks):
        if block.words in {"What & why", "First of two", "Second", "A quiet evening"}:
            words = "".join(str(text) for text in marked[number].itertext())
            assert words.strip() == block.words
    picture = next(at for at, block in enumerate(placed.blocks) if block.words == "A field in spring")
    assert marked[picture].tag == "img"


@pytest.mark.parametrize("name", ["R&D 'one'", "a-b.c"])
def test_a_path_cannot_end_the_attribute(tmp_path: Path, name: str) -> None:
    config = load_config(write_workspace(tmp_path, FILES))
    folder = (tmp_path / "issues/2026-02").rename(tmp_path / "issues" / name)
    issue = compose_issue(config, folder, at=datetime(2026, 2, 19, tzinfo=UTC))
    placed = place_blocks(issue, issue.rendered.fullest)
    root = etree.fromstring(sample_mail(config, placed.variant).html.encode(), etree.HTMLParser())
    shown = [element.get("data-place") for element in root.iter() if element.get("data-place")]
    assert sorted(set(map(str, shown))) == sorted({str(block.place) for block in placed.blocks})
