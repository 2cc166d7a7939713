"""The program `newsletter`, and `python -m newsletter`."""

import gc
import os
import sys


def prepare_process() -> None:
    """Sets the process up for commands that are soon over, or that make a million small records without cycles.

    The collector looks for cycles every 50,000 records rather than every 700: a quarter of a broadcast's time. No
    plugin of pydantic's is looked for.
    """
    gc.set_threshold(50_000, 20, 50)
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")


def is_text(argument: str) -> bool:
    """Whether an argument could be decoded: what could not be can neither be stored nor shown."""
    return not any("\ud800" <= sign <= "\udfff" for sign in argument)


def main() -> None:
    """Runs one command; an error that a person can mend ends in a message and an exit code, never in a traceback."""
    prepare_process()
    from newsletter.cli.app import app
    from newsletter.cli.output import show_error
    from newsletter.errors import InputError, NewsletterError

    for stream in (sys.stdout, sys.stderr):
        # A terminal or a pipe of an old encoding must not end a command over an emoji.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    try:
        for argument in sys.argv[1:]:
            if not is_text(argument):
                raise InputError(
                    f"{argument!a} is not text in your terminal's encoding; write it anew, or rename the file"
                )
        app()
    except NewsletterError as err:
        show_error(str(err))
        sys.exit(err.exit_code)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(0)
    except KeyboardInterrupt:
        show_error("interrupted")
        sys.exit(130)


if __name__ == "__main__":
    main()
