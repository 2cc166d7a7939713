"""A real OpenSSH server on loopback, with keys of its own: from Debian's package, unpacked and not installed."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

_UNPACKED = Path(__file__).parents[1] / "build" / "openssh"  # scripts/unpack-openssh
_NOBODY = 65534
USER = "publisher"
_SETTINGS = """\
ListenAddress 127.0.0.1
Port {port}
HostKey {home}/host
AuthorizedKeysFile {home}/client.pub
StrictModes no
UsePAM no
PidFile none
Subsystem sftp internal-sftp
"""


@dataclass(frozen=True, kw_only=True)
class SshServer:
    """A server that runs, and the folder in which its user may write."""

    port: int
    folder: Path
    key: Path  # with which its user may log in
    host_key: str  # as a line of a file of known hosts


@contextmanager
def running_openssh() -> Iterator[SshServer]:
    """Start a server in a folder of its own, which is deleted afterwards. Skip the test if there is none."""
    sshd, keygen = _program("usr/sbin/sshd"), _program("usr/bin/ssh-keygen")
    libraries = [str(path) for path in _UNPACKED.glob("usr/lib/*-linux-gnu")]
    wrapper = next(_UNPACKED.glob("usr/lib/*-linux-gnu/libnss_wrapper.so"), None)
    if sshd is None or keygen is None or (os.geteuid() == 0 and wrapper is None):
        reason = "no OpenSSH server on this machine; run scripts/unpack-openssh"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    with tempfile.TemporaryDirectory(prefix="newsletter-ssh-", dir="/tmp") as name:
        home = Path(name)
        for each in ("host", "client"):
            subprocess.run([keygen, "-q", "-t", "ed25519", "-N", "", "-f", home / each], check=True)
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        folder = home / "served"
        folder.mkdir()
        (home / "settings").write_text(_SETTINGS.format(port=port, home=home))
        # A server that runs as root needs a user and a folder of its own on the machine. As another user it does not.
        user = _NOBODY if os.geteuid() == 0 else os.geteuid()
        (home / "passwd").write_text(f"{USER}:x:{user}:{user}::{folder}:/bin/sh\n")
        (home / "group").write_text(f"{USER}:x:{user}:\n")
        environ = {**os.environ, "LD_LIBRARY_PATH": ":".join(libraries)}
        if wrapper is not None:
            environ |= {
                "LD_PRELOAD": str(wrapper),
                "NSS_WRAPPER_PASSWD": str(home / "passwd"),
                "NSS_WRAPPER_GROUP": str(home / "group"),
            }
        if os.geteuid() == 0:
            home.chmod(0o755)
            for each in (home / "host", folder):
                os.chown(each, user, user)
        with (home / "out").open("wb") as out:
            command = [sshd, "-D", "-e", "-f", str(home / "settings")]
            rights = {"user": user, "group": user, "extra_groups": []} if os.geteuid() == 0 else {}
            process = subprocess.Popen(command, stdout=out, stderr=out, env=environ, **rights)  # type: ignore[call-overload]
        try:
            _wait_for(port, process, home / "out")
            kind, key = (home / "host.pub").read_text().split()[:2]
            yield SshServer(
                port=port, folder=folder, key=home / "client", host_key=f"[127.0.0.1]:{port} {kind} {key}\n"
            )
        finally:
            process.terminate()
            process.wait(timeout=30)


def _program(path: str) -> str | None:
    if (_UNPACKED / path).is_file():
        return str(_UNPACKED / path)
    return shutil.which(Path(path).name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


def _wait_for(port: int, process: subprocess.Popen[bytes], out: Path) -> None:
    for _ in range(200):
        if process.poll() is not None:
            break
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    pytest.fail(f"the OpenSSH server does not start: {out.read_text()}")
