"""Starts commands of the program from a process that has loaded it already.

Loading takes most of the time of a short command, and a run of all tests starts more than a thousand of them. Each
command is a process of its own all the same, with its own arguments, folder, environment, output and exit code.

Run as a script it is that process: it listens on a socket in a folder, and forks for each request.
"""

import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from types import TracebackType
from typing import Self

# What commands load when they run: what is missing here is loaded by the command itself.
_LOADED = (
    *("newsletter.cli.app", "newsletter.workflows.send.plan", "newsletter.workflows.compose.check"),
    *(
        "newsletter.workflows.compose.build",
        "newsletter.workflows.send.deliver",
        "newsletter.workflows.subscribers.import_",
    ),
    *(
        "newsletter.workflows.send.run_due",
        "newsletter.workflows.suppressions.suppress",
        "newsletter.workflows.send.reviewer_copies",
    ),
    *("newsletter.store.sqlite.engine", "newsletter.store.postgresql.engine", "newsletter.cli.send.send"),
    *("newsletter.render.prose", "newsletter.providers.outbox", "newsletter.providers.sendgrid", "newsletter.cli.bars"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One command: its arguments, and where it runs."""

    arguments: Sequence[str]
    folder: str
    environment: Mapping[str, str]
    stdout: str
    stderr: str


class Launcher:
    """A process that has loaded the program; a context manager that ends it."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment

    def __enter__(self) -> Self:
        self._folder = tempfile.TemporaryDirectory(prefix="launcher-", dir="/tmp")  # a socket's path must be short
        self._process = subprocess.Popen(
            [sys.executable, "-W", "error", __file__, self._folder.name],
            env=dict(self._environment),
            stdout=subprocess.PIPE,
            cwd=Path(__file__).parents[2],
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == b"ready\n", "the program could not be loaded"
        return self

    def __exit__(self, kind: type[BaseException] | None, err: BaseException | None, tb: TracebackType | None) -> None:
        self._process.kill()
        self._process.communicate()
        self._folder.cleanup()

    def run(
        self, arguments: Sequence[str], *, folder: Path, environment: Mapping[str, str], timeout: float
    ) -> subprocess.CompletedProcess[str]:
        """One command, from its start to its end; raises TimeoutError, with the command killed, where that is late."""
        with tempfile.TemporaryDirectory(dir=self._folder.name) as name:
            outputs = Path(name) / "stdout", Path(name) / "stderr"
            request = Request(
                arguments=arguments,
                folder=str(folder),
                environment=environment,
                stdout=str(outputs[0]),
                stderr=str(outputs[1]),
            )
            status = self._ask(request, timeout)
            stdout, stderr = (path.read_text(encoding="utf-8") for path in outputs)
        return subprocess.CompletedProcess(list(arguments), status, stdout, stderr)

    def _ask(self, request: Request, timeout: float) -> int:
        with socket.socket(socket.AF_UNIX) as connection, connection.makefile("rw", encoding="utf-8") as stream:
            connection.settimeout(timeout)
            connection.connect(f"{self._folder.name}/socket")
            stream.write(json.dumps(asdict(request)) + "\n")
            stream.flush()
            process = int(stream.readline())
            try:
                return int(stream.readline())
            except TimeoutError:
                os.kill(process, signal.SIGKILL)
                raise


def serve(folder: str) -> None:
    """Loads the program, says that it is ready, and forks for each request until it is killed."""
    for name in _LOADED:
        import_module(name)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # no one waits for the processes that report how a command ended
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"{folder}/socket")
        listener.listen()
        os.write(1, b"ready\n")
        while True:
            connection, _ = listener.accept()
            if os.fork() == 0:
                listener.close()
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                _answer(connection)
                os._exit(0)
            connection.close()


def _answer(connection: socket.socket) -> None:
    """Runs the command in a process of its own; tells its number, and its exit code."""
    with connection.makefile("rw", encoding="utf-8") as stream:
        request = Request(**json.loads(stream.readline()))
        process = os.fork()
        if process == 0:
            _become(request)
        stream.write(f"{process}\n")
        stream.flush()
        _, status = os.waitpid(process, 0)
        stream.write(f"{os.waitstatus_to_exitcode(status)}\n")


def _become(request: Request) -> None:
    """Is the program from here on."""
    os.chdir(request.folder)
    os.environ.clear()
    os.environ.update(request.environment)
    writing = os.O_WRONLY | os.O_CREAT
    for number, path in enumerate((os.devnull, request.stdout, request.stderr)):
        file = os.open(path, writing if number else os.O_RDONLY, 0o600)
        os.dup2(file, number)
    sys.argv = ["newsletter", *request.arguments]
    warnings.simplefilter("error")
    status = 1
    try:
        runpy.run_module("newsletter", run_name="__main__", alter_sys=True)
        status = 0
    except SystemExit as err:
        status = err.code if isinstance(err.code, int) else int(err.code is not None)
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        import atexit
        import threading

        threading._shutdown()
        atexit._run_exitfuncs()
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        os._exit(status)


if __name__ == "__main__":
    serve(sys.argv[1])
