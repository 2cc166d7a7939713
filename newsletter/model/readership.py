"""Who shares a variant of an issue, and how a variant is named by that."""

from dataclasses import dataclass

from newsletter.model.mailbox import MailboxProvider

_ELSEWHERE = "other mailboxes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Readership:
    """The readers who share a variant: no variant of an issue has the same."""

    segments: frozenset[str] = frozenset()  # the `only:` segments whose sections they see
    mailbox: MailboxProvider | None = None  # who keeps their mail; None where that makes no difference to the issue

    @property
    def names(self) -> tuple[str, ...]:
        """What tells them apart, for file names and addresses; nothing for those who are in no segment."""
        return (*sorted(self.segments), *([self.mailbox.value] if self.mailbox else []))

    @property
    def label(self) -> str:
        """What tells them apart, for people; empty for those who are in no segment."""
        return " + ".join([*sorted(self.segments), *([self._at] if self._at else [])])

    @property
    def sees(self) -> str:
        """What they see that others do not, for people; empty where that is nothing."""
        seen = [f"what is only for {' and '.join(sorted(self.segments))}"] if self.segments else []
        return ", and ".join([*seen, *([f"the steps for {self._at}"] if self._at else [])])

    @property
    def _at(self) -> str:
        if self.mailbox is None:
            return ""
        return _ELSEWHERE if self.mailbox is MailboxProvider.OTHER else self.mailbox.label
