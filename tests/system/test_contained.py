"""Files are read and replaced below one folder, and nowhere else."""

import os
import threading
from collections.abc import Callable
from pathlib import Path
from unicodedata import normalize

import pytest

from newsletter.errors import ConflictError, InputError
from newsletter.system.contained import NOTHING, fingerprint_of, list_below, plain_parts, read_below, write_below

MOST = 1_000


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder with a letter, beside a file that no name may reach."""
    (tmp_path / "secret.txt").write_text("secret")
    root = tmp_path / "root"
    (root / "issue").mkdir(parents=True)
    (root / "issue" / "letter.md").write_text("old")
    return root


def write(root: Path, name: str, content: str, *, replaces: str = NOTHING) -> None:
    write_below(root, name, content.encode(), replaces=replaces, most_bytes=MOST)


def read(root: Path, name: str) -> str:
    return read_below(root, name, most_bytes=MOST).decode()


def everything_in(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


HOSTILE = [
    *(
        "",
        ".",
        "..",
        "/",
        "//",
        "./issue/letter.md",
        "issue/../issue/letter.md",
        "../secret.txt",
        "issue/../../secret.txt",
    ),
    *("/etc/passwd", "issue//letter.md", "issue/letter.md/", "~/letter.md/..", "C:\\secret.txt", "C:secret.txt"),
    *("issue\\letter.md", "..\\secret.txt", "issue/letter.md:stream", "issue/.hidden.md", ".git/config", "issue/x."),
    *("issue/x ", "issue/ x", "issue/CON", "issue/nul.md", "issue/Aux.tar.md", "issue/com1.md", "issue/COM¹.md"),
    *("issue/a\x00.md", "issue/a\n.md", "issue/a\u202e.md", "issue/a\u200b.md", "issue/a\ud800.md", "issue/a\u00a0.md"),
    *("\uff0e\uff0e/secret.txt", "\u2025/secret.txt", "issue\uff0fletter.md", "issue/\uff0e\uff0e\uff0fsecret.txt"),
    *(
        "issue/a\ufe55b.md",
        "issue/" + "x" * 201 + ".md",
        "issue/" + "é" * 101,
        "a/" * 50 + "x.md",
        "issue/*.md",
        "issue/?",
    ),
]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_that_could_lead_elsewhere_is_refused(root: Path, name: str) -> None:
    before = everything_in(root.parent)
    for deed in (read, lambda root, name: write(root, name, "new"), list_below):
        with pytest.raises(InputError):
            deed(root, name)
    assert everything_in(root.parent) == before


@pytest.mark.parametrize(
    "name", ["letter.md", "2026-02/über uns (2).md", "a/b/c/d & e, f+g.md", "_x/news-1.png", "日本/手紙.md"]
)
def test_plain_names_are_taken(name: str) -> None:
    assert "/".join(plain_parts(name)) == normalize("NFC", name)


def test_a_file_is_replaced_by_those_who_know_what_it_was(root: Path) -> None:
    (root / "issue" / "letter.md").chmod(0o640)
    write(root, "issue/letter.md", "new", replaces=fingerprint_of(b"old"))
    assert read(root, "issue/letter.md") == "new"
    assert (root / "issue" / "letter.md").stat().st_mode & 0o777 == 0o640
    assert [entry.name for entry in list_below(root, "issue")] == ["letter.md"]


@pytest.mark.parametrize(
    ("replaces", "what"),
    [(NOTHING, "already exists"), (fingerprint_of(b"older"), "was changed"), ("x", "was changed")],
)
def test_a_file_that_is_another_by_now_is_not_replaced(root: Path, replaces: str, what: str) -> None:
    with pytest.raises(ConflictError, match=what):
        write(root, "issue/letter.md", "new", replaces=replaces)
    assert everything_in(root) == {"issue/letter.md": b"old"}


def test_a_file_that_was_deleted_is_not_created_again(root: Path) -> None:
    with pytest.raises(ConflictError, match="no longer exists"):
        write(root, "issue/gone.md", "new", replaces=fingerprint_of(b"old"))
    assert everything_in(root) == {"issue/letter.md": b"old"}


def test_a_new_file_may_need_one_new_folder_but_not_two(root: Path) -> None:
    write(root, "issue/images/new.png", "new")
    assert read(root, "issue/images/new.png") == "new"
    with pytest.raises(InputError, match="there is no folder issue/a/"):
        write(root, "issue/a/b/new.png", "new")


def link_to_secret(root: Path) -> str:
    (root / "issue" / "link.md").symlink_to(root.parent / "secret.txt")
    return "issue/link.md"


def link_to_nothing(root: Path) -> str:
    (root / "issue" / "link.md").symlink_to(root.parent / "new.txt")
    return "issue/link.md"


def folder_that_is_a_link(root: Path) -> str:
    (root / "linked").symlink_to(root.parent)
    return "linked/secret.txt"


def pipe(root: Path) -> str:
    os.mkfifo(root / "issue" / "pipe.md")
    return "issue/pipe.md"


def folder(root: Path) -> str:
    (root / "issue" / "folder.md").mkdir()
    return "issue/folder.md"


def large(root: Path) -> str:
    (root / "issue" / "large.md").write_bytes(b"x" * (MOST + 1))
    return "issue/large.md"


@pytest.mark.parametrize("made", [link_to_secret, link_to_nothing, folder_that_is_a_link, pipe, folder, large])
def test_what_is_no_small_file_is_neither_read_nor_replaced(root: Path, made: Callable[[Path], str]) -> None:
    name = made(root)
    kept = everything_in(root.parent)
    for replaces in (NOTHING, fingerprint_of(b"secret")):
        with pytest.raises(InputError):
            write(root, name, "new", replaces=replaces)
    with pytest.raises(InputError):
        read(root, name)
    assert everything_in(root.parent) == kept
    assert "link" not in str(list_below(root, "issue"))


def test_content_has_a_largest_size(root: Path) -> None:
    with pytest.raises(InputError, match="1,001 bytes; the most is 1,000"):
        write(root, "issue/new.md", "x" * (MOST + 1))


@pytest.mark.parametrize("name", ["Letter.md", "LETTER.MD", "le\u0074\u0074er.mD", "letter\u017f.md", "lettﬀer.md"])
def test_no_name_is_written_that_some_drive_takes_for_another(root: Path, name: str) -> None:
    (root / "issue" / "letters.md").write_text("old")
    (root / "issue" / "lettffer.md").write_text("old")
    before = everything_in(root)
    with pytest.raises(InputError, match="some drives take for the same"):
        write(root, f"issue/{name}", "new")
    with pytest.raises(InputError):
        read(root, f"issue/{name}")
    assert everything_in(root) == before


def test_a_name_is_found_in_either_spelling_of_its_letters(root: Path) -> None:
    (root / "issue" / normalize("NFD", "über.md")).write_text("old")
    assert read(root, "issue/über.md") == "old"
    with pytest.raises(InputError, match="another spelling"):
        write(root, "issue/über.md", "new", replaces=fingerprint_of(b"old"))


def test_a_folder_that_becomes_a_link_leads_nowhere(root: Path) -> None:
    """Another program swaps the folder for a link, again and again, while files are written into it."""
    outside, inside = root.parent / "outside" / "inner", root / "swapped" / "inner"
    for folder in (outside, inside):
        folder.mkdir(parents=True)
    (root / "link").symlink_to(outside.parent)
    is_over = threading.Event()

    def swap() -> None:
        while not is_over.is_set():
            (root / "swapped").rename(root / "real")
            (root / "link").rename(root / "swapped")
            (root / "swapped").rename(root / "link")
            (root / "real").rename(root / "swapped")

    swapping = threading.Thread(target=swap)
    swapping.start()
    written = 0
    try:
        for number in range(300):
            try:
                write(root, f"swapped/inner/{number}.md", "new")
                written += 1
            except InputError:
                pass
    finally:
        is_over.set()
        swapping.join()
    assert not list(outside.iterdir())
    assert len(list(inside.iterdir())) == written


def test_of_many_writers_none_loses_a_change(root: Path) -> None:
    """Eight threads each add ten lines. After a conflict, a thread reads again. So all lines are there at the end."""

    def add_lines(number: int) -> None:
        for line in range(10):
            while True:
                old = read(root, "issue/letter.md")
                try:
                    write(root, "issue/letter.md", f"{old}{number}-{line}\n", replaces=fingerprint_of(old.encode()))
                    break
                except ConflictError:
                    continue

    threads = [threading.Thread(target=add_lines, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(read(root, "issue/letter.md").split())) == 80
    assert list((root / "issue").iterdir()) == [root / "issue" / "letter.md"]
