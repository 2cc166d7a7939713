"""The sheet's requests: what they write, and everything that they refuse."""

import html
import re
import stat
from collections.abc import Mapping
from pathlib import Path

import httpx
import pytest
from starlette.testclient import TestClient

from newsletter.config import Config
from newsletter.system.contained import fingerprint_of
from newsletter.web.studio.application import studio_app

LETTER = "issues/2026-02/letter.md"
ORIGIN = "http://127.0.0.1:8025"
OURS = {"Origin": ORIGIN, "Sec-Fetch-Site": "same-origin"}
SCRIPT = "<script>alert('x')</script>\"'&"
TRICKS = (
    *("../2026-01/letter.md", "../../newsletter.toml", "/etc/passwd", "issues/2026-02/../2026-01/letter.md:1"),
    *(
        "issues/2026-01/letter.md",
        "newsletter.toml",
        "templates/email.mjml.j2",
        "letter.md",
        "",
        ".",
        "..",
        "\x00",
        "a" * 9000,
    ),
    *(
        "issues/2026-02/images/field.png",
        "issues\\2026-02\\letter.md",
        "file:///etc/passwd",
        "issues/2026-02/letter.md/",
    ),
    *("issues/2026-02/letter.md%00", "issues/2026-02/./letter.md", "issues/2026-02//letter.md", SCRIPT),
)


class Editor:
    """A browser that edits the issue in the studio's sheet."""

    def __init__(self, config: Config, folder: Path) -> None:
        self.folder = folder
        self.client = TestClient(studio_app(config, folder), base_url=ORIGIN, follow_redirects=True)
        found = re.search(r'name="token" value="([^"]+)"', self.client.get("/2026-02/edit?at=" + LETTER).text)
        assert found is not None
        self.token = found[1]

    def sheet(self, at: str = LETTER, **query: str) -> httpx.Response:
        """The sheet at a place."""
        return self.client.get("/2026-02/edit", params={"at": at, **query})

    def post(self, path: str, fields: Mapping[str, str], headers: Mapping[str, str] = OURS) -> httpx.Response:
        """Submit one of the forms, with the token."""
        return self.client.post(f"/2026-02/{path}", data={"token": self.token, **fields}, headers=headers)

    def undo(self) -> httpx.Response:
        """Press Undo on the sheet as it is opened now."""
        return self.post("undo", {"at": LETTER, "was": self.fingerprint})

    @property
    def fingerprint(self) -> str:
        """That of the letter, as the sheet's forms contain it."""
        return fingerprint_of((self.folder / "letter.md").read_bytes())

    def upload(self, name: str, content: bytes, headers: Mapping[str, str] = OURS) -> httpx.Response:
        """Upload an image, as the script does."""
        headers = {"Studio-Token": self.token, **headers}
        return self.client.post("/2026-02/images", params={"name": name}, content=content, headers=headers)

    def save(self, at: str = LETTER, **fields: str) -> httpx.Response:
        """Submit the form of the sheet, as it is opened now, with some of its fields changed."""
        page = self.sheet(at).text
        values = {
            html.unescape(name): html.unescape(value)
            for name, value in re.findall(r'<input[^>]*? name="([^"]+)"[^>]*? value="([^"]*)"', page)
            if not name.endswith(("decorative", "weekdays"))
        }
        for name, value in re.findall(r'<textarea[^>]*? name="([^"]+)"[^>]*>\n(.*?)</textarea>', page, re.DOTALL):
            values[name] = html.unescape(value)
        return self.post("edit", {**values, **{name.replace("__", ":", 1): value for name, value in fields.items()}})

    @property
    def letter(self) -> str:
        """The letter on the disk."""
        return (self.folder / "letter.md").read_text()


@pytest.fixture
def editor(config: Config, issue_folder: Path) -> Editor:
    """A browser on a studio that has just been started."""
    return Editor(config, issue_folder)


def files_of(root: Path) -> dict[str, bytes]:
    """The content of every file of a workspace, without what builds leave."""
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and "build" not in path.relative_to(root).parts
    }


def test_the_sheet_shows_the_text_and_the_keys_in_words(editor: Editor) -> None:
    page = editor.sheet(f"{LETTER}:4").text
    assert 'data-first-line="4"' in page
    assert "This is a small letter, with [a page about it]" in page
    assert re.search(
        r'<label for="key-greeting">Greeting</label>\s*<input id="key-greeting" name="key:greeting" value="Dear', page
    )
    assert '<option value="images/field.png">images/field.png</option>' in page


