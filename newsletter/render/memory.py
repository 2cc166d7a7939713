"""What is costly to make and depends on nothing but its ingredients, kept from one build to the next.

Inlined fragments and fitted pictures are named by a digest of all that they are made from, so what is found is right.
Losing any of it costs time and nothing else. They are content and never run: compiled templates are kept elsewhere.
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
    """Bytes by kind and digest: in the process, and in a folder where one is given and can be written."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._known: dict[str, bytes] = {}

    def recall(self, kind: str, ingredients: bytes, make: Callable[[], bytes]) -> bytes:
        """Return what `make` makes from the ingredients, now or an earlier time."""
        name = f"{kind}-{_digest(ingredients).hex()}"
        found = self._find(name)
        if found is None:
            found = make()
            self._keep(name, found)
        return found

    def forget_unused(self) -> None:
        """Delete from the folder what this process had no use for, so that it does not grow with every edit."""
        if self._folder is None:
            return
        with suppress(OSError):
            for path in self._folder.glob("*-*"):  # others keep files without a digest in their names there
                if path.name not in self._known:
                    path.unlink(missing_ok=True)

    def _find(self, name: str) -> bytes | None:
        """Return what was kept under a name; None where that is nothing, or was damaged since."""
        if name not in self._known and self._folder is not None:
            with suppress(OSError):
                kept = (self._folder / name).read_bytes()
                digest, content = kept[:_DIGEST_BYTES], kept[_DIGEST_BYTES:]
                if digest == _digest(content):
                    self._known[name] = content
        return self._known.get(name)

    def _keep(self, name: str, content: bytes) -> None:
        """Keep bytes under a name; a folder that cannot be written is no mistake."""
        self._known[name] = content
        if self._folder is not None:
            with suppress(OSError):
                self._folder.mkdir(parents=True, exist_ok=True)
                write_whole(self._folder / name, _digest(content) + content)


def _digest(content: bytes) -> bytes:
    return blake2b(content, digest_size=_DIGEST_BYTES).digest()


class _CompiledTemplates(FileSystemBytecodeCache):
    """Keeps compiled templates where a full disk is no mistake."""

    def dump_bytecode(self, bucket: Bucket) -> None:
        with suppress(OSError):
            super().dump_bytecode(bucket)


def compiled_templates(purpose: str, *, workspace: Path) -> BytecodeCache | None:
    """Return where the compiled templates of one environment are kept; None where no folder is safe to run code from.

    Compiled templates are code, so they stay out of the workspace, where anyone who hands over a folder could plant
    one. Jinja keeps them in a temporary folder of the user, and refuses one that others own or may write to. Where no
    temporary folder can be written, Python takes the current folder for one, which often is the workspace.
    """
    try:
        if Path(gettempdir()).resolve().is_relative_to(workspace.resolve()):
            return None
        return _CompiledTemplates(pattern=f"newsletter-{purpose}-%s")
    except (OSError, RuntimeError):
        return None
