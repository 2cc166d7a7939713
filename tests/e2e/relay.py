"""A relay on loopback that a test stops at any step of any message, and that knows what it took and answered."""

import socket
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum


class RelayStep(StrEnum):
    """A step of the dialogue, just before the relay answers."""

    GREETING = "greeting"
    EHLO = "EHLO"
    MAIL = "MAIL"
    RCPT = "RCPT"
    DATA = "DATA"
    HALF = "half of the content"
    CONTENT = "all of the content"
    ANSWERED = "after the answer"


OnStep = Callable[[RelayStep, str], str | None]  # given the recipient, if known; may wait; a text replaces the answer


@dataclass
class Relay:
    """The relay, for the length of a `with` block."""

    on_step: OnStep = lambda _step, _recipient: None
    extensions: tuple[str, ...] = ()
    begun: list[str] = field(default_factory=list)  # whose messages a client began, in order
    taken: Counter[str] = field(default_factory=Counter)  # whose messages arrived whole, and were not refused
    answered: Counter[str] = field(default_factory=Counter)  # whose messages were answered with 250
    port: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __enter__(self) -> "Relay":
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self._listener.getsockname()[1]
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._listener.close()
        for each in self._open:
            each.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._open.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            with connection, connection.makefile("rb") as lines:
                self._talk(connection, lines.readline)
        except (OSError, ValueError):
            pass  # the client is gone, or the test is over

    def _talk(self, connection: socket.socket, read: Callable[[], bytes]) -> None:
        def say(step: RelayStep, recipient: str, answer: str) -> bool:
            said = self.on_step(step, recipient) or answer
            connection.sendall(f"{said}\r\n".encode())
            return said[0] in "23"

        recipient = ""
        say(RelayStep.GREETING, "", "220 relay.example.org")
        while line := read().decode().strip():
            match line.split(" ")[0].upper():
                case "EHLO":
                    answer = "".join(f"250-{name}\r\n" for name in self.extensions)
                    say(RelayStep.EHLO, "", f"250-relay.example.org\r\n{answer}250 8BITMIME")
                case "MAIL":
                    say(RelayStep.MAIL, "", "250 2.1.0 ok")
                case "RCPT":
                    recipient = line[line.index("<") + 1 : line.rindex(">")]
                    say(RelayStep.RCPT, recipient, "250 2.1.5 ok")
                case "DATA":
                    with self._lock:
                        self.begun.append(recipient)
                    if say(RelayStep.DATA, recipient, "354 go on"):
                        self._take(read, recipient, say)
                case "QUIT":
                    connection.sendall(b"221 bye\r\n")
                    return
                case _:
                    connection.sendall(b"250 ok\r\n")

    def _take(self, read: Callable[[], bytes], recipient: str, say: Callable[[RelayStep, str, str], bool]) -> None:
        read()
        self.on_step(RelayStep.HALF, recipient)
        while (line := read()) != b".\r\n":
            if not line:
                raise OSError("the client is gone")
        with self._lock:
            self.taken[recipient] += 1
        is_taken = say(RelayStep.CONTENT, recipient, "250 2.0.0 taken")
        with self._lock:
            if is_taken:
                self.answered[recipient] += 1
            else:
                self.taken[recipient] -= 1
        self.on_step(RelayStep.ANSWERED, recipient)
