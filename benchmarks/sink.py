"""A server on loopback that reads each whole request and answers 202, faster than any provider's API could.

As a program, it takes the delay of its answers in seconds, prints its port, and ends when standard input closes.
"""

import socket
import sys
import threading
import time

ANSWER = b"HTTP/1.1 202 Accepted\r\nX-Message-Id: sink\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
_ROOM = memoryview(bytearray(1 << 20))  # shared by all threads, because no one reads what is in it


def serve(connection: socket.socket, latency_seconds: float) -> None:
    """Answer one request."""
    with connection:
        head = b""
        while b"\r\n\r\n" not in head:
            piece = connection.recv(65536)
            if not piece:
                return
            head += piece
        headers, _, body = head.partition(b"\r\n\r\n")
        length = next(
            int(line.split(b":")[1]) for line in headers.split(b"\r\n") if line.lower().startswith(b"content-len")
        )
        left = length - len(body)
        while left > 0:
            received = connection.recv_into(_ROOM)
            if not received:
                return
            left -= received
        if latency_seconds:
            time.sleep(latency_seconds)
        connection.sendall(ANSWER)


def main() -> None:
    """Listen until standard input closes."""
    latency_seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 0.0
    server = socket.create_server(("127.0.0.1", 0), backlog=256)
    print(server.getsockname()[1], flush=True)

    def accept() -> None:
        while True:
            connection, _ = server.accept()
            threading.Thread(target=serve, args=(connection, latency_seconds), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    sys.stdin.read()


if __name__ == "__main__":
    main()
