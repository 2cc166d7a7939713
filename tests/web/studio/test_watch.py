"""Every way in which a file can change is noticed."""

import asyncio
import shutil
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

import pytest

from newsletter.web.studio.watch import watch_workspace

PATIENCE_SECONDS = 20


@dataclass(frozen=True, slots=True)
class Wanted:
    watched_files: frozenset[Path]
    watched_folders: frozenset[Path]


@pytest.fixture
def wanted(tmp_path: Path) -> Wanted:
    root = tmp_path.resolve()
    (root / "issues/one").mkdir(parents=True)
    (root / "issues/one/letter.md").write_text("one")
    (root / "newsletter.toml").write_text("one")
    return Wanted(frozenset({root / "newsletter.toml"}), frozenset({root / "issues", root / "templates"}))


def watch(wanted: Wanted, *edits: Callable[[], frozenset[Path]]) -> None:
    """Makes each edit, and waits until a path that it answers with has been told."""

    async def scenario() -> None:
        told: asyncio.Queue[frozenset[Path]] = asyncio.Queue()

        async def note(paths: Collection[Path]) -> None:
            await told.put(frozenset(paths))

        task = asyncio.create_task(watch_workspace(wanted, note))
        assert await told.get() == frozenset()  # the watching has begun
        for edit in edits:
            expected = edit()
            async with asyncio.timeout(PATIENCE_SECONDS):
                while (paths := await told.get()) != expected and not paths & expected:
                    pass
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(scenario())


def test_a_written_file_is_told(wanted: Wanted, tmp_path: Path) -> None:
    def write() -> frozenset[Path]:
        path = tmp_path / "issues/one/letter.md"
        path.write_text("two")
        return frozenset({path})

    watch(wanted, write)


def test_a_file_put_in_the_place_of_another_is_told_each_time(wanted: Wanted, tmp_path: Path) -> None:
    def replace() -> frozenset[Path]:
        path = tmp_path / "newsletter.toml"
        (tmp_path / "new.tmp").write_text("two")
        (tmp_path / "new.tmp").rename(path)
        return frozenset({path})

    watch(wanted, replace, replace)


def test_a_folder_may_go_and_come_again(wanted: Wanted, tmp_path: Path) -> None:
    issues = tmp_path / "issues"

    def leave() -> frozenset[Path]:
        shutil.move(issues, tmp_path / "elsewhere")
        return frozenset({issues})

    def come() -> frozenset[Path]:
        shutil.move(tmp_path / "elsewhere", issues)
        return frozenset({issues})

    def write() -> frozenset[Path]:
        (issues / "one/letter.md").write_text("two")
        return frozenset({issues / "one/letter.md"})

    watch(wanted, leave, come, settle, write)


def test_a_folder_that_is_new_is_followed(wanted: Wanted, tmp_path: Path) -> None:
    def make() -> frozenset[Path]:
        (tmp_path / "templates").mkdir()
        return frozenset({tmp_path / "templates"})

    def write() -> frozenset[Path]:
        path = tmp_path / "templates/author.css.j2"
        path.write_text("p {}")
        return frozenset({path})

    watch(wanted, make, settle, write)


def settle() -> frozenset[Path]:
    """No edit: the test waits for the message that watching has started again."""
    return frozenset()
