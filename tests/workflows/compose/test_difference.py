"""How two versions of an email differ, in words and in marks, from real files that were edited."""

from pathlib import Path

import pytest

from newsletter.config import load_config
from newsletter.model.review import ShownVariant, WordChange
from newsletter.workflows.compose.changed_words import compared_words, date_words, is_date
from newsletter.workflows.compose.compose import compose_issue, require_issue
from newsletter.workflows.compose.difference import (
    Aspect,
    BlockChange,
    ChangeKind,
    Difference,
    difference_of,
)
from newsletter.workflows.compose.kept import shown_variants
from tests.render.conftest import picture_bytes
from tests.workspaces import ISSUE, write_workspace

LETTER = """\
The first sentence stays. The second one speaks of rain and of the river. The third stays too.

A paragraph with [a page about it](https://www.example.org/small) and a promise.

![A field in spring](images/field.png)

Words that end the letter.
"""
EVENT = """\
---
title: A quiet evening
starts: 2026-03-04 19:00
ends: 2026-03-04 20:00
location: Online
---
What the evening holds for those who come.
"""
TEACHING = "---\ntype: text\ntitle: For those who teach\n---\nWords for people who teach and for those who learn.\n"
FILES: dict[str, str | bytes] = {
    "issues/2026-02/issue.yaml": ISSUE.replace("  - letter", "  - letter\n  - teaching\n  - events\n"),
    "issues/2026-02/letter.md": LETTER,
    "issues/2026-02/teaching.md": TEACHING,
    "issues/2026-02/images/field.png": picture_bytes(600, 300),
    "issues/2026-02/events/index.md": "---\ntitle: Evenings\n---\n",
    "issues/2026-02/events/one.md": EVENT,
}


def shown(root: Path, files: dict[str, str | bytes]) -> ShownVariant:
    config = load_config(write_workspace(root, FILES | files))
    return shown_variants(compose_issue(config, require_issue(config, "2026-02")))[0]


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> ShownVariant:
    return shown(tmp_path_factory.mktemp("original"), {})


def edited(original: ShownVariant, root: Path, **files: str | bytes) -> Difference:
    """The difference after these files of the issue were written; in a name, `__` is the dot and `_` a slash."""
    named = {f"issues/2026-02/{name.replace('__', '.').replace('_', '/')}": text for name, text in files.items()}
    return difference_of(original, shown(root, named), "en")


def only(found: Difference) -> BlockChange:
    (section,) = found.sections
    (change,) = section.changes
    return change


def said(change: BlockChange, which: WordChange) -> list[str]:
    return [piece.words for passage in change.passages for piece in passage if piece.change is which]


def test_the_same_files_do_not_differ(original: ShownVariant, tmp_path: Path) -> None:
    found = edited(original, tmp_path)
    assert found.is_empty
    assert not found.marks_before
    assert not found.marks_after
    assert len(found.anchors) > 5


def test_a_changed_word_is_told_with_its_sentence_alone(original: ShownVariant, tmp_path: Path) -> None:
    found = edited(original, tmp_path, letter__md=LETTER.replace("rain", "snow"))
    change = only(found)
    assert (change.kind, change.aspect) == (ChangeKind.CHANGED, Aspect.WORDS)
    assert said(change, WordChange.GONE) == ["rain"]
    assert said(change, WordChange.NEW) == ["snow"]
    assert said(change, WordChange.KEPT) == ["The second one speaks of", "and of the river."]
    assert found.sections[0].path == "letter.md"
    assert change.after is not None
    assert found.marks_after == {change.after: ChangeKind.CHANGED}


def test_a_link_that_leads_elsewhere_is_told_with_both_addresses(original: ShownVariant, tmp_path: Path) -> None:
    change = only(edited(original, tmp_path, letter__md=LETTER.replace("org/small", "org/large")))
    assert (change.aspect, change.name) == (Aspect.LINK, "a page about it")
    assert (change.was, change.now) == ("https://www.example.org/small", "https://www.example.org/large")


def test_a_link_that_was_added_or_taken_away_is_told(original: ShownVariant, tmp_path: Path) -> None:
    linked = LETTER.replace("a promise", "[a promise](https://www.example.org/promise)")
    change = only(edited(original, tmp_path / "more", letter__md=linked))
    assert (change.name, change.was, change.now) == ("a promise", "", "https://www.example.org/promise")
    bare = LETTER.replace("[a page about it](https://www.example.org/small)", "a page about it")
    change = only(edited(original, tmp_path / "less", letter__md=bare))
    assert (change.name, change.was, change.now) == ("a page about it", "https://www.example.org/small", "")


def test_a_date_is_told_once_as_a_date(original: ShownVariant, tmp_path: Path) -> None:
    found = edited(original, tmp_path, events_one__md=EVENT.replace("03-04", "04-11"))
    changes = [each for section in found.sections for each in section.changes if each.aspect is Aspect.DATE]
    (date,) = changes
    assert "April" in " ".join(said(date, WordChange.NEW))
    marked = sum(kind is ChangeKind.CHANGED for kind in found.marks_after.values())
    assert marked > 1  # the tile and the line beside it