def test_a_saved_text_and_key_are_in_the_file_and_the_rest_stays(editor: Editor) -> None:
    before = editor.letter
    answer = editor.save(body="New text.\r\nSecond line.", key__signature__name="")
    assert answer.status_code == 200
    assert "Saved." in answer.text
    assert editor.letter == before.split("---\nThis")[0] + "---\nNew text.\nSecond line."
    answer = editor.save(**{"key__signature/name": "Ana: Lima", "key__title": "# 1"})
    assert 'signature:\n  name: "Ana: Lima"\n' in editor.letter
    assert 'title: "# 1"\n' in editor.letter


def test_the_keys_of_the_issue_and_of_an_item_are_saved(editor: Editor) -> None:
    (editor.folder / "events").mkdir()
    (editor.folder / "events/index.md").write_text("---\ntitle: Events\n---\n")
    (editor.folder / "events/walk.md").write_text("---\ntitle: A walk\nstarts: 2026-03-02 08:00 # early\n---\n")
    editor.save("issues/2026-02/issue.yaml", key__subject="Other words", key__date="2026-02-20")
    issue = (editor.folder / "issue.yaml").read_text()
    assert "subject: Other words\n" in issue
    assert "date: 2026-02-20\nsections:\n  - letter\n  - section: teaching\n    only: teachers\n" in issue
    walk = "issues/2026-02/events/walk.md"
    editor.save(walk, **{"key__starts:day": "2026-03-03", "key__starts:time": "09:30", "key__timezone": "Europe/Paris"})
    assert (editor.folder / "events/walk.md").read_text() == (
        "---\ntitle: A walk\nstarts: 2026-03-03 09:30 # early\ntimezone: Europe/Paris\n---\n"
    )
    editor.save(walk, **{"key__starts:day": "", "key__starts:time": ""})
    assert "starts" not in (editor.folder / "events/walk.md").read_text()


def test_a_conflict_shows_both_versions_and_writes_nothing(editor: Editor) -> None:
    page = editor.sheet().text
    was = re.search(r'name="was" value="([^"]+)"', page)
    base = re.search(r'<textarea name="base"[^>]*>\n(.*?)</textarea>', page, re.DOTALL)
    assert was is not None
    assert base is not None
    theirs = editor.letter.replace("small letter", "letter of <b>theirs</b>")
    (editor.folder / "letter.md").write_text(theirs)
    fields = {"at": LETTER, "was": was[1], "base": html.unescape(base[1]), "body": "My text.", "key:shown": "1"}
    answer = editor.post("edit", {**fields, "key:greeting": "My greeting,"})
    assert answer.status_code == 409
    assert editor.letter == theirs
    assert "greeting: My greeting,\n---\nMy text.</textarea>" in answer.text
    assert "<mark>This is a letter of &lt;b&gt;theirs&lt;/b&gt;, with" in answer.text
    assert "Both versions are below" in answer.text

    mine = "---\ngreeting: My greeting,\n---\nMy text."
    answer = editor.post("edit", {"at": LETTER, "was": fingerprint_of(theirs.encode()), "text": mine})
    assert answer.status_code == 200
    assert editor.letter == mine
    editor.undo()
    assert editor.letter == theirs


def test_the_text_for_a_deleted_file_is_shown_to_be_copied(editor: Editor) -> None:
    (editor.folder / "letter.md").unlink()
    answer = editor.post("edit", {"at": LETTER, "was": "x", "body": f"My text. {SCRIPT}"})
    assert answer.status_code == 404
    assert "There is no file issues/2026-02/letter.md in this issue" in answer.text
    assert f"My text. {html.escape(SCRIPT)}".replace("&#x27;", "&#39;").replace("&quot;", "&#34;") in answer.text


def test_undo_goes_back_step_by_step_after_a_restart(editor: Editor, config: Config, issue_folder: Path) -> None:
    before = editor.letter
    for words in ("One.", "Two.", "Three."):
        editor.save(body=words)
    again = Editor(config, issue_folder)
    for words in ("Two.", "One."):
        assert "The last change was undone." in again.undo().text
        assert again.letter.endswith(words)
    again.undo()
    assert again.letter == before
    assert "There is no change to undo." in again.undo().text
    assert again.letter == before


def test_undo_never_overwrites_a_change_by_someone_else(editor: Editor) -> None:
    editor.save(body="Mine.")
    (editor.folder / "letter.md").write_text("Theirs.")
    answer = editor.undo()
    assert answer.status_code == 409
    assert "was changed elsewhere after your" in answer.text
    assert editor.letter == "Theirs."


def test_undo_pressed_twice_takes_back_one_change(editor: Editor) -> None:
    for words in ("One.", "Two."):
        editor.save(body=words)
    form = {"at": LETTER, "was": editor.fingerprint}
    assert "The last change was undone." in editor.post("undo", form).text
    again = editor.post("undo", form)
    assert again.status_code == 409
    assert "The file has changed in the meantime" in again.text
    assert editor.letter.endswith("One.")


