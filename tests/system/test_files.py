"""Files and folders appear whole or not at all, for those who may read them."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from newsletter.errors import InputError
from newsletter.system.files import PRIVATE, private_file, synchronize, whole_folder, write_shared, write_whole


@pytest.fixture(autouse=True)
def usual_umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_takes_the_place_of_the_earlier_one_with_permissions_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "table.json"
    write_whole(path, b"old", permissions=PRIVATE)
    assert mode(path) == 0o600
    write_whole(path, b"new")
    assert (path.read_bytes(), mode(path), names(tmp_path)) == (b"new", 0o644, ["table.json"])


def test_nothing_is_left_of_a_file_that_cannot_have_its_name(tmp_path: Path) -> None:
    (tmp_path / "taken" / "inside").mkdir(parents=True)
    with pytest.raises(OSError, match="taken"):
        write_whole(tmp_path / "taken", b"new")
    with pytest.raises(InputError, match="taken is a folder, not a file; "):
        write_shared(tmp_path / "taken", b"new")
    assert names(tmp_path) == ["taken"]


def test_a_private_file_that_was_not_finished_leaves_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text("old")
    with pytest.raises(UnicodeEncodeError), private_file(path, overwrite=True) as file:
        file.write("new, and a half sign: \ud800")
    assert (path.read_text(), names(tmp_path)) == ("old", ["list.csv"])


def test_a_private_file_never_replaces_one_that_appeared_meanwhile(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    with pytest.raises(InputError, match="already exists"), private_file(path, overwrite=False):
        path.write_text("theirs")
    assert (path.read_text(), names(tmp_path)) == ("theirs", ["list.csv"])


def test_line_ends_of_a_private_file_are_those_that_were_written(tmp_path: Path) -> None:
    with private_file(tmp_path / "list.csv", overwrite=False) as file:
        file.write("Zoë\r\nBo\n")
    assert (tmp_path / "list.csv").read_bytes() == "Zoë\r\nBo\n".encode()
    assert mode(tmp_path / "list.csv") == 0o600


def test_a_folder_takes_the_place_of_the_earlier_one(tmp_path: Path) -> None:
    for word in ("old", "new"):
        with whole_folder(tmp_path / "2026-02", overwrite=True) as folder:
            (folder / word).write_text(word)
    assert (names(tmp_path / "2026-02"), names(tmp_path)) == (["new"], ["2026-02"])
    assert mode(tmp_path / "2026-02") == 0o755


def test_a_folder_that_was_not_finished_leaves_the_old_one(tmp_path: Path) -> None:
    with whole_folder(tmp_path / "2026-02") as folder:
        (folder / "old").touch()
    with pytest.raises(ValueError, match="half way"), whole_folder(tmp_path / "2026-02", overwrite=True):
        raise ValueError("half way")
    assert (names(tmp_path / "2026-02"), names(tmp_path)) == (["old"], ["2026-02"])


def test_a_folder_that_is_not_to_be_replaced_stays(tmp_path: Path) -> None:
    (tmp_path / "2026-02").mkdir()
    (tmp_path / "2026-02" / "old").touch()
    with pytest.raises(OSError, match="not empty"), whole_folder(tmp_path / "2026-02") as folder:
        (folder / "new").touch()
    assert (names(tmp_path / "2026-02"), names(tmp_path)) == (["old"], ["2026-02"])


def test_only_a_folder_can_be_synchronized(tmp_path: Path) -> None:
    synchronize(tmp_path)
    with pytest.raises(FileNotFoundError):
        synchronize(tmp_path / "missing")
