"""What undoing the last import changes."""

from datetime import datetime

from msgspec import Struct


class KeptChange(Struct, frozen=True, kw_only=True):
    """Something that the import did and that stays, because of what happened since."""

    email: str
    what: str
    why: str


class UndoReport(Struct, frozen=True, kw_only=True):
    """What an undo changed, or would change."""

    import_id: int
    file: str  # the list that was imported
    at: datetime  # when it was imported
    removed: int  # people whom the import had added
    restored: int  # people whose earlier values are restored
    lifted: int  # blocks that the import had added
    blocked: int  # blocks that the import had lifted, or people who had returned with it
    kept: int  # changes that stay
    kept_changes: tuple[KeptChange, ...]  # the first of those, by address
