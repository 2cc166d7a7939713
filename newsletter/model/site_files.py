"""The files of the public archive, before it is decided where they are put."""

from msgspec import Struct


class SiteFile(Struct, frozen=True):
    """One file of the archive. The path is relative to its root, such as `2026-02/es/index.html`."""

    path: str
    content: bytes