def test_a_fix_is_previewed_then_made_and_can_be_taken_back(editor: Editor) -> None:
    (editor.folder / "letter.md").write_text("Some <b>bold</b> & ==bright== words.\n")
    page = editor.client.get("/2026-02/").text
    links = [html.unescape(each) for each in re.findall(r'href="(fix\?[^"]+)"', page)]
    assert len(links) == 2
    preview = editor.client.get(f"/2026-02/{links[0]}").text
    assert (
        "Some <del>&lt;b&gt;bold&lt;/b&gt;</del> &amp; ==bright== words." in preview
        or "<ins>**bright**</ins>" in preview
    )
    key, was = re.search(r'name="fix" value="(\w+)"', preview), re.search(r'name="was" value="(\w+)"', preview)
    assert key is not None
    assert was is not None
    answer = editor.post("fix", {"at": f"{LETTER}:1", "fix": key[1], "was": was[1]})
    assert "Changed and saved." in answer.text
    assert editor.letter in {"Some **bold** & ==bright== words.\n", "Some <b>bold</b> & **bright** words.\n"}
    editor.undo()
    assert editor.letter == "Some <b>bold</b> & ==bright== words.\n"


def test_a_fix_that_no_problem_has_or_whose_file_has_changed_is_refused(editor: Editor) -> None:
    (editor.folder / "letter.md").write_text("Some <b>bold</b> words.\n")
    key = re.search(r"fix=(\w+)", editor.client.get("/2026-02/").text)
    assert key is not None
    assert editor.post("fix", {"at": f"{LETTER}:1", "fix": "0" * 12, "was": "x"}).status_code == 404
    assert editor.post("fix", {"at": f"{LETTER}:1", "fix": key[1], "was": "x"}).status_code == 409
    assert editor.letter == "Some <b>bold</b> words.\n"


def test_an_image_lands_in_the_issue_and_its_name_is_the_answer(editor: Editor) -> None:
    content = (editor.folder / "images/field.png").read_bytes()
    assert editor.upload("My photo.JPG", content).text == "images/my-photo.png"
    assert (editor.folder / "images/my-photo.png").read_bytes() == content
    for name in TRICKS:
        answer = editor.upload(name, content)
        assert answer.status_code == 200
        assert re.fullmatch(r"images/[a-z0-9-]+\.png", answer.text)
    assert editor.upload("x.png", b"<html>").status_code == 422
    assert {path.name for path in editor.folder.iterdir()} == {"issue.yaml", "letter.md", "teaching.md", "images"}


def test_script_in_every_field_is_text_everywhere(editor: Editor) -> None:
    keys = [name for name in re.findall(r'name="(key:[^"]+)"', editor.sheet().text) if "decorative" not in name]
    answer = editor.save(body=SCRIPT, **{name.replace(":", "__", 1): SCRIPT for name in keys if name != "key:shown"})
    assert answer.status_code in {200, 422}
    for path in ("/2026-02/", f"/2026-02/edit?at={LETTER}", f"/2026-02/edit?at={LETTER}&whole=1", "/2026-02/edit"):
        assert "<script>alert" not in editor.client.get(path).text
    for name in ("at", "was", "base", "text", "fix", "done", "whole", "key:title"):
        for path in ("edit", "undo", "fix", "editor"):
            query = {"at": LETTER, name: SCRIPT}
            for each in (editor.post(path, query), editor.client.get(f"/2026-02/{path}", params=query)):
                is_page = each.headers["content-type"].startswith("text/html")  # other answers are plain text
                assert not is_page or "<script>alert" not in each.text


@pytest.mark.parametrize("trick", TRICKS)
def test_no_place_leads_out_of_the_issue(editor: Editor, workspace: Path, trick: str) -> None:
    before = files_of(workspace)
    assert editor.sheet(trick).status_code == 404
    for path in ("edit", "undo", "fix", "editor"):
        fields = {"at": trick, "was": "", "text": "stolen", "fix": trick, "key:title": trick}
        assert editor.post(path, fields).status_code == 404
    assert files_of(workspace) == before


