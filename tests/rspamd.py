"""A real rspamd that judges an email on this machine, without network: from Debian's package, as it comes."""

import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from socket import AF_UNIX, SOCK_STREAM, socket

import pytest

_UNPACKED = Path(__file__).parents[1] / "build" / "rspamd"  # scripts/unpack-rspamd
_START_SECONDS = 120  # it compiles ten thousand names of top-level domains first
# A mail server that received the email would tell who handed it over. A server without a name costs points.
_HANDED_OVER_BY = {"Hostname": "mail.example.org"}
_OF_ANOTHER_DAY = {"DATE_IN_PAST", "DATE_IN_FUTURE"}  # the email has the date of its issue


class Rspamd:
    """A running rspamd, reached by its socket."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def symbols(self, message: bytes) -> Mapping[str, float]:
        """The rules that an email sets off, with their points."""
        connection = _UnixConnection(self._path)
        connection.request("POST", "/checkv2", body=message, headers=_HANDED_OVER_BY)
        told = json.loads(connection.getresponse().read())
        connection.close()
        scores = {name: symbol["score"] for name, symbol in told["symbols"].items()}
        return {name: score for name, score in scores.items() if score and name not in _OF_ANOTHER_DAY}


class _UnixConnection(HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=60)
        self._path = path

    def connect(self) -> None:
        self.sock = socket(AF_UNIX, SOCK_STREAM)
        self.sock.settimeout(60)
        self.sock.connect(str(self._path))


@contextmanager
def running_rspamd() -> Iterator[Rspamd]:
    """Start it in a folder of its own, which is deleted afterwards. Skip the test if there is no rspamd."""
    root = _UNPACKED if (_UNPACKED / "usr/bin/rspamd").is_file() else Path("/")
    program = str(_UNPACKED / "usr/bin/rspamd") if root == _UNPACKED else shutil.which("rspamd")
    if program is None:
        reason = "no rspamd on this machine; run scripts/unpack-rspamd"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    with tempfile.TemporaryDirectory(prefix="newsletter-rspamd-", dir="/tmp") as folder:
        home = Path(folder)
        command = [program, "--no-fork", "--insecure", "--config", str(root / "etc/rspamd/rspamd.conf")]
        command += [f"--var={name}={path}" for name, path in _write_settings(home, root).items()]
        libraries = ":".join(map(str, (root / "usr/lib/rspamd", *root.glob("usr/lib/*-linux-gnu"))))
        with (home / "out").open("wb") as out:
            process = subprocess.Popen(
                command, stdout=out, stderr=out, env={**os.environ, "LD_LIBRARY_PATH": libraries}
            )
        try:
            yield Rspamd(_answering(home / "normal.sock", process, home / "out"))
        finally:
            process.terminate()
            process.wait(timeout=30)


def _write_settings(home: Path, root: Path) -> Mapping[str, Path]:
    """What differs from the package's own settings: nothing leaves the machine, and sockets are in our folder."""
    override = home / "override.d"
    override.mkdir()
    settings = {
        "options.inc": 'dns { nameserver = ["127.0.0.1:9"]; timeout = 0.1s; retransmits = 1; }',
        "worker-normal.inc": f'bind_socket = "{home}/normal.sock"; count = 1;',
        "worker-controller.inc": f'bind_socket = "{home}/controller.sock"; count = 1;',
        "worker-proxy.inc": "enabled = false;",
        "worker-fuzzy.inc": "enabled = false;",
        "fuzzy_check.conf": "enabled = false;",
    }
    for name, text in settings.items():
        (override / name).write_text(f"{text}\n")
    share = root / "usr/share/rspamd"
    return {
        "CONFDIR": root / "etc/rspamd",
        "LOCAL_CONFDIR": home,
        "DBDIR": home,
        "RUNDIR": home,
        "LOGDIR": home,
        "SHAREDIR": share,
        "RULESDIR": share / "rules",
        "LUALIBDIR": share / "lualib",
        "PLUGINSDIR": share / "plugins",
        "WWWDIR": share / "www",
    }


def _answering(path: Path, process: subprocess.Popen[bytes], out: Path) -> Path:
    for _ in range(_START_SECONDS * 10):
        if process.poll() is not None:
            break
        try:
            with socket(AF_UNIX, SOCK_STREAM) as trial:
                trial.connect(str(path))
                return path
        except OSError:
            time.sleep(0.1)
    raise AssertionError(f"rspamd does not answer: {out.read_text(errors='replace')[-2000:]}")
