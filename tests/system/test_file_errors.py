"""What an error of the operating system about a file means, and what to do about it."""

import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from newsletter.system.file_errors import explained, machine_trouble, place_trouble


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def failure(act: Callable[[], object]) -> OSError:
    with pytest.raises(OSError) as caught:  # noqa: PT011 - each case has an errno of its own
        act()
    return caught.value


def test_a_missing_folder_is_named_and_is_to_be_created(here: Path) -> None:
    path = Path("exports/2026/list.csv")

    assert explained(failure(lambda: path.write_text("")), path).what == "there is no folder exports/2026/"
    assert explained(failure(lambda: path.write_text("")), path).remedy == "create it, or save to another folder"
    assert explained(failure(lambda: path.write_text("")), path, elsewhere="").remedy == "create it"


def test_a_missing_file_is_named_with_its_folder(here: Path) -> None:
    path = Path("list.csv")

    assert explained(failure(path.read_bytes), path, deed="read").what == f"there is no file list.csv in {here}/"


def test_a_file_in_place_of_a_folder_is_named_and_the_reverse(here: Path) -> None:
    Path("build").write_text("")
    Path("list.csv").mkdir()
    inside, folder = Path("build/2026-02/email.html"), Path("list.csv")

    assert explained(failure(inside.read_bytes), inside).what == "build is a file, not a folder"
    assert explained(failure(Path("build").mkdir), Path("build")).what == "build is a file, not a folder"
    assert explained(failure(lambda: folder.write_text("")), folder).what == "list.csv is a folder, not a file"


@pytest.mark.parametrize(
    ("deed", "what"),
    [
        ("saved", "you do not have permission to save files in exports/"),
        ("deleted", "you do not have permission to delete files in exports/"),
        ("read", "you do not have permission to read exports/list.csv"),
    ],
)
def test_missing_permission_names_the_folder_that_lacks_it(here: Path, deed: str, what: str) -> None:
    Path("exports").mkdir()

    assert (
        explained(PermissionError(errno.EACCES, "Permission denied"), Path("exports/list.csv"), deed=deed).what == what
    )


def test_the_owner_of_a_folder_is_given_the_command_and_others_are_told_whom_to_ask(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (here / "my exports").mkdir()
    denied, path = PermissionError(errno.EACCES, "Permission denied"), Path("my exports/list.csv")

    assert explained(denied, path, elsewhere="").remedy == "run: chmod u+wx 'my exports/'"
    monkeypatch.setattr(os, "geteuid", lambda: here.stat().st_uid + 1)
    assert explained(denied, path, elsewhere="").remedy.endswith("access to my exports/")


@pytest.mark.parametrize(
    ("number", "what"),
    [
        (errno.ENOSPC, "the disk is full, so list.csv cannot be saved"),
        (errno.EROFS, "list.csv is on a read-only disk, so it cannot be saved"),
        (errno.ENAMETOOLONG, "the name list.csv… is too long"),
        (errno.ETXTBSY, "list.csv cannot be saved (Text file busy)"),
    ],
)
def test_other_errors_name_the_file(here: Path, number: int, what: str) -> None:
    assert explained(OSError(number, os.strerror(number)), Path("list.csv")).what == what


def test_of_several_files_the_first_is_named(here: Path) -> None:
    Path("issue").mkdir()
    Path("issue/link").symlink_to("nowhere")
    error = failure(lambda: shutil.copytree("issue", "copy"))

    assert explained(error, Path("copy"), deed="copied").what.startswith("issue/link cannot be copied (")


def test_paths_are_shown_as_the_caller_shows_them(here: Path) -> None:
    error = failure((here / "none" / "list.csv").read_bytes)

    fault = explained(error, here / "none" / "list.csv", shown=lambda path: str(path.relative_to(here)))

    assert fault.what == "there is no folder none/"


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "the disk is full"),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), "the disk is full"),
        (OSError(errno.ENOLCK, "No locks available"), "locks"),
        (MemoryError(), "memory"),
    ],
)
def test_what_a_machine_lacks_is_told(error: Exception, words: str) -> None:
    assert words in (machine_trouble(error) or "")


@pytest.mark.parametrize("error", [None, KeyError("a"), OSError("odd"), PermissionError(errno.EACCES, "denied")])
def test_other_errors_are_not_blamed_on_the_machine(error: Exception | None) -> None:
    assert machine_trouble(error) is None


def test_a_place_that_an_error_names_is_told(here: Path) -> None:
    long = Path("a" * 300)

    told = place_trouble(failure(long.read_bytes))

    assert told == f"the name {'a' * 40}… is too long; choose a shorter name"
    denied = PermissionError(errno.EACCES, "Permission denied", "exports/list.csv")
    Path("exports").mkdir()
    assert (place_trouble(denied) or "").startswith("you do not have permission to save files in exports/; ")


@pytest.mark.parametrize("error", [KeyError("a"), OSError("odd"), FileNotFoundError(errno.ENOENT, "none", "list.csv")])
def test_an_error_that_we_should_have_foreseen_is_not_blamed_on_a_place(here: Path, error: Exception) -> None:
    assert place_trouble(error) is None


def test_a_current_folder_that_is_gone_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    assert "no longer exists" in (place_trouble(failure(Path.cwd)) or "")
