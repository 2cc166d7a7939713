"""The signals that ask a sending process to end, and how its threads learn of that."""

import os
import signal
from threading import Event, Lock
from weakref import ref


class Interruption:
    """Whether someone asked the process to stop. If so, all events from `new_stop` are set."""

    def __init__(self) -> None:
        self.is_asked = False
        self._adding = Lock()  # never taken by `ask`, which a signal may call at any moment
        self._events: tuple[ref[Event], ...] = ()  # weak, because a service makes new ones for months

    def new_stop(self) -> Event:
        """Return an event that stops one drain. The drain may also set the event itself."""
        event = Event()
        with self._adding:
            self._events = (*(each for each in self._events if each() is not None), ref(event))
        if self.is_asked:
            event.set()
        return event

    def ask(self) -> None:
        """Ask all running work to stop. A handler of signals may call this."""
        self.is_asked = True
        for each in self._events:
            event = each()
            if event is not None:
                event.set()


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
