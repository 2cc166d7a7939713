"""The reasons for which a list says that someone must not be emailed, and what they mean for us."""

from enum import StrEnum

from newsletter.model.audience import SuppressionReason


class LeavingReason(StrEnum):
    """Why someone must not be emailed, as a list says it. The values are keys of leaving_words.toml."""

    UNSUBSCRIBED = "unsubscribed"
    COMPLAINED = "complained"
    BOUNCED = "bounced"
    BLOCKED = "blocked"
    DELETED = "deleted"
    TURNED_OFF = "turned_off"
    NOT_CONFIRMED = "not_confirmed"
    # Only our own export says these.
    INVALID = "invalid"
    MANUAL = "manual"
    IN_DOUBT = "in doubt"

    @property
    def told(self) -> str:
        """Return the reason in words that complete "this person …"."""
        return _TOLD.get(self, self.value)


_TOLD = {
    LeavingReason.COMPLAINED: "complained about an email",
    LeavingReason.TURNED_OFF: "email is turned off",
    LeavingReason.NOT_CONFIRMED: "not confirmed",
    LeavingReason.INVALID: "the address does not exist",
    LeavingReason.MANUAL: "blocked by hand",
    LeavingReason.IN_DOUBT: "cannot tell whether this person left",
}
# The reasons for which people are suppressed. Someone who has not confirmed the address never joined.
SUPPRESSIONS = {
    **dict.fromkeys(LeavingReason, SuppressionReason.UNSUBSCRIBED),
    LeavingReason.COMPLAINED: SuppressionReason.COMPLAINED,
    LeavingReason.BOUNCED: SuppressionReason.BOUNCED,
    LeavingReason.NOT_CONFIRMED: None,
    LeavingReason.INVALID: SuppressionReason.INVALID,
    LeavingReason.MANUAL: SuppressionReason.MANUAL,
    LeavingReason.IN_DOUBT: SuppressionReason.IN_DOUBT,
}
# If a row gives several reasons, the first of these is kept.
LEAVING_ORDER = (
    LeavingReason.MANUAL,
    LeavingReason.COMPLAINED,
    LeavingReason.INVALID,
    LeavingReason.BOUNCED,
    LeavingReason.BLOCKED,
    LeavingReason.UNSUBSCRIBED,
    LeavingReason.DELETED,
    LeavingReason.TURNED_OFF,
    LeavingReason.IN_DOUBT,
    LeavingReason.NOT_CONFIRMED,
)
