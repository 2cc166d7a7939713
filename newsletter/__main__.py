"""The entry point of the `newsletter` command and of `python -m newsletter`."""

import errno
import gc
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

_INTERRUPTED, _READER_IS_GONE = 130, 141  # the codes that shells report for a program ended by SIGINT or SIGPIPE


def prepare_process() -> None:
    """Tune the process for short commands, and for commands that create a million small records without cycles.

    The garbage collector runs every 50,000 objects instead of every 700, which saves a quarter of a broadcast's time.
    Pydantic does not search for plugins. No time depends on the time zone of this machine, but Babel does not load if
    TZ is not one, so TZ is always the same.
    """
    os.environ["TZ"] = "UTC"
    gc.set_threshold(50_000, 20, 50)
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")


def main() -> None:
    """Run one command and exit with its code (docs/exit-codes.md). Errors are shown as messages, not tracebacks."""
    prepare_process()
    gc.disable()  # until cli/app.py has loaded the command, since imports create no garbage
    from newsletter.system.pipes import deliver

    code = _run()
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                deliver(stream)
        except OSError as err:
            if stream is sys.stdout or not isinstance(err, BrokenPipeError):  # lost advice does not change the result
                code = code or _explain(err)
            # Send the rest of the buffer to the null device. Otherwise Python reports a failed flush when it exits.
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    gc.freeze()  # Python would look for garbage while it exits, which takes 15 ms and frees nothing that lasts
    sys.exit(code)


def _run() -> int:
    """Run the command that the arguments name, and return its exit code."""
    try:
        _prepare_streams()
        _require_docstrings()
        _require_text(sys.argv[1:])
        from newsletter.cli.app import app

        app()
    except SystemExit as end:
        # Typer turns these two exceptions into its own exit code, the second one through an Abort.
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
    """Prepare the standard streams for any text, and a pipe. Raise OSError if one is closed."""
    from newsletter.system.pipes import hold_pipe

    if sys.stdin is None:
        sys.stdin = Path(os.devnull).open(encoding="utf-8")  # noqa: SIM115 - open until the process ends
    for stream in (sys.stdout, sys.stderr):
        if stream is None:
            raise OSError(errno.EBADF, "closed")
        # An emoji must not stop a command whose output goes to a terminal or a pipe with an old encoding.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    sys.stdout = hold_pipe(sys.stdout)


def _require_docstrings() -> None:
    """Raise InputError if Python has removed the docstrings, which the help and the list of checks show."""
    from newsletter.errors import InputError

    if sys.flags.optimize > 1:
        raise InputError("PYTHONOPTIMIZE=2 removes the texts that this program shows; run: unset PYTHONOPTIMIZE")


def _require_text(arguments: Sequence[str]) -> None:
    """Raise InputError for an argument that could not be decoded, since it can be neither stored nor shown."""
    from newsletter.errors import InputError

    for argument in arguments:
        if any("\ud800" <= sign <= "\udfff" for sign in argument):
            raise InputError(
                f"{argument!a} contains a character that your terminal cannot encode; type it again, or rename the file"
            )


def _explain(error: Exception) -> int:
    """Print why the command cannot continue, and return its exit code."""
    from newsletter.cli.output import print_error
    from newsletter.errors import InputError, NewsletterError
    from newsletter.system.file_errors import machine_trouble, place_trouble
    from newsletter.system.report import FAULT_EXIT_CODE, MACHINE_EXIT_CODE, report_fault

    if isinstance(error, BrokenPipeError):
        return _READER_IS_GONE
    if isinstance(error, NewsletterError):
        message, code = str(error), MACHINE_EXIT_CODE if machine_trouble(error.__cause__) else error.exit_code
    elif trouble := machine_trouble(error):
        message, code = trouble, MACHINE_EXIT_CODE
    elif trouble := place_trouble(error):
        message, code = trouble, InputError.exit_code
    else:
        message, code = report_fault(error, _logs_folder(), command=sys.argv), FAULT_EXIT_CODE
    if sys.stderr is not None:
        with suppress(OSError):
            print_error(message)
    return code


def _logs_folder() -> Path | None:
    """Return the logs folder of the current workspace, or None outside a workspace."""
    from newsletter.config import find_workspace
    from newsletter.errors import InputError
    from newsletter.system.log import LOGS_FOLDER

    with suppress(InputError, OSError):
        return find_workspace(Path.cwd()) / LOGS_FOLDER
    return None


if __name__ == "__main__":
    main()
