"""A cache for slow results that depend only on their input. It is kept from one build to the next.

Inlined fragments and resized images are named after a hash of everything they are made from, so a hit is always right.
A lost entry only costs time. Entries are content and never run as code. Compiled templates are kept elsewhere.
"""

from collections.abc import Callable
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from tempfile import gettempdir

from jinja2 import BytecodeCache, FileSystemBytecodeCache
from jinja2.bccache import Bucket

from newsletter.system.files import write_whole

_DIGEST_BYTES = 16


class Memory:
    """Cached bytes by kind and hash, kept in the process and, if possible, in a folder."""

    def __init__(self, folder: Path | None = None, *, is_written: bool = True) -> None:
        self._folder = folder
        self._is_written = is_written  # whether new results are saved in the folder
        self._known: dict[str, bytes] = {}

    def recall(self, kind: str, ingredients: bytes, make: Callable[[], bytes]) -> bytes:
        """Return the cached result for these ingredients. If there is none, call `make` and cache its result."""
        name = f"{kind}-{_digest(ingredients).hex()}"
        found = self._find(name)
        if found is None:
            found = make()
            self._keep(name, found)
        return found

    def forget_unused(self) -> None:
        """Delete the entries that this process did not use, so that the folder does not grow with every edit."""
        if self._folder is None:
            return
        with suppress(OSError):
            for path in self._folder.glob("*-*"):  # files with other names are not part of the cache
                if path.name not in self._known:
                    path.unlink(missing_ok=True)

    def _find(self, name: str) -> bytes | None:
        """Return the entry with this name, or None if there is no entry or it is damaged."""
        if name not in self._known and self._folder is not None:
            with suppress(OSError):
                kept = (self._folder / name).read_bytes()
                digest, content = kept[:_DIGEST_BYTES], kept[_DIGEST_BYTES:]
                if digest == _digest(content):
                    self._known[name] = content
        return self._known.get(name)

    def _keep(self, name: str, content: bytes) -> None:
        """Cache bytes under a name. It is not an error if the folder cannot be written."""
        self._known[name] = content
        if self._folder is not None and self._is_written:
            with suppress(OSError):
                self._folder.mkdir(parents=True, exist_ok=True)
                write_whole(self._folder / name, _digest(content) + content)


def _digest(content: bytes) -> bytes:
    return blake2b(content, digest_size=_DIGEST_BYTES).digest()


class _CompiledTemplates(FileSystemBytecodeCache):
    """A cache of compiled templates that ignores errors, such as a full disk."""

    def dump_bytecode(self, bucket: Bucket) -> None:
        with suppress(OSError):
            super().dump_bytecode(bucket)


def compiled_templates(purpose: str, *, workspace: Path) -> BytecodeCache | None:
    """Return the cache for the compiled templates of one environment, or None if no folder is safe to run code from.

    Compiled templates are code. They are kept out of the workspace, because anyone with access to a shared workspace
    could put one there. Jinja keeps them in the user's temporary folder, and refuses a folder that others own or may
    write to. If there is no writable temporary folder, Python uses the current folder, which is often the workspace.
    """
    try:
        if Path(gettempdir()).resolve().is_relative_to(workspace.resolve()):
            return None
        return _CompiledTemplates(pattern=f"newsletter-{purpose}-%s")
    except (OSError, RuntimeError):
        return None
