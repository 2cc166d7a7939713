"""What is costly to make and depends on nothing but its ingredients, kept from one build to the next.

Compiled templates, inlined fragments and the stills of videos are named by a digest of all that they are made from, so
what is found is right. Losing any of it costs time and nothing else.
"""

import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path

from jinja2 import BytecodeCache
from jinja2.bccache import Bucket

_DIGEST_BYTES = 16


class Memory:
    """Bytes by kind and digest: in the process, and in a folder where one is given and can be written."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._known: dict[str, bytes] = {}

    def recall(self, kind: str, ingredients: bytes, make: Callable[[], bytes]) -> bytes:
        """What `make` makes from the ingredients, now or the last time."""
        name = f"{kind}-{_digest(ingredients).hex()}"
        found = self.find(name)
        if found is None:
            found = make()
            self.keep(name, found)
        return found

    def find(self, name: str) -> bytes | None:
        """What was kept under a name; None where that is nothing, or was damaged since."""
        if name not in self._known and self._folder is not None:
            with suppress(OSError):
                kept = (self._folder / name).read_bytes()
                digest, content = kept[:_DIGEST_BYTES], kept[_DIGEST_BYTES:]
                if digest == _digest(content):
                    self._known[name] = content
        return self._known.get(name)

    def keep(self, name: str, content: bytes) -> None:
        """Keeps bytes under a name; a folder that cannot be written is no mistake."""
        self._known[name] = content
        if self._folder is None:
            return
        with suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
            descriptor, partial = tempfile.mkstemp(dir=self._folder)
            try:
                with os.fdopen(descriptor, "wb") as file:
                    file.write(_digest(content) + content)
                Path(partial).replace(self._folder / name)
            finally:
                Path(partial).unlink(missing_ok=True)

    def forget_unused(self) -> None:
        """Deletes from the folder what this process had no use for, so that it does not grow with every edit."""
        if self._folder is None:
            return
        with suppress(OSError):
            for path in self._folder.iterdir():
                if path.name not in self._known:
                    path.unlink(missing_ok=True)


def _digest(content: bytes) -> bytes:
    return blake2b(content, digest_size=_DIGEST_BYTES).digest()


class TemplateMemory(BytecodeCache):
    """Keeps Jinja's compiled templates in a memory; Jinja itself sees to it that a changed template is not taken."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    def load_bytecode(self, bucket: Bucket) -> None:
        """Fills the bucket where the template was compiled before."""
        if (found := self._memory.find(f"template-{bucket.key}")) is not None:
            bucket.bytecode_from_string(found)

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keeps the compiled template."""
        self._memory.keep(f"template-{bucket.key}", bucket.bytecode_to_string())
