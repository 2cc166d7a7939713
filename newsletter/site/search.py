"""Make the index for the search with pagefind, if it is installed. The search itself runs in the reader's browser."""

import os
import subprocess
import sys
from collections.abc import Iterable
from hashlib import blake2b
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from newsletter.errors import CannotRunError
from newsletter.model.site_files import SiteFile
from newsletter.site.site import Recall
from newsletter.system.environment import bare_surroundings

FOLDER = "pagefind"
_MOST_SECONDS = 120
_PAGEFIND = (sys.executable, "-m", "pagefind")
# Its ready-made boxes are not used.
_UNUSED = ("pagefind-ui", "pagefind-modular-ui", "pagefind-component-ui", "pagefind-highlight")


def can_search() -> bool:
    """Return whether pagefind is installed."""
    return find_spec("pagefind") is not None and find_spec("pagefind_bin") is not None


def search_files(files: Iterable[SiteFile], recall: Recall) -> tuple[SiteFile, ...]:
    """Return the files of the index for the pages among these files that may be found. `recall` caches them.

    Raise CannotRunError if pagefind fails or takes too long.
    """
    pages = [file for file in files if b"data-pagefind-body" in file.content and file.path.endswith(".html")]
    if not pages:
        return ()
    digest = blake2b(digest_size=16)
    for page in sorted(pages, key=lambda page: page.path):
        digest.update(page.path.encode() + b"\0" + page.content + b"\0")
    kept = recall("search", digest.digest(), lambda: msgspec.msgpack.encode(_indexed(pages)))
    return tuple(
        SiteFile(path, content) for path, content in msgspec.msgpack.decode(kept, type=dict[str, bytes]).items()
    )


def _indexed(pages: Iterable[SiteFile]) -> dict[str, bytes]:
    with TemporaryDirectory(prefix="newsletter-search-") as folder:
        site = Path(folder, "site")
        for page in pages:
            path = site / page.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(page.content)
        command = [*_PAGEFIND, "--site", str(site), "--quiet"]
        try:
            done = subprocess.run(  # noqa: S603 - fixed arguments, and none of them from content
                command, env=bare_surroundings(os.environ), capture_output=True, timeout=_MOST_SECONDS, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as err:
            raise CannotRunError(f"the search index could not be made ({err})") from err
        if done.returncode != 0:
            said = done.stderr.decode(errors="replace").strip() or done.stdout.decode(errors="replace").strip()
            raise CannotRunError(f"the search index could not be made ({said[-300:]})")
        made = sorted(path for path in (site / FOLDER).rglob("*") if path.is_file())
        return {
            f"{FOLDER}/{path.relative_to(site / FOLDER).as_posix()}": path.read_bytes()
            for path in made
            if not path.name.startswith(_UNUSED)
        }
