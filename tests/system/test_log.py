"""The log of a command: one line is one sentence with its facts, even if others write too or a value is odd."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from newsletter.errors import ProviderError
from newsletter.system import log as log_module
from newsletter.system.log import command_log

_WRITE_MANY = """
import sys
from pathlib import Path
from newsletter.system import log
log._LARGEST_BYTES, log._OLDER_FILES = 20_000, 50
with log.command_log(Path(sys.argv[1]), "worker") as write:
    for number in range(300):
        write(f"line {number} of {sys.argv[2]}", writer=sys.argv[2], number=number)
"""


def lines(*files: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for file in files for line in file.read_text(encoding="utf-8").splitlines()]


def test_a_line_is_a_sentence_and_its_facts(tmp_path: Path) -> None:
    told: list[str] = []
    with command_log(tmp_path, "worker", tell=told.append) as log:
        log("broadcast 3 begins: “300\nwaiting”", broadcast=3, reason="", state=None)

    started, begins, ended = lines(tmp_path / "logs" / "worker.log")
    assert (started["what"], ended["what"]) == ("started", "ended")
    assert begins.pop("at").endswith("+00:00")
    assert begins == {"process": os.getpid(), "what": "broadcast 3 begins: “300\nwaiting”", "broadcast": 3}
    assert told == ["broadcast 3 begins: “300\nwaiting”"]


def test_no_line_commands_the_terminal_that_shows_it(tmp_path: Path) -> None:
    said = "the server said \x1b[31mno\x9b0m \u202eevil"
    with command_log(tmp_path, "worker") as log:
        log(said)

    path = tmp_path / "logs" / "worker.log"
    assert not {"\x1b", "\x9b", "\u202e"} & set(path.read_text(encoding="utf-8"))
    assert lines(path)[1]["what"] == said


def test_neither_addresses_nor_secrets_are_written_or_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SENDGRID_API_KEY", "SG.hush")
    told: list[str] = []
    with command_log(tmp_path, "worker", tell=told.append) as log:
        log("refused <ana@example.org> with SG.hush", reason="ana@example.org is unknown")

    written = (tmp_path / "logs" / "worker.log").read_text(encoding="utf-8")
    assert "refused <a***@example.org> with •••" in written
    assert "a***@example.org is unknown" in written
    assert "SG.hush" not in written
    assert told == ["refused <a***@example.org> with •••"]


def test_how_a_command_ended_is_written(tmp_path: Path) -> None:
    with pytest.raises(ProviderError), command_log(tmp_path, "run-due"):
        raise ProviderError("the key was refused")
    with pytest.raises(KeyError), command_log(tmp_path, "run-due"):
        raise KeyError("a name on the list")

    ends = [line for line in lines(tmp_path / "logs" / "run-due.log") if line["what"] == "ended early"]
    assert [(line["error"], line.get("reason")) for line in ends] == [
        ("ProviderError", "the key was refused"),
        ("KeyError", None),
    ]


def test_only_the_owner_reads_it_and_old_lines_are_dropped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_module, "_LARGEST_BYTES", 2000)
    with command_log(tmp_path, "worker") as log:
        for number in range(300):
            log(f"line {number}")

    files = sorted((tmp_path / "logs").iterdir())
    assert [file.name for file in files] == ["worker.log", *(f"worker.log.{age}" for age in range(1, 5))]
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}
    assert (tmp_path / "logs").stat().st_mode & 0o777 == 0o700
    assert max(file.stat().st_size for file in files) < 2000
    assert lines(files[0])[-1]["what"] == "ended"


def test_processes_that_write_at_the_same_time_lose_and_mix_nothing(tmp_path: Path) -> None:
    writers = [
        subprocess.Popen([sys.executable, "-c", _WRITE_MANY, str(tmp_path), name]) for name in ("one", "two", "three")
    ]
    assert [writer.wait(60) for writer in writers] == [0, 0, 0]

    files = list((tmp_path / "logs").iterdir())
    assert len(files) > 3
    found = [(line["writer"], line["number"]) for line in lines(*files) if "writer" in line]
    assert sorted(found) == sorted((name, number) for name in ("one", "two", "three") for number in range(300))


@pytest.mark.parametrize("in_the_way", ["logs", "logs/worker.log/folder", "full"])
def test_a_log_that_cannot_be_written_stops_nothing(
    tmp_path: Path, in_the_way: str, capfd: pytest.CaptureFixture[str]
) -> None:
    if in_the_way == "full":
        (tmp_path / "logs").mkdir()
        (tmp_path / "logs" / "worker.log").symlink_to("/dev/full")
    else:
        (tmp_path / in_the_way).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / in_the_way).touch()
    told: list[str] = []
    with command_log(tmp_path, "worker", tell=told.append) as log:
        log("handed over")
    assert told == ["handed over"]
    assert capfd.readouterr() == ("", "")
