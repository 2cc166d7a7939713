"""An SMTP relay on loopback whose every reply a test decides."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

SILENCE = "silence"  # until the other side gives up


def usual(command: str, extensions: str) -> str:
    return {
        "GREETING": "220 hi\r\n",
        "EHLO": f"250-relay\r\n{extensions}250 8BITMIME\r\n",
        "DATA": "354 go on\r\n",
        ".": "250 taken\r\n",
    }.get(command, "250 ok\r\n")


@contextmanager
def scripted_relay(answer: Callable[[str], str]) -> Iterator[int]:
    """A relay whose every reply the test decides, by the first word of a command; it takes many connections."""
    stopping = threading.Event()

    def serve(connection: socket.socket) -> None:
        with suppress(OSError), connection, connection.makefile("rb") as lines:
            said = answer("GREETING")
            while said != SILENCE:
                connection.sendall(said.encode())
                command = _next_command(lines, is_content=said.startswith("354"))
                if not command:
                    return
                said = answer(command)
            stopping.wait(10)

    def accept() -> None:
        while not stopping.is_set():
            try:
                connection, _ = listening.accept()
            except TimeoutError:
                continue
            threading.Thread(target=serve, args=(connection,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(0.05)
        accepting = threading.Thread(target=accept)
        accepting.start()
        yield listening.getsockname()[1]
        stopping.set()
        accepting.join()


def _next_command(lines: Iterator[bytes], *, is_content: bool) -> str:
    try:
        for line in lines:
            word = line.split(b" ")[0].strip().decode("latin-1")
            if not is_content or word == ".":
                return word.upper()
    except OSError:
        pass
    return ""
