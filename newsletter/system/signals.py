"""The signals that ask a sending process to end."""

import os
import signal


def ending_signals() -> tuple[signal.Signals, ...]:
    """Return the signals to stop for: SIGINT, SIGTERM, and SIGHUP unless the process was started to ignore it."""
    if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:  # for example by `nohup`
        return signal.SIGINT, signal.SIGTERM
    return signal.SIGINT, signal.SIGTERM, signal.SIGHUP


def leave_terminal() -> None:
    """Send what is still printed to the null device, because the terminal is gone and writing to it is an error."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        if os.isatty(stream):
            os.dup2(nowhere, stream)
    os.close(nowhere)
