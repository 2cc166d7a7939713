"""Editing the files of an issue: what is written, what stays, what is refused, and how it is taken back."""

import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from difflib import SequenceMatcher
from pathlib import Path

import pytest

from newsletter.config import Config, load_config
from newsletter.errors import ConflictError, Fix, InputError, MistakesError
from newsletter.workflows.compose.compose import compose_issue
from newsletter.workflows.compose.edit_history import EditStep, count_steps, remember_step
from newsletter.workflows.compose.editing import (
    editable_files,
    edited_text,
    encoded,
    fixed_text,
    open_file,
    save_file,
    undo_edit,
    usable_fixes,
)
from newsletter.workflows.compose.form_fields import Control, every_field
from tests.workspaces import write_workspace

ROOT = Path(__file__).parents[3]
LETTER = "issues/2026-02/letter.md"
WALK = "---\ntitle: A walk   # short\nstarts: 2026-03-02 08:00\n---\nBring shoes.\n"
FILES = {
    "issues/2026-02/events/index.md": "---\ntitle: Events\n---\n",
    "issues/2026-02/events/walk.md": WALK,
    "issues/2026-02/.hidden.md": "x",
    "issues/2026-02/letter.html": "x",
    "issues/2026-02/deep/er/note.md": "x",
}


def workspace(root: Path, files: Mapping[str, str | bytes] | None = None) -> tuple[Config, Path]:
    """A workspace with these files, and the folder of its issue."""
    root = write_workspace(root / "w", {**FILES, **(files or {})})
    return load_config(root), root / "issues/2026-02"


def save(config: Config, folder: Path, shown: str, body: str, **values: str) -> None:
    """Save a file as a form does that was opened just now."""
    file = open_file(config, folder, shown)
    text = edited_text(file, {name.replace("__", "/"): [value] for name, value in values.items()}, body)
    save_file(config, folder, file, text, replaces=file.fingerprint)


def test_only_the_issues_own_texts_can_be_edited(tmp_path: Path) -> None:
    config, folder = workspace(tmp_path)
    assert list(editable_files(config, folder).values()) == [
        "issue.yaml",
        "letter.md",
        "events/index.md",
        "events/walk.md",
    ]
    for name in (
        *("letter.html", "../2026-01/letter.md", "../../newsletter.toml", "/etc/passwd", "issues/2026-02/../letter.md"),
        *("issues/2026-02/.hidden.md", "issues/2026-02/deep/er/note.md", "issues/2026-02/images", "letter.md", "", "."),
        *("issues/2026-02/letter.md\x00", "issues/2026-02//letter.md", "issues\\2026-02\\letter.md", "newsletter.toml"),
    ):
        with pytest.raises(InputError, match="there is no file"):
            open_file(config, folder, name)


def test_links_that_lead_elsewhere_are_neither_read_nor_written(tmp_path: Path) -> None:
    config, folder = workspace(tmp_path)
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.md").write_text("secret")
    (folder / "link.md").symlink_to(outside / "secret.md")
    (folder / "linked").symlink_to(outside)
    for name in ("link.md", "linked/secret.md"):
        with pytest.raises(InputError):
            open_file(config, folder, f"issues/2026-02/{name}")
    file = open_file(config, folder, LETTER)
    (folder / "letter.md").unlink()
    (folder / "letter.md").symlink_to(outside / "secret.md")
    with pytest.raises(InputError):
        save_file(config, folder, file, "new", replaces=file.fingerprint)
    assert (outside / "secret.md").read_text() == "secret"


@pytest.mark.parametrize(
    ("before", "text", "after"),
    [
        (b"a\r\nb\r\n", "a\nB\n", b"a\r\nB\r\n"),
        (b"\xef\xbb\xbfa\nb", "a\nb\nc", b"\xef\xbb\xbfa\nb\nc"),
        (b"a\rb\r", "a\nc\nb\n", b"a\rc\rb\r"),
        (b"a\r\nb\nc\r\nd\n\r\n", "a\nb\nX\nc\nd\n\n", b"a\r\nb\nX\r\nc\r\nd\n\r\n"),
        (b"", "new\n", b"new\n"),
        ("é\u2028ü\x85\n".encode(), "é\u2028ü\x85\nx\n", "é\u2028ü\x85\nx\n".encode()),
    ],
)
def test_line_endings_and_the_mark_at_the_beginning_stay(before: bytes, text: str, after: bytes) -> None:
    assert encoded(before, text) == after