@pytest.mark.parametrize(
    ("before", "after", "language", "expected"),
    [
        ("Wednesday, March 4, 2026", "Saturday, April 11, 2026", "en", True),
        ("On March 4 we meet.", "On March 5 we meet.", "en", True),
        ("From 9:00 on", "From 10:30 on", "en", True),
        ("3月4日", "3月5日", "ja", True),
        ("4. März, 19 Uhr", "5. März, 20 Uhr", "de", True),
        ("We have 3 rivers.", "We have 4 rivers.", "en", False),
        ("On March 4 we meet.", "On March 4 we sing.", "en", False),
        ("4. März", "4. March", "de", False),
        ("One.", "One!", "en", False),
    ],
)
def test_only_what_a_date_is_made_of_counts_as_a_date(before: str, after: str, language: str, expected: bool) -> None:
    assert is_date([compared_words(before, after)], date_words(language)) is expected


def test_texts_that_are_too_long_to_compare_differ_as_a_whole() -> None:
    many = "word " * 5000
    assert [each.change for each in compared_words(many, f"{many} more")] == [WordChange.GONE, WordChange.NEW]


def test_a_replaced_image_and_another_description_are_told_apart(original: ShownVariant, tmp_path: Path) -> None:
    other = picture_bytes(600, 310)
    change = only(edited(original, tmp_path / "image", images_field__png=other))
    assert (change.kind, change.aspect) == (ChangeKind.CHANGED, Aspect.IMAGE)
    change = only(edited(original, tmp_path / "words", letter__md=LETTER.replace("in spring", "in autumn")))
    assert (change.kind, change.aspect) == (ChangeKind.CHANGED, Aspect.DESCRIPTION)


def test_added_and_removed_paragraphs_are_marked_on_their_own_side(original: ShownVariant, tmp_path: Path) -> None:
    change = only(edited(original, tmp_path / "more", letter__md=f"{LETTER}\nSomething that nobody has said yet.\n"))
    assert (change.kind, change.before) == (ChangeKind.ADDED, None)
    found = edited(original, tmp_path / "less", letter__md=LETTER.replace("Words that end the letter.\n", ""))
    change = only(found)
    assert (change.kind, change.after) == (ChangeKind.REMOVED, None)
    assert list(found.marks_before.values()) == [ChangeKind.REMOVED]
    assert not found.marks_after


def test_a_paragraph_that_moved_is_not_removed_and_added(original: ShownVariant, tmp_path: Path) -> None:
    first, second, image, last, *_ = LETTER.split("\n\n")
    found = edited(original, tmp_path, letter__md="\n\n".join((last.strip(), first, second, image)))
    assert [each.kind for each in found.sections[0].changes] == [ChangeKind.MOVED]


@pytest.mark.parametrize(
    ("sections", "kinds"),
    [
        (("letter", "events"), [("For those who teach", ChangeKind.REMOVED)]),
        (("teaching", "letter", "events"), [("Letter", ChangeKind.MOVED)]),
    ],
)
def test_sections_are_removed_and_moved_as_a_whole(
    original: ShownVariant, tmp_path: Path, sections: tuple[str, ...], kinds: list[tuple[str, ChangeKind]]
) -> None:
    listed = "".join(f"  - {name}\n" for name in sections)
    found = edited(original, tmp_path, issue__yaml=ISSUE.replace("  - letter\n", listed))
    moved = {(each.title, each.kind) for each in found.sections}
    assert len(moved) == 1
    assert moved <= {*kinds, ("For those who teach", ChangeKind.MOVED)}


def test_a_renamed_file_is_the_same_section(original: ShownVariant, tmp_path: Path) -> None:
    issue = ISSUE.replace("  - letter", "  - letter\n  - learning\n  - events\n")
    found = edited(original, tmp_path, issue__yaml=issue, learning__md=TEACHING)
    assert found.is_empty


def test_the_lines_of_the_inbox_are_compared(original: ShownVariant, tmp_path: Path) -> None:
    issue = str(FILES["issues/2026-02/issue.yaml"]).replace("small letter for everybody", "quiet letter for everybody")
    found = edited(original, tmp_path, issue__yaml=issue)
    assert [(each.change, each.words) for each in found.lines["Subject"]] == [
        (WordChange.KEPT, "A"),
        (WordChange.GONE, "small"),
        (WordChange.NEW, "quiet"),
        (WordChange.KEPT, "letter for everybody"),
    ]
    assert not found.sections


def test_languages_without_spaces_are_compared_by_sign() -> None:
    pieces = compared_words("春の手紙です。", "秋の手紙です。")
    assert [(each.change, each.words) for each in pieces] == [
        (WordChange.GONE, "春"),
        (WordChange.NEW, "秋"),
        (WordChange.KEPT, "の手紙です。"),
    ]


def test_long_stretches_that_stayed_are_shortened() -> None:
    before = " ".join(f"w{number}" for number in range(60))
    (kept, gone, new) = compared_words(f"{before} end", f"{before} begin")
    assert kept.words == "w0 w1 w2 w3 w4 w5 … w54 w55 w56 w57 w58 w59"
    assert (gone.words, new.words) == ("end", "begin")
