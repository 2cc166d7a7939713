"""Covers are drawn once for each content, kept within bounds, and drawn again when a file changes."""

import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from newsletter.config import Config, load_config
from newsletter.errors import CannotRunError
from newsletter.workflows.compose import covers
from newsletter.workflows.compose.covers import Cover, Covers
from tests.workspaces import ISSUE, write_workspace

FILES: dict[str, str | bytes] = {
    "issues/2026-01/issue.yaml": ISSUE.replace("small letter", "older letter"),
    "issues/2026-01/letter.md": "An older letter.\n",
}


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return load_config(write_workspace(tmp_path, FILES))


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The issues whose covers were drawn; what a browser draws is tested in `test_shelf_in_browser.py`."""
    names: list[str] = []

    def draw(composed: Sequence[covers._Composed]) -> Iterator[tuple[str, bytes]]:
        for each in composed:
            names.append(each.issue)
            yield each.issue, b"a picture"

    monkeypatch.setattr(covers, "_drawn", draw)
    return names


def folders(config: Config) -> dict[str, Path]:
    return {name: config.root / "issues" / name for name in ("2026-02", "2026-01")}


def settled(shelf: Covers, config: Config) -> dict[str, Cover]:
    """What is known when everything is composed and drawn."""
    shelf.known(config, folders(config))
    while shelf.is_drawing:
        time.sleep(0.01)
    return dict(shelf.known(config, folders(config)))


def test_nothing_is_known_at_first_and_everything_a_moment_later(config: Config, drawn: list[str]) -> None:
    shelf = Covers()
    assert shelf.known(config, folders(config)) == {}
    found = settled(shelf, config)
    assert {name: cover.is_drawn for name, cover in found.items()} == {"2026-02": True, "2026-01": True}
    assert drawn == ["2026-02", "2026-01"]
    assert shelf.picture(config, found["2026-02"].content_hash) == b"a picture"


def test_another_start_draws_nothing_again(config: Config, drawn: list[str]) -> None:
    found = settled(Covers(), config)
    assert Covers().known(config, folders(config)) == found
    assert len(drawn) == 2


@pytest.mark.parametrize("name", ["issues/2026-01/letter.md", "issues/2026-01/another.md"])
def test_only_an_issue_whose_files_changed_is_composed_again(config: Config, drawn: list[str], name: str) -> None:
    shelf = Covers()
    settled(shelf, config)
    (config.root / name).write_text("Other words, and more of them.\n")
    assert set(shelf.known(config, folders(config))) == {"2026-02"}
    settled(shelf, config)
    assert drawn[2:] == (["2026-01"] if name.endswith("letter.md") else [])


def test_a_changed_setting_concerns_every_issue(config: Config, drawn: list[str]) -> None:
    shelf = Covers()
    settled(shelf, config)
    path = config.root / "newsletter.toml"
    path.write_text(path.read_text().replace("Small Letter", "Large Letter"))
    assert shelf.known(load_config(config.root), folders(config)) == {}
    settled(shelf, load_config(config.root))
    assert len(drawn) == 4


def test_an_issue_with_mistakes_has_no_cover_and_stops_no_other(config: Config, drawn: list[str]) -> None:
    (config.root / "issues/2026-02/issue.yaml").write_text("subject: [\n")
    found = settled(Covers(), config)
    assert (found["2026-02"].content_hash, found["2026-02"].is_drawn) == ("", False)
    assert found["2026-01"].is_drawn


def test_without_a_browser_the_contents_are_known_nevertheless(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise CannotRunError("no browser was found; install Chromium")

    monkeypatch.setattr(covers, "_drawn", fail)
    shelf = Covers()
    found = settled(shelf, config)
    assert all(cover.content_hash and not cover.is_drawn for cover in found.values())
    assert shelf.why_not_drawn == "no browser was found; install Chromium"
    assert not shelf.is_drawing


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"2026-02": {"made_from": 1}}'])
def test_a_damaged_index_is_made_anew(config: Config, drawn: list[str], content: bytes) -> None:
    settled(Covers(), config)
    (config.root / "build/.covers/index.json").write_bytes(content)
    assert len(settled(Covers(), config)) == 2


def test_the_oldest_covers_are_deleted(config: Config, drawn: list[str]) -> None:
    folder = config.root / "build/.covers"
    folder.mkdir(parents=True)
    for number in range(450):
        path = folder / f"{number:064x}.jpg"
        path.write_bytes(b"old")
        os.utime(path, ns=(number, number))
    found = settled(Covers(), config)
    left = {path.stem for path in folder.glob("*.jpg")}
    assert len(left) == 400
    assert {cover.content_hash for cover in found.values()} <= left


def test_drawing_ends_with_the_studio(config: Config, drawn: list[str]) -> None:
    shelf = Covers()
    shelf.known(config, folders(config))
    shelf.end()
    assert not shelf.is_drawing
    shelf.known(config, folders(config))
    assert not shelf.is_drawing