def test_a_key_and_the_text_are_written_and_nothing_else(tmp_path: Path) -> None:
    content = b"\xef\xbb\xbf" + WALK.replace("\n", "\r\n").encode()
    config, folder = workspace(tmp_path, {"issues/2026-02/events/walk.md": content})
    save(config, folder, "issues/2026-02/events/walk.md", "Bring boots.\n", title="A long walk", location="Park")
    wanted = (
        WALK.replace("A walk", "A long walk").replace("08:00\n", "08:00\nlocation: Park\n").replace("shoes", "boots")
    )
    assert (folder / "events/walk.md").read_bytes() == b"\xef\xbb\xbf" + wanted.replace("\n", "\r\n").encode()


def test_a_form_that_changes_nothing_writes_nothing(tmp_path: Path) -> None:
    config, folder = workspace(tmp_path)
    for shown in editable_files(config, folder):
        path, file = config.root / shown, open_file(config, folder, shown)
        before = path.stat().st_mtime_ns, path.read_bytes()
        values = {field.name: field.values or [field.value] for field in every_field(file.fields)}
        save_file(config, folder, file, edited_text(file, values, file.body), replaces=file.fingerprint)
        assert (path.stat().st_mtime_ns, path.read_bytes()) == before
        assert count_steps(config, shown) == 0


def test_each_field_of_a_real_issue_changes_only_its_own_lines() -> None:
    config, folder = load_config(ROOT), ROOT / "issues/2026-02"
    for shown in editable_files(config, folder):
        file = open_file(config, folder, shown)
        for field in every_field(file.fields):
            for value in ("New: value # 1", ""):
                if field.control is not Control.CHOICES:
                    lines, old = edited_text(file, {field.name: [value]}, None).split("\n"), file.text.split("\n")
                    kept = SequenceMatcher(None, old, lines, autojunk=False).get_matching_blocks()
                    same = sum(block.size for block in kept)
                    assert (len(old) - same <= 3, len(lines) - same <= 3) == (True, True), (shown, field.name)


def test_a_file_without_settings_gets_them_with_the_first_key(tmp_path: Path) -> None:
    config, folder = workspace(tmp_path, {LETTER: "Just text.\n"})
    save(config, folder, LETTER, "Just text.\n", greeting="Hello,")
    assert (folder / "letter.md").read_text() == "---\ngreeting: Hello,\n---\nJust text.\n"


def test_unicode_names_are_found_in_both_spellings(tmp_path: Path) -> None:
    config, folder = workspace(tmp_path, {"issues/2026-02/caf\u00e9.md": "---\ntype: text\n---\nOld.\n"})
    for name in ("caf\u00e9", "cafe\u0301"):
        assert open_file(config, folder, f"issues/2026-02/{name}.md").body == "Old.\n"
    save(config, folder, "issues/2026-02/caf\u00e9.md", "New.\n")
    assert (folder / "caf\u00e9.md").read_text().endswith("New.\n")


def test_a_name_in_the_decomposed_spelling_is_read_and_never_doubled(tmp_path: Path) -> None:
    config, folder = workspace(tmp_path, {"issues/2026-02/cafe\u0301.md": "Old.\n"})
    file = open_file(config, folder, "issues/2026-02/caf\u00e9.md")
    assert (file.body, file.path.exists()) == ("Old.\n", True)
    with pytest.raises(InputError, match="another spelling of the same letters; rename that file first"):
        save_file(config, folder, file, "New.\n", replaces=file.fingerprint)
    assert file.path.read_text() == "Old.\n"
    assert len(list(folder.glob("caf*"))) == 1


