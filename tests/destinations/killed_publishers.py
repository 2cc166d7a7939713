"""Publish to a folder in processes that are killed, each at another call of the system. Print what they leave.

`python -m tests.destinations.killed_publishers FOLDER [kill | fail]`: with `fail`, the call raises an error instead.
"""

import os
import sys
from pathlib import Path
from typing import Any

from newsletter.destinations.addresses import open_destination
from newsletter.errors import NewsletterError
from tests.destinations.places import files_in
from tests.destinations.sites import AFTER, NEW, OLD, files_of

# The names under which Python tells its audit hooks about calls that change something.
CALLS = {"open", "os.mkdir", "os.rename", "os.link", "os.remove", "os.rmdir", "os.chmod", "os.utime"}
MANIFEST = ".newsletter-site.json"


def main(top: Path, *, is_killed: bool) -> None:
    """Try each call, until a publisher comes to its end."""
    number, is_over = 0, False
    while not is_over:
        number += 1
        folder = top / f"{number}" / "site"
        publish(folder, OLD)
        before = files_in(folder)
        child = os.fork()
        if child == 0:
            made = interrupt_at(number, is_killed=is_killed)
            try:
                publish(folder, NEW)
            except NewsletterError:
                os._exit(8)
            except BaseException:
                os._exit(7)
            os._exit(0 if len(made) < number else 6)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        is_over = code == 0
        left = files_in(folder)
        without = {path: content for path, content in left.items() if path != MANIFEST}
        state = "old" if left == before else "new" if without == AFTER else "broken"
        publish(folder, NEW)
        publish(folder, OLD)
        publish(folder, NEW)
        last = {path: content for path, content in files_in(folder).items() if path != MANIFEST}
        beside = sorted(path.name for path in folder.parent.iterdir())
        end = "completed" if last == AFTER and beside == ["site"] else f"not completed {beside}"
        sys.stdout.write(f"{number} {code} {state} {end}\n")
        sys.stdout.flush()


def publish(folder: Path, site: dict[str, bytes]) -> None:
    """Publish a site."""
    open_destination(str(folder), {}).publish(files_of(site), lambda _done, _total: None)


def interrupt_at(number: int, *, is_killed: bool) -> list[str]:
    """Let the process end, or a call fail, at the given call. Return the list to which each call is added."""
    made: list[str] = []

    def note(event: str, arguments: tuple[Any, ...]) -> None:
        if event not in CALLS or (event == "open" and isinstance(arguments[2], int) and not arguments[2] & 0o3):
            return
        made.append(event)
        if len(made) == number:
            if is_killed:
                os._exit(9)
            raise OSError(28, "No space left on device")

    sys.addaudithook(note)
    return made


if __name__ == "__main__":
    main(Path(sys.argv[1]), is_killed=sys.argv[2] == "kill")
