"""The program `newsletter`, and `python -m newsletter`."""

import errno
import gc
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

_INTERRUPTED, _READER_IS_GONE = 130, 141  # as a shell says it of a program that SIGINT or SIGPIPE ended


def prepare_process() -> None:
    """Set the process up for commands that are soon over, or that make a million small records without cycles.

    The collector looks for cycles every 50,000 records rather than every 700: a quarter of a broadcast's time. No
    plugin of pydantic's is looked for.
    """
    gc.set_threshold(50_000, 20, 50)
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")


def main() -> None:
    """Run one command and end with its exit code (docs/exit-codes.md); no error ends in a traceback."""
    prepare_process()
    gc.disable()  # until the command is loaded (cli/app.py): what loads makes no garbage
    code = _run()
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except OSError as err:
            code = code or _explain(err)
            # What is left in the stream has to go somewhere, or Python complains about it when it ends.
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    sys.exit(code)


def _run() -> int:
    """Run the command that the arguments name; return its exit code."""
    try:
        _prepare_streams()
        _require_text(sys.argv[1:])
        from newsletter.cli.app import app

        app()
    except SystemExit as end:
        # The command-line library turns these two into an exit code of its own, the second by way of an Abort.
        for hidden in (end.__context__, end.__context__ and end.__context__.__cause__):
            if isinstance(hidden, BrokenPipeError | EOFError):
                return _explain(hidden)
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except KeyboardInterrupt:
        return _INTERRUPTED
    except Exception as err:
        return _explain(err)
    return 0


def _prepare_streams() -> None:
    """Make the streams fit for any text. Raise OSError where one is closed."""
    if sys.stdin is None:
        sys.stdin = Path(os.devnull).open(encoding="utf-8")  # noqa: SIM115 - open until the process ends
    for stream in (sys.stdout, sys.stderr):
        if stream is None:
            raise OSError(errno.EBADF, "closed")
        # A terminal or a pipe of an old encoding must not end a command over an emoji.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")


def _require_text(arguments: Sequence[str]) -> None:
    """Raise InputError where an argument could not be decoded: it can neither be stored nor shown."""
    from newsletter.errors import InputError

    for argument in arguments:
        if any("\ud800" <= sign <= "\udfff" for sign in argument):
            raise InputError(f"{argument!a} is not text in your terminal's encoding; write it anew, or rename the file")


def _explain(error: Exception) -> int:
    """Say why the command cannot go on; return its exit code."""
    from newsletter.cli.output import print_error
    from newsletter.errors import NewsletterError
    from newsletter.system.report import FAULT_EXIT_CODE, MACHINE_EXIT_CODE, machine_trouble, report_fault

    if isinstance(error, BrokenPipeError):
        return _READER_IS_GONE
    if isinstance(error, NewsletterError):
        message, code = str(error), MACHINE_EXIT_CODE if machine_trouble(error.__cause__) else error.exit_code
    elif trouble := machine_trouble(error):
        message, code = trouble, MACHINE_EXIT_CODE
    else:
        message, code = report_fault(error, _logs_folder(), command=sys.argv), FAULT_EXIT_CODE
    if sys.stderr is not None:
        with suppress(OSError):
            print_error(message)
    return code


def _logs_folder() -> Path | None:
    """Return the folder for logs of the workspace around the current folder; None where there is no workspace."""
    from newsletter.config import find_workspace
    from newsletter.errors import InputError
    from newsletter.system.log import LOGS_FOLDER

    with suppress(InputError, OSError):
        return find_workspace(Path.cwd()) / LOGS_FOLDER
    return None


if __name__ == "__main__":
    main()