def test_a_file_that_is_not_utf8_cannot_be_edited_and_stays(tmp_path: Path) -> None:
    for content in ("Grüße".encode("latin-1"), "Grüße".encode("utf-16")):
        config, folder = workspace(tmp_path, {LETTER: content})
        with pytest.raises(InputError, match="not UTF-8 text"):
            open_file(config, folder, LETTER)
        assert (folder / "letter.md").read_bytes() == content


@pytest.mark.parametrize(
    "top", ["---\ntitle: A: B\n---\n", "---\ngreeting: Hi\n\nText\n", "—\ngreeting: Hi\n—\n", "---\na: [\n---\n"]
)
def test_a_file_whose_settings_have_mistakes_can_be_edited_as_a_whole(tmp_path: Path, top: str) -> None:
    config, folder = workspace(tmp_path, {LETTER: f"{top}Text.\n"})
    file = open_file(config, folder, LETTER)
    assert (file.keys, file.body, file.fields) == (None, None, ())
    save_file(config, folder, file, "Mended.\n", replaces=file.fingerprint)
    assert (folder / "letter.md").read_text() == "Mended.\n"


def test_a_change_by_someone_else_is_never_overwritten(tmp_path: Path) -> None:
    config, folder = workspace(tmp_path)
    file = open_file(config, folder, LETTER)
    (folder / "letter.md").write_text("Theirs.\n")
    with pytest.raises(ConflictError):
        save_file(config, folder, file, "Mine.\n", replaces=file.fingerprint)
    (folder / "letter.md").unlink()
    with pytest.raises(ConflictError):
        save_file(config, folder, file, "Mine.\n", replaces=file.fingerprint)
    assert not (folder / "letter.md").exists()
    assert count_steps(config, LETTER) == 0


def test_edits_are_taken_back_one_by_one_until_the_first(tmp_path: Path) -> None:
    config, folder = workspace(tmp_path)
    first = (folder / "letter.md").read_bytes()
    for number in range(3):
        save(config, folder, LETTER, f"Text {number}.\n")
    config = load_config(config.root)  # as after a restart
    for number in (1, 0):
        assert undo_edit(config, folder, open_file(config, folder, LETTER))
        assert open_file(config, folder, LETTER).body == f"Text {number}.\n"
    assert undo_edit(config, folder, open_file(config, folder, LETTER))
    assert (folder / "letter.md").read_bytes() == first
    assert not undo_edit(config, folder, open_file(config, folder, LETTER))


def test_an_edit_is_not_taken_back_over_a_change_by_someone_else(tmp_path: Path) -> None:
    config, folder = workspace(tmp_path)
    save(config, folder, LETTER, "Mine.\n")
    (folder / "letter.md").write_text("Theirs.\n")
    with pytest.raises(ConflictError):
        undo_edit(config, folder, open_file(config, folder, LETTER))
    assert (folder / "letter.md").read_text() == "Theirs.\n"
    assert count_steps(config, LETTER) == 1


def test_what_is_kept_for_undo_is_private_bounded_and_not_for_git(tmp_path: Path) -> None:
    config, folder = workspace(tmp_path)
    for number in range(60):
        save(config, folder, LETTER, f"Text {number}.\n")
    kept = config.root / "build/.edits"
    assert count_steps(config, LETTER) == 50
    assert kept.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in kept.glob("*/*.step")} == {0o600}
    assert (kept / ".gitignore").read_text() == "*\n"
    for number in range(30):
        save(config, folder, LETTER, f"{number}" + "x" * 1_900_000)
    assert sum(path.stat().st_size for path in kept.glob("*/*.step")) <= 20_000_000


def test_steps_that_are_saved_at_the_same_moment_keep_apart(tmp_path: Path) -> None:
    config, _ = workspace(tmp_path)
    steps = [EditStep(before=b"%d" % number, after="") for number in range(40)]
    with ThreadPoolExecutor(8) as threads:
        paths = list(threads.map(lambda step: remember_step(config, LETTER, step), steps))
    assert len(set(paths)) == len(steps)
    assert count_steps(config, LETTER) == len(steps)


