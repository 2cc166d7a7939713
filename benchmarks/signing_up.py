"""Signing up: 500 people per second, each from another address, counted only once their sign-ups are in the file.

Everyone sends the form of one page, opened a few seconds earlier: a form that is sent at once counts as a program's.
After the last answer the service is killed, and every sign-up that was answered must be in the file.
"""

import re
import tempfile
import time
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from benchmarks.page_load import REQUESTS, SETTINGS, form_request, measure_service
from newsletter.config import CONFIG_FILE

_SECONDS_TO_FILL_IN = 4
_HIDDEN = re.compile(r'<input type="hidden" name="(\w+)" value="([^"]*)">')


def main() -> None:
    """Print the latencies of the service, and whether anything was lost."""
    with tempfile.TemporaryDirectory(prefix="signing-up-") as name:
        folder = Path(name)
        (folder / CONFIG_FILE).write_text(SETTINGS)
        measure_service("signing up", folder, _requests, "SELECT count(*) FROM signup")


def _requests(port: int) -> list[bytes]:
    """Return the requests that send the form, each with another address."""
    opened = Request(f"http://127.0.0.1:{port}/join", headers={"Host": "news.example.org"})
    with urlopen(opened) as answer:  # the service on this machine
        hidden = dict(_HIDDEN.findall(answer.read().decode()))
    time.sleep(_SECONDS_TO_FILL_IN)
    bodies = [
        urlencode({**hidden, "email": f"person{number}@example.org", "first_name": "Ada"}).encode()
        for number in range(REQUESTS)
    ]
    return [form_request("/join", body, number) for number, body in enumerate(bodies)]


if __name__ == "__main__":
    main()
