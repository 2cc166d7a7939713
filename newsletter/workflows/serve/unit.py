"""The systemd unit that runs the service: hardened, for one workspace and one user (systemd.exec(5))."""

import os
import pwd
import sys
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from newsletter.config import Config

UNIT_NAME = "newsletter.service"
SYSTEM_UNITS = Path("/etc/systemd/system")
SECRETS = Path("/etc/newsletter.env")
# ProtectHome hides these, so what the service needs in them has to be shown again.
_HOMES = (Path("/home"), Path("/root"), Path("/run/user"))

_UNIT = """\
[Unit]
Description={description}
Documentation=https://www.freedesktop.org/software/systemd/man/systemd.exec.html
After=network-online.target {database}
Wants=network-online.target

[Service]
Type=exec
User={user}
WorkingDirectory={folder}
ExecStart={command} serve
# Lines such as SENDGRID_API_KEY=… Only root may read this file: chmod 600.
EnvironmentFile=-{secrets}

# It restarts after a crash. On a stop, it answers the requests that have begun and finishes the email on its way.
Restart=always
RestartSec=5
KillSignal=SIGTERM
TimeoutStopSec=60
LimitNOFILE=8192

# It may write to the newsletter folder and to nothing else.
UMask=0077
ProtectSystem=strict
ReadWritePaths={workspace}
{home}
PrivateTmp=yes
PrivateDevices=yes
PrivateUsers=yes
PrivateIPC=yes

# It gains no rights, and reaches nothing of the machine but the network.
NoNewPrivileges=yes
CapabilityBoundingSet=
AmbientCapabilities=
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
ProtectClock=yes
ProtectHostname=yes
ProtectProc=invisible
ProcSubset=pid
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
RemoveIPC=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources

[Install]
WantedBy=multi-user.target
"""


class ServicePlace(Struct, frozen=True, kw_only=True):
    """Where the service runs, and as whom."""

    workspace: Path
    user: str
    command: Path  # the program
    needed: tuple[Path, ...]  # the folders that it reads, apart from the workspace and those of the system


def place_of(config: Config) -> ServicePlace:
    """Return where this program would run as a service for a workspace, and as whom: the owner of the workspace.

    Raise KeyError if the owner has no name.
    """
    workspace = config.root.resolve()
    needed = {Path(sys.prefix).resolve(), Path(sys.base_prefix).resolve(), Path(__file__).resolve().parents[3]}
    return ServicePlace(
        workspace=workspace,
        user=pwd.getpwuid(workspace.stat().st_uid).pw_name,
        command=Path(sys.argv[0]).absolute() if os.path.basename(sys.argv[0]) == "newsletter" else _beside_python(),  # noqa: PTH119
        needed=tuple(sorted(needed)),
    )


def hidden_folders(place: ServicePlace) -> tuple[Path, ...]:
    """Return the folders that ProtectHome would hide from the service: first the workspace, if it is one of them."""
    return tuple(path for path in (place.workspace, *place.needed) if any(map(path.is_relative_to, _HOMES)))


def unit_text(config: Config, place: ServicePlace) -> str:
    """Return the unit for a place."""
    is_shared = isinstance(config.database, str)
    return _UNIT.format(
        description=f"{_line(config.settings.newsletter.name)}: pages for subscribers, and scheduled broadcasts",
        database="postgresql.service" if is_shared else "",
        user=place.user,
        folder=_line(place.workspace),
        workspace=_path(place.workspace),
        command=_path(place.command),
        secrets=SECRETS,
        home=_home_lines(place),
    ).replace("online.target \n", "online.target\n")


def _home_lines(place: ServicePlace) -> str:
    hidden = hidden_folders(place)
    if not hidden:
        return "ProtectHome=yes"
    lines = ["# ProtectHome=yes would hide the newsletter. Home folders are empty for the service, apart from these:"]
    lines.append("ProtectHome=tmpfs")
    lines += [f"BindPaths={_path(path)}" for path in hidden if path == place.workspace]
    lines += [f"BindReadOnlyPaths={_path(path)}" for path in hidden if path != place.workspace]
    return "\n".join(lines)


def explanations(place: ServicePlace) -> Sequence[str]:
    """Return what the unit means, in sentences for the person who installs it."""
    told = [
        f"The service runs as {place.user}, may write only to {place.workspace}, and reaches nothing else of this "
        "machine but the network.",
        "It starts with the machine, and again five seconds after a crash.",
        f"Put secrets such as SENDGRID_API_KEY into {SECRETS}, one NAME=value per line, readable by root only.",
        "It cannot start a browser. Build, check and send issues from your own account.",
    ]
    if hidden := hidden_folders(place):
        names = " and ".join(str(path) for path in hidden)
        told.append(f"A service sees no home folders, so the unit shows it {names}. A folder such as /srv is simpler.")
    if place.user == "root":
        told.append("The newsletter folder belongs to root. Give it to a user of its own first: `chown -R`.")
    return told


def _beside_python() -> Path:
    return Path(sys.executable).absolute().with_name("newsletter")


def _path(path: Path) -> str:
    """Return a path for a list in a unit: `%` begins a specifier, and a space ends a path without quotes."""
    text = _line(path)
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"' if set(text) & set(" \\\"'") else text


def _line(text: object) -> str:
    """Return a value that takes the rest of its line, and is never quoted."""
    return str(text).replace("%", "%%")