def test_a_damaged_step_is_passed_over(tmp_path: Path) -> None:
    config, folder = workspace(tmp_path)
    save(config, folder, LETTER, "One.\n")
    (step,) = (config.root / "build/.edits").glob("*/*.step")
    step.write_bytes(b"\xff\x00")
    assert not undo_edit(config, folder, open_file(config, folder, LETTER))


def test_a_full_disk_leaves_the_file_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config, folder = workspace(tmp_path)
    before = (folder / "letter.md").read_bytes()
    (config.root / "build/.edits").symlink_to("/dev/full")  # a folder that cannot be made
    with pytest.raises(InputError, match="Nothing was changed"):
        save(config, folder, LETTER, "New.\n")
    assert (folder / "letter.md").read_bytes() == before
    (config.root / "build/.edits").unlink()

    def full(descriptor: int) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(InputError, match="the disk is full"):
        save(config, folder, LETTER, "New.\n")
    assert (folder / "letter.md").read_bytes() == before
    assert [path.name for path in folder.iterdir() if path.name.startswith(".letter")] == []
    assert count_steps(config, LETTER) == 0


def test_a_read_only_file_is_left_alone_and_told_with_the_command(tmp_path: Path) -> None:
    config, folder = workspace(tmp_path)
    save(config, folder, LETTER, "Mine.\n")
    (folder / "letter.md").chmod(0o444)
    with pytest.raises(InputError, match=r"letter\.md is read-only; to allow changes, run: chmod u\+w issues/2026-02/"):
        save(config, folder, LETTER, "New.\n")
    with pytest.raises(InputError, match="is read-only"):
        undo_edit(config, folder, open_file(config, folder, LETTER))
    assert (folder / "letter.md").read_text().endswith("---\nMine.\n")


def test_permissions_of_a_file_stay(tmp_path: Path) -> None:
    config, folder = workspace(tmp_path)
    (folder / "letter.md").chmod(0o640)
    save(config, folder, LETTER, "New.\n")
    assert (folder / "letter.md").stat().st_mode & 0o777 == 0o640


def test_a_file_that_would_be_too_large_is_refused(tmp_path: Path) -> None:
    config, folder = workspace(tmp_path)
    with pytest.raises(InputError, match="the most is 2,000,000"):
        save(config, folder, LETTER, "x" * 2_000_001)


def test_the_fields_of_each_file_follow_its_model(tmp_path: Path) -> None:
    config, folder = workspace(tmp_path, {LETTER: "---\nsignature:\n  name: Ana\n  decorative: no\n---\n"})
    letter = {field.name: field for field in every_field(open_file(config, folder, LETTER).fields)}
    assert letter["signature/name"].value == "Ana"
    assert letter["signature/portrait"].control is Control.CHOICE
    assert (letter["signature/decorative"].control, letter["signature/decorative"].value) == (Control.YES, "")
    walk = {each.name: each for each in every_field(open_file(config, folder, "issues/2026-02/events/walk.md").fields)}
    assert (walk["starts"].control, walk["starts"].day, walk["starts"].time) == (Control.MOMENT, "2026-03-02", "08:00")
    assert walk["repeats"].choices == {"": "Not set", "weekly": "Weekly"}
    issue = {each.name: each for each in every_field(open_file(config, folder, "issues/2026-02/issue.yaml").fields)}
    assert issue["subject"].is_required
    assert issue["date"].control is Control.DATE
    assert "sections/0" not in issue


