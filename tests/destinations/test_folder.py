"""A folder as a destination: the old site stands until the new one is complete, however publishing ends."""

import subprocess
import sys
from pathlib import Path

import pytest

from newsletter.destinations import folder as folder_module
from newsletter.destinations.addresses import open_destination
from newsletter.errors import DestinationError, InputError
from tests.destinations.places import files_in
from tests.destinations.sites import AFTER, NEW, OLD, files_of

TOP = Path(__file__).parents[2]


def publish(folder: Path, site: dict[str, bytes]) -> None:
    open_destination(str(folder), {}).publish(files_of(site), lambda _done, _total: None)


def site_in(folder: Path) -> dict[str, bytes]:
    return {path: content for path, content in files_in(folder).items() if not path.startswith(".newsletter")}


@pytest.mark.parametrize("how", ["kill", "fail"])
def test_at_each_call_of_the_system_the_site_is_the_old_one_or_the_new_one(how: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.destinations.killed_publishers", str(tmp_path), how]
    done = subprocess.run(command, cwd=TOP, capture_output=True, encoding="utf-8", check=True)
    lines = [line.split(maxsplit=3) for line in done.stdout.splitlines()]
    assert len(lines) > 40
    assert {state for _, _, state, _ in lines} == {"old", "new"}
    assert {end for *_, end in lines} == {"completed"}
    assert {code for _, code, *_ in lines} <= (
        {"9", "0"} if how == "kill" else {"8", "6", "0"}
    )  # 6: the failure did not matter


def test_a_drive_that_cannot_exchange_folders_gets_two_renames(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder_module, "_exchanged", lambda _new, _old: False)
    publish(tmp_path / "site", OLD)
    publish(tmp_path / "site", NEW)
    assert site_in(tmp_path / "site") == AFTER
    assert [path.name for path in tmp_path.iterdir()] == ["site"]


def test_a_site_that_was_moved_away_is_put_back(tmp_path: Path) -> None:
    publish(tmp_path / "site", OLD)
    work = tmp_path / ".site-publishing"
    work.mkdir()
    (tmp_path / "site").rename(work / "old")  # what two renames leave if the process is killed between them
    assert open_destination(str(tmp_path / "site"), {}).plan(files_of(OLD)).added == ()
    publish(tmp_path / "site", {path: content for path, content in NEW.items() if not path.startswith("i/")})
    assert (tmp_path / "site" / "i" / "aaa.png").read_bytes() == OLD["i/aaa.png"]
    assert [path.name for path in tmp_path.iterdir()] == ["site"]


def test_only_files_that_changed_are_written(tmp_path: Path) -> None:
    publish(tmp_path / "site", OLD)
    before = {path: (tmp_path / "site" / path).stat().st_ino for path in OLD}
    publish(tmp_path / "site", NEW)
    same = {path for path in NEW if before.get(path) == (tmp_path / "site" / path).stat().st_ino}
    assert same == {path for path in NEW if NEW[path] == OLD.get(path)}


def test_folders_links_and_permissions_of_others_stay_and_our_empty_folders_go(tmp_path: Path) -> None:
    site = tmp_path / "site"
    publish(site, OLD)
    (site / "inbox").mkdir(mode=0o750)
    (site / "latest").symlink_to("2026-02")
    (site / "news.html").symlink_to("index.html")
    (site / "index.html").chmod(0o640)
    publish(site, NEW)
    assert (site / "inbox").stat().st_mode & 0o777 == 0o750
    assert str((site / "latest").readlink()) == "2026-02"
    assert str((site / "news.html").readlink()) == "index.html"
    assert not (site / "2026-01").exists()


def test_a_link_to_the_folder_keeps_leading_to_it(tmp_path: Path) -> None:
    (tmp_path / "linked").symlink_to("real")
    publish(tmp_path / "real", OLD)
    publish(tmp_path / "linked", NEW)
    assert str((tmp_path / "linked").readlink()) == "real"
    assert site_in(tmp_path / "real") == AFTER


def test_another_process_that_publishes_is_waited_for(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from newsletter.destinations.folder import FolderPlace\n"
        "with FolderPlace(Path(sys.argv[1])).alone(): print('in', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "site")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=TOP) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"in\n"
        with pytest.raises(DestinationError, match=r"another process is publishing to .*; wait until it has ended"):
            publish(tmp_path / "site", OLD)
        other.kill()
    publish(tmp_path / "site", OLD)
    assert site_in(tmp_path / "site") == OLD


def test_a_folder_that_cannot_be_written_is_explained(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="is a file, not a folder"):
        publish(tmp_path / "file" / "site", OLD)
    with pytest.raises(InputError, match="file"):
        publish(tmp_path / "file", OLD)
