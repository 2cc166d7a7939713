"""Log in by SSH as `ssh` would, with the settings, keys and known hosts in `~/.ssh`. An unknown host is refused."""

from pathlib import Path
from typing import Any

import paramiko
from fsspec.implementations.sftp import SFTPFileSystem

_CONNECT_SECONDS, _READ_SECONDS = 10, 30


class UnknownHostKeyError(paramiko.SSHException):  # type: ignore[misc]
    """The key of a host is in no file of known hosts."""


class _KnownHosts(paramiko.MissingHostKeyPolicy):  # type: ignore[misc]
    def missing_host_key(self, client: paramiko.SSHClient, hostname: str, key: paramiko.PKey) -> None:
        raise UnknownHostKeyError(hostname)


class _VerifiedFileSystem(SFTPFileSystem):  # type: ignore[misc]
    """fsspec's file system, which would accept the key of any host."""

    def _connect(self) -> None:
        home: Path = self.ssh_kwargs.pop("home")
        self.client = client = paramiko.SSHClient()
        client.set_missing_host_key_policy(_KnownHosts())
        for name in (home / ".ssh" / "known_hosts", Path("/etc/ssh/ssh_known_hosts")):
            if name.is_file():
                client.load_system_host_keys(str(name))
        client.connect(
            self.host,
            timeout=_CONNECT_SECONDS,
            banner_timeout=_READ_SECONDS,
            auth_timeout=_READ_SECONDS,
            channel_timeout=_READ_SECONDS,
            **self.ssh_kwargs,
        )
        self.ftp = client.open_sftp()
        self.ftp.get_channel().settimeout(_READ_SECONDS)


def open_sftp(host: str, port: int | None, user: str | None, *, home: Path, password: str | None) -> Any:
    """Return a connected file system. `host` may be a name in the user's settings of SSH."""
    settings = paramiko.SSHConfig()
    if (file := home / ".ssh" / "config").is_file():
        settings = paramiko.SSHConfig.from_path(str(file))
    found = settings.lookup(host)
    keys = [str(Path(name).expanduser()) for name in found.get("identityfile", [])]
    return _VerifiedFileSystem(
        found.get("hostname", host),
        port=port or int(found.get("port", 22)),
        username=user or found.get("user"),
        key_filename=[name for name in keys if Path(name).is_file()] or None,
        password=password,
        home=home,
        skip_instance_cache=True,
    )