MISTAKES = {
    "tag": ("A <b>bold</b> word.", "A **bold** word."),
    "link with a space": ("A [link] (https://example.org/x).", "A [link](https://example.org/x)."),
    "address with a space": ("A [link](https://example.org/a b).", "A [link](https://example.org/a%20b)."),
    "highlight": ("So ==bright== it is.", "So **bright** it is."),
    "bold with spaces": ("It ** is ** so.", "It **is** so."),
    "one tilde": ("It is ~gone~ now.", "It is ~~gone~~ now."),
    "heading": ("##Heading", "## Heading"),
    "incomplete address": ("See <example.org/page>.", "See <https://example.org/page>."),
    "entity": ("A caf&eacute today.", "A café today."),
    "word in another encoding": ("Hello Weâ€™re here.", "Hello We’re here."),
    "invisible characters": ("A wo\u200b\u200brd.", "A word."),
}
KEY_MISTAKES = {
    "unknown key": ("greting: Hello", "greeting: Hello"),
    "colon": ("title: News: today", 'title: "News: today"'),
    "sign": ("title: @home", 'title: "@home"'),
    "no space": ("title:Home", "title: Home"),
    "equals": ("title = Home", "title: Home"),
    "curly quotes": ("title: “Home: sweet”", 'title: "Home: sweet"'),
}
DATES = {
    "dashes": ("starts: 20260302", "starts: 2026-03-02"),
    "words": ("starts: March 2, 2026", "starts: 2026-03-02"),
    "zone": ("starts: 2026-03-02 08:00\ntimezone: Berlin", "starts: 2026-03-02 08:00\ntimezone: Europe/Berlin"),
    "entity": ("link: { label: A, url: https://a.org/?b&amp;c }", "link: { label: A, url: https://a.org/?b&c }"),
}


@pytest.mark.parametrize(
    ("file", "written", "right"),
    [
        *(("letter.md", f"{wrong}\n", f"{right}\n") for wrong, right in MISTAKES.values()),
        *(
            ("letter.md", f"---\n{wrong}\n---\nx\n", f"---\n{right}\n---\nx\n")
            for wrong, right in KEY_MISTAKES.values()
        ),
        *(
            ("events/walk.md", f"---\ntitle: A\n{wrong}\n---\nx\n", f"---\ntitle: A\n{right}\n---\nx\n")
            for wrong, right in DATES.values()
        ),
        ("letter.md", "—\ntitle: A\n---\nx\n", "---\ntitle: A\n---\nx\n"),
    ],
)  # fmt: skip
def test_a_fix_puts_right_what_was_found_and_nothing_else(tmp_path: Path, file: str, written: str, right: str) -> None:
    issue = "subject: A small letter\npreheader: x\ntitle: T\ndate: 2026-02-19\nsections:\n  - letter\n  - events\n"
    config, folder = workspace(tmp_path, {f"issues/2026-02/{file}": written, "issues/2026-02/issue.yaml": issue})
    opened = open_file(config, folder, f"issues/2026-02/{file}")
    assert fix_all(config, folder, opened.text, opened.shown) == right


def fix_all(config: Config, folder: Path, text: str, shown: str) -> str:
    """The text after the first fix that can be made in a file."""
    try:
        problems: tuple[object, ...] = compose_issue(config, folder).findings
    except MistakesError as err:
        problems = err.mistakes
    usable = usable_fixes(config, folder, problems)  # type: ignore[arg-type]
    for problem in problems:
        fix: Fix | None = problem.fix  # type: ignore[attr-defined]
        place = str(problem.place)  # type: ignore[attr-defined]
        path, _, line = place.rpartition(":")
        if fix is not None and path == shown:
            assert (place, fix.key) in usable
            return fixed_text(open_file(config, folder, shown), int(line), fix)
    return text


def test_a_fix_whose_line_has_changed_is_not_made(tmp_path: Path) -> None:
    config, folder = workspace(tmp_path, {LETTER: "One\nTwo\n"})
    file = open_file(config, folder, LETTER)
    assert fixed_text(file, 2, Fix(old="Two", new="2")) == "One\n2\n"
    for line, old in ((1, "Two"), (2, "wo"), (9, "Two"), (0, "Two"), (2, "")):
        with pytest.raises(InputError, match="no longer contains"):
            fixed_text(file, line, Fix(old=old, new="2"))
