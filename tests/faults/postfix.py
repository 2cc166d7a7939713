"""A real Postfix: Debian's package unpacked and not installed, with a configuration, a queue and ports of its own.

It takes email on loopback and passes all of it on to one place on loopback, so nothing leaves the machine. Postfix
starts only as root: its processes then become users that every Debian system has.
"""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

_UNPACKED = Path(__file__).parents[2] / "build/postfix/unpacked/usr/lib/postfix"
_INSTALLED = Path("/usr/lib/postfix")
# Postfix demands an owner of its queue that owns nothing else.
_OWNER, _GROUP, _OTHER = "daemon", "mail", "nobody"
_QUEUES = ("active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming", "saved", "trace")
_UNSENT = ("incoming", "active", "deferred", "maildrop")
_SERVICES = """
{port}     inet  n - n - -  smtpd
cleanup    unix  n - n - 0  cleanup
qmgr       unix  n - n 1 1  qmgr
rewrite    unix  - - n - -  trivial-rewrite
bounce     unix  - - n - 0  bounce
defer      unix  - - n - 0  bounce
trace      unix  - - n - 0  bounce
verify     unix  - - n - 1  verify
proxymap   unix  - - n - -  proxymap
smtp       unix  - - n - -  smtp
error      unix  - - n - -  error
retry      unix  - - n - -  error
anvil      unix  - - n - 1  anvil
scache     unix  - - n - 1  scache
postlog    unix-dgram n - n - 1 postlogd
"""


class Postfix:
    """A running Postfix, for the length of a `with` block. It passes everything on to `to_port`."""

    def __init__(self, *, to_port: int) -> None:
        self._programs = find_programs()
        self._folder = Path(tempfile.mkdtemp(prefix="newsletter-postfix-", dir="/tmp"))
        self._to_port = to_port
        self._process: subprocess.Popen[bytes] | None = None
        self.port = _free_port()

    def __enter__(self) -> "Postfix":
        self._folder.chmod(0o755)
        self._make_folders()
        self._write_configuration()
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_exception: object) -> None:
        self.stop()
        shutil.rmtree(self._folder)

    def start(self) -> None:
        """Start the master process, and wait until the server greets."""
        self._process = subprocess.Popen(
            [self._programs / "sbin/master", "-c", self._folder / "etc", "-d"],
            env={"LD_LIBRARY_PATH": str(self._programs), "PATH": os.defpath},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        deadline = time.monotonic() + 30
        while not self._greets():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"Postfix did not start:\n{self.log[-3000:]}")
            time.sleep(0.02)

    def stop(self) -> None:
        """End the master process, which ends its own at once. What it took stays in its queue."""
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(30)
            self._process = None

    def await_empty_queue(self, timeout_seconds: float) -> None:
        """Wait until everything that Postfix took was passed on."""
        deadline = time.monotonic() + timeout_seconds
        while waiting := self._waiting():
            assert time.monotonic() < deadline, f"{waiting} emails stay in Postfix's queue:\n{self.log[-3000:]}"
            time.sleep(0.02)

    @property
    def log(self) -> str:
        """What Postfix wrote into its log."""
        path = self._folder / "log"
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""

    def _waiting(self) -> int:
        return sum(path.is_file() for name in _UNSENT for path in (self._folder / "queue" / name).rglob("*"))

    def _greets(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                return connection.recv(3) == b"220"
        except OSError:
            return False

    def _make_folders(self) -> None:
        queue = self._folder / "queue"
        for name in ("etc", "data", "queue", "queue/pid", "queue/private", "queue/public", "queue/maildrop"):
            (self._folder / name).mkdir()
        for name in _QUEUES:
            (queue / name).mkdir(mode=0o700)
            shutil.chown(queue / name, _OWNER)
        for name, mode, group in (("private", 0o700, None), ("public", 0o710, _GROUP), ("maildrop", 0o730, _GROUP)):
            (queue / name).chmod(mode)
            shutil.chown(queue / name, _OWNER, group)
        shutil.chown(self._folder / "data", _OWNER)

    def _write_configuration(self) -> None:
        folder = self._folder
        settings = {
            "compatibility_level": "3.6",
            "queue_directory": folder / "queue",
            "data_directory": folder / "data",
            "daemon_directory": self._programs / "sbin",
            "shlib_directory": self._programs,
            "meta_directory": folder / "etc",
            "maillog_file": folder / "log",
            "maillog_file_prefixes": folder,
            "import_environment": "MAIL_CONFIG MAIL_LOGTAG LD_LIBRARY_PATH TZ LANG=C",
            "mail_owner": _OWNER,
            "setgid_group": _GROUP,
            "default_privs": _OTHER,
            "myhostname": "relay.example.org",
            "mydestination": "",
            "mynetworks": "127.0.0.0/8",
            "inet_interfaces": "127.0.0.1",
            "inet_protocols": "ipv4",
            "alias_maps": "",
            "local_recipient_maps": "",
            "default_transport": f"smtp:[127.0.0.1]:{self._to_port}",
            "relayhost": "",
            "smtp_dns_support_level": "disabled",
            "smtpd_peername_lookup": "no",
            "smtpd_relay_restrictions": "permit_mynetworks, reject",
            "in_flow_delay": "0",
            "queue_run_delay": "1s",
            "minimal_backoff_time": "1s",
            "maximal_backoff_time": "1s",
        }
        lines = [f"{name} = {value}\n" for name, value in settings.items()]
        (folder / "etc/main.cf").write_text("".join(lines), encoding="utf-8")
        (folder / "etc/master.cf").write_text(_SERVICES.format(port=f"127.0.0.1:{self.port}"), encoding="utf-8")


def find_programs() -> Path:
    """Return Postfix's folder of programs. Without one, or without root, skip the test, or fail it if CI is true."""
    found = next((each for each in (_UNPACKED, _INSTALLED) if (each / "sbin/master").exists()), None)
    if found is not None and os.geteuid() == 0:
        return found
    why = "Postfix starts only as root" if found is not None else "Postfix is missing: scripts/unpack-postfix-tools"
    if os.environ.get("CI") == "true":
        pytest.fail(why)
    pytest.skip(why)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    return port