@pytest.mark.parametrize("issue", ["2026-03", "..", "%2e%2e", "2026-02%2f..", "-", SCRIPT])
def test_no_issue_leads_out_of_the_workspace(editor: Editor, workspace: Path, issue: str) -> None:
    before = files_of(workspace)
    for path in ("edit", "undo", "fix", "editor", "images"):
        headers = {**OURS, "Studio-Token": editor.token}
        answer = editor.client.post(f"/{issue}/{path}", params={"at": LETTER}, data={"at": LETTER}, headers=headers)
        assert answer.status_code in {404, 405}
    assert files_of(workspace) == before


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"},
        {"Origin": "null", "Sec-Fetch-Site": "same-origin"},
        {"Origin": ORIGIN, "Sec-Fetch-Site": "same-site"},
        {"Origin": "http://127.0.0.1:9000"},
        {},
    ],
)
def test_other_websites_can_submit_nothing(editor: Editor, workspace: Path, headers: dict[str, str]) -> None:
    before = files_of(workspace)
    for path in ("edit", "undo", "fix", "editor"):
        assert editor.post(path, {"at": LETTER, "text": "stolen"}, headers=headers).status_code == 403
    assert editor.upload("x.png", before["issues/2026-02/images/field.png"], headers=headers).status_code == 403
    assert files_of(workspace) == before


@pytest.mark.parametrize("token", ["", "x", "\u00e9"])
def test_a_forged_token_submits_nothing(editor: Editor, workspace: Path, token: str) -> None:
    before = files_of(workspace)
    for path in ("edit", "undo", "fix", "editor"):
        assert editor.post(path, {"at": LETTER, "text": "stolen", "token": token}).status_code == 403
    headers = {**OURS, "Studio-Token": token.encode("ascii", "replace").decode()}
    content = before["issues/2026-02/images/field.png"]
    answer = editor.client.post("/2026-02/images", params={"name": "x"}, content=content, headers=headers)
    assert answer.status_code == 403
    assert files_of(workspace) == before


def test_a_body_that_is_too_large_is_refused(editor: Editor, workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = files_of(workspace)
    assert editor.post("edit", {"at": LETTER, "text": "x" * 8_000_001}).status_code == 413
    assert editor.save(body="x" * 2_000_001).status_code == 422
    monkeypatch.setattr("newsletter.web.studio.same_origin.MOST_BYTES", 1000)
    assert editor.upload("x.png", b"x" * 1001).status_code == 413
    assert files_of(workspace) == before


def test_a_read_only_file_is_told_and_the_text_is_kept_on_the_page(editor: Editor) -> None:
    (editor.folder / "letter.md").chmod(0o444)
    answer = editor.save(body="My text.")
    assert answer.status_code == 422
    assert "letter.md is read-only" in answer.text
    assert "My text.</textarea>" in answer.text
    assert stat.S_IMODE((editor.folder / "letter.md").stat().st_mode) == 0o444


def test_a_terminal_editor_is_told_with_the_place_to_copy(editor: Editor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VISUAL", "vim")
    answer = editor.post("editor", {"at": f"{LETTER}:4"})
    assert answer.status_code == 422
    assert "runs in a terminal, so a page cannot open it" in answer.text
    assert f"{LETTER}:4" in answer.text


def test_the_editor_is_opened_at_the_line(editor: Editor, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = tmp_path / "code"
    program.write_text(f'#!/bin/sh\necho "$@" > "{tmp_path}/said"\n')
    program.chmod(0o755)
    monkeypatch.setenv("VISUAL", str(program))
    assert "Opened in your editor." in editor.post("editor", {"at": f"{LETTER}:4"}).text
    assert (tmp_path / "said").read_text() == f"--goto {editor.folder / 'letter.md'}:4\n"


def test_every_block_is_listed_with_its_place(editor: Editor) -> None:
    page = editor.client.get("/2026-02/edit").text
    assert 'href="edit?at=issues/2026-02/letter.md%3A4">This is a small letter, with a page about it.</a>' in page
    assert "Words for teachers alone." in page


def test_files_are_listed_as_the_email_has_them_and_translations_below_their_original(editor: Editor) -> None:
    issue, letter = editor.folder / "issue.yaml", editor.folder / "letter.md"
    (editor.folder / "a-note.md").write_text("---\ntype: text\n---\nThe second section.\n")
    (editor.folder / "zebra.md").write_text("---\ntype: text\n---\nThe first section.\n")
    (editor.folder / "aside.md").write_text("No section shows this.\n")
    (editor.folder / "letter.es.md").write_text(letter.read_text())
    issue.write_text(issue.read_text().replace("sections:", "sections:\n  - zebra").rstrip() + "\n  - a-note\n")
    page = editor.client.get("/2026-02/edit").text
    places = [page.index(f">{name}</a>") for name in ("issue.yaml", "zebra.md", "letter.md", "letter.es.md")]
    places += [page.index(f">{name}</a>") for name in ("a-note.md", "aside.md")]
    assert places == sorted(places)
    assert '>letter.es.md</a> <span class="quiet">Spanish</span>' in page
    assert "<h2>A letter for {{ first_name" in page
