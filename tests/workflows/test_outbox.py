"""The outbox is listed, searched and opened, whatever lies in its folder."""

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from newsletter.config import Config, load_config
from newsletter.workflows import outbox
from newsletter.workflows.outbox import FoundMail, OutboxShelf, open_file
from tests.workspaces import write_workspace

MAIL = (
    "To: {to}\r\nSubject: {subject}\r\nContent-Type: multipart/alternative; boundary=x\r\n\r\n"
    "--x\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n"
    "--x\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>{text}</p>\r\n--x--\r\n"
)


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return load_config(write_workspace(tmp_path / "workspace"))


@pytest.fixture
def save(config: Config) -> Callable[..., Path]:
    def saved(to: str, *, folder: str = "b1-x", subject: str = "A letter", text: str = "Words.", at: int = 1) -> Path:
        path = config.root / "outbox" / folder / f"{to}-{at}.eml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(MAIL.format(to=f"Someone <{to}>", subject=subject, text=text))
        os.utime(path, ns=(at, at * 10**9))
        return path

    return saved


def search(shelf: OutboxShelf, config: Config, words: str) -> FoundMail:
    """What a search finds when everything is read."""
    found = shelf.page(config, search=words, first=0, count=50)
    while shelf.is_reading:
        time.sleep(0.01)
    return shelf.page(config, search=words, first=0, count=50) if found.searched < found.total else found


def recipients(found: FoundMail) -> list[str]:
    return [line.to.partition("<")[2].rstrip(">") for _, line in found.mails]


def test_the_newest_come_first_page_by_page(config: Config, save: Callable[..., Path]) -> None:
    for number in range(1, 8):
        save(f"p{number}@example.org", at=number, folder=f"b{number % 2}-x")
    shelf = OutboxShelf()
    assert recipients(shelf.page(config, search="", first=0, count=3)) == [f"p{n}@example.org" for n in (7, 6, 5)]
    last = shelf.page(config, search="", first=6, count=3)
    assert recipients(last) == ["p1@example.org"]
    assert last.count == 7


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("ana@example.org", ["ana@example.org"]),
        ("ANA", ["ana@example.org"]),
        ("river", ["leo@example.org"]),
        ("letter", ["leo@example.org", "ana@example.org"]),
        ("letter river", ["leo@example.org"]),
        ("ana river", []),
        ("<p>", []),
        ("Ärger", ["leo@example.org"]),
    ],
)
def test_a_search_finds_recipients_subjects_and_words(
    config: Config, save: Callable[..., Path], words: str, found: list[str]
) -> None:
    save("ana@example.org", at=1)
    save("leo@example.org", at=2, text="Of the river, and of ärger.")
    assert recipients(search(OutboxShelf(), config, words)) == found


def test_new_and_deleted_files_are_noticed(config: Config, save: Callable[..., Path]) -> None:
    shelf = OutboxShelf()
    first = save("ana@example.org", at=1)
    assert recipients(search(shelf, config, "letter")) == ["ana@example.org"]
    save("leo@example.org", at=2)
    assert recipients(search(shelf, config, "letter")) == ["leo@example.org", "ana@example.org"]
    first.unlink()
    assert recipients(search(shelf, config, "letter")) == ["leo@example.org"]


def test_a_folder_is_listed_again_only_if_it_changed(
    config: Config, save: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = save("ana@example.org").parent
    os.utime(folder, ns=(1, 1))
    shelf = OutboxShelf()
    (before,) = shelf.files(config)
    monkeypatch.setattr(outbox, "_files", lambda *_: pytest.fail("listed again"))
    assert shelf.files(config) == [before]


def test_links_and_what_is_no_file_are_not_shown(config: Config, save: Callable[..., Path], tmp_path: Path) -> None:
    saved = save("ana@example.org")
    secret = tmp_path / "secret.eml"
    secret.write_text(MAIL.format(to="secret@example.org", subject="s", text="t"))
    (saved.parent / "link.eml").symlink_to(secret)
    (saved.parent / "folder.eml").mkdir()
    (saved.parent / "notes.txt").write_text("no email")
    (saved.parent / ".hidden.eml").write_text("a file being written")
    (config.root / "outbox/elsewhere").symlink_to(tmp_path)
    if sys.platform != "win32":
        os.mkfifo(saved.parent / "pipe.eml")
    assert recipients(search(OutboxShelf(), config, "")) == ["ana@example.org"]


def test_a_file_that_becomes_a_link_is_not_opened(config: Config, save: Callable[..., Path], tmp_path: Path) -> None:
    saved = save("ana@example.org")
    shelf = OutboxShelf()
    (file,) = shelf.files(config)
    assert open_file(config, file) is not None
    saved.rename(tmp_path / "moved.eml")
    saved.symlink_to(tmp_path / "moved.eml")
    assert open_file(config, file) is None


def test_a_folder_that_becomes_a_link_is_not_opened(config: Config, save: Callable[..., Path], tmp_path: Path) -> None:
    saved = save("ana@example.org")
    (file,) = OutboxShelf().files(config)
    saved.parent.rename(tmp_path / "moved")
    saved.parent.symlink_to(tmp_path / "moved")
    assert open_file(config, file) is None


def test_a_key_says_nothing_about_the_recipient(config: Config, save: Callable[..., Path]) -> None:
    save("ana@example.org")
    (one,), (other,) = OutboxShelf().files(config), OutboxShelf().files(config)
    assert one.key != other.key  # each start has a secret of its own
    assert len(one.key) == 32


@pytest.mark.parametrize("key", ["", "../secret", "0" * 32, "b1-x/ana@example.org-1.eml", "\0"])
def test_only_keys_of_listed_files_are_found(config: Config, save: Callable[..., Path], key: str) -> None:
    save("ana@example.org")
    assert OutboxShelf().find(config, key) is None


def test_a_huge_file_is_read_up_to_a_limit(
    config: Config, save: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = save("ana@example.org", text="first words")
    with path.open("ab") as file:
        file.truncate(5 * 1024**3)  # a hole; it takes no room on the disk
    monkeypatch.setattr(outbox, "LARGEST_MAIL_BYTES", 100_000)
    (file_,) = OutboxShelf().files(config)
    mail = open_file(config, file_)
    assert mail is not None
    assert mail.text.strip() == "first words"
    assert recipients(search(OutboxShelf(), config, "first")) == ["ana@example.org"]


def test_broken_files_are_listed_and_searched(config: Config, save: Callable[..., Path]) -> None:
    path = save("ana@example.org")
    for number, content in enumerate(
        (b"", b"\0\xff", b"Subject: \xff\xfe", b"Content-Type: multipart/mixed; boundary=x")
    ):
        (path.parent / f"broken{number}.eml").write_bytes(content)
    (path.parent / "name\udcff.eml").write_bytes(b"Subject: odd name\n\nwords")
    shelf = OutboxShelf()
    assert search(shelf, config, "").count == 6
    assert search(shelf, config, "odd").count == 1


def test_reading_ends_with_the_studio(config: Config, save: Callable[..., Path]) -> None:
    for number in range(30):
        save(f"p{number}@example.org", at=number + 1)
    shelf = OutboxShelf()
    shelf.page(config, search="letter", first=0, count=5)
    shelf.end()
    assert not shelf.is_reading
    shelf.page(config, search="other", first=0, count=5)
    assert not shelf.is_reading
