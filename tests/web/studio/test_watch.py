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


def link(path: Path, target: Path) -> None:
    """Move a file or folder elsewhere, and leave a link in its place."""
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.move(path, target)
    path.symlink_to(target)


def save(path: Path) -> Callable[[], frozenset[Path]]:
    """Save a file as an editor does that follows the link and puts a new file in the place of the old."""

    def saved() -> frozenset[Path]:
        target = path.resolve()
        target.with_name("new.tmp").write_text("two")
        target.with_name("new.tmp").rename(target)
        return frozenset({path})

    return saved


@pytest.mark.parametrize("name", ["newsletter.toml", "issues/one/letter.md"])
def test_a_file_behind_a_link_is_followed(name: str, wanted: Wanted, tmp_path: Path) -> None:
    path = tmp_path.resolve() / name
    link(path, tmp_path / "shared/texts" / path.name)

    watch(wanted, save(path), save(path))


def test_a_file_behind_a_link_to_a_link_is_followed_and_so_is_the_second_link(wanted: Wanted, tmp_path: Path) -> None:
    path, second = tmp_path.resolve() / "issues/one/letter.md", tmp_path / "drafts/newest.md"
    link(path, second)
    link(second, tmp_path / "shared/march.md")

    def turn() -> frozenset[Path]:
        (tmp_path / "shared/april.md").write_text("April")
        second.with_name("turned.tmp").symlink_to("../shared/april.md")
        second.with_name("turned.tmp").rename(second)
        return frozenset({path})

    watch(wanted, save(path), turn, settle, save(path))


def test_a_link_that_is_new_is_followed(wanted: Wanted, tmp_path: Path) -> None:
    path = tmp_path.resolve() / "issues/one/events.md"
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared/events.md").write_text("one")

    def make() -> frozenset[Path]:
        path.symlink_to(tmp_path / "shared/events.md")
        return frozenset({path})

    watch(wanted, make, settle, save(path))


def test_an_issue_behind_a_link_is_followed(wanted: Wanted, tmp_path: Path) -> None:
    folder = tmp_path.resolve() / "issues/one"
    link(folder, tmp_path / "shared/one")

    def write() -> frozenset[Path]:
        (tmp_path / "shared/one/letter.md").write_text("two")
        return frozenset({folder, folder / "letter.md"})

    watch(wanted, write, write)


def test_links_in_a_circle_hold_nothing_up(wanted: Wanted, tmp_path: Path) -> None:
    for name, target in (("a.md", "b.md"), ("b.md", "a.md")):
        (tmp_path / "issues/one" / name).symlink_to(target)

    watch(wanted, save(tmp_path.resolve() / "issues/one/letter.md"))


def test_a_file_is_told_whose_folders_came_later(wanted: Wanted, tmp_path: Path) -> None:
    logo = tmp_path.resolve() / "brand/light/logo.png"

    def create() -> frozenset[Path]:
        logo.parent.mkdir(parents=True)
        logo.write_text("one")
        return frozenset({logo, logo.parent, logo.parent.parent})

    def begin_again() -> frozenset[Path]:
        return frozenset()  # the watching has begun again, now in the new folders

    def write() -> frozenset[Path]:
        logo.write_text("two")
        return frozenset({logo})

    watch(Wanted(wanted.watched_files | {logo}, wanted.watched_folders), create, begin_again, write)
