"""The policy on consent and leaving: who may be emailed, and what brings someone back who left.

Lists, suppressions, the sync with a provider, erasing and the sending of held email all follow it. The SQL that applies
it to a million rows is generated here too, and a test holds the two against each other over random histories.

A person is emailed only with a consent on record or a stated basis, and never while suppressed. In doubt, the leaving
counts: a leaving is as late as its text can mean, and only a consent that is newer than all of that, newer than the
consent that was on record when they left, not in the future, and with its source, brings someone back. A consent that
is on record already, with its source, brings no one back when it is read again.

Two emails go to people without a consent. One asks them to confirm their sign-up, and `may_be_asked` says who gets it.
A confirmed sign-up is a consent of the moment at which it was asked for, so a leaving after that counts. The other asks
people on the list for the consent that is missing, once, and `may_be_asked_again` says who gets it. Their yes is a
consent of that moment.

Times are texts as the database stores them, which sort as the times do. An empty string means that there is none.
"""

from collections.abc import Collection
from datetime import UTC, date, datetime, time, tzinfo

from msgspec import Struct
from msgspec.structs import replace

from newsletter.model.audience import SuppressionReason
from newsletter.model.columns import SubscriberRecord
from newsletter.model.ledger import NO_CONSENT, PAUSED
from newsletter.model.signup import ASKED_AGAIN, SignupState

# A person cannot lift a suppression that someone added by hand, or one because the address does not exist.
LIFTED_BY_CONSENT = (
    SuppressionReason.UNSUBSCRIBED,
    SuppressionReason.BOUNCED,
    SuppressionReason.COMPLAINED,
    SuppressionReason.IN_DOUBT,
)

# Someone can fill in a form with another person's address, so a confirmed sign-up takes back an unsubscription, and no
# report about the address: not even a doubt, which may hide one.
LIFTED_BY_SIGNUP = (SuppressionReason.UNSUBSCRIBED,)

_DAY = len("2026-02-19")  # the part of a stored time that is its day
_FIRM = (SuppressionReason.INVALID, SuppressionReason.MANUAL)  # the reasons that no consent lifts, the firmest last
# Of two reasons, the one that less can lift is kept: someone who unsubscribes and also marks the email as spam must not
# come back by a form. The last one is the firmest.
_BY_FIRMNESS = (
    SuppressionReason.IN_DOUBT,
    SuppressionReason.UNSUBSCRIBED,
    SuppressionReason.BOUNCED,
    SuppressionReason.COMPLAINED,
    *_FIRM,
)


class Consent(Struct, frozen=True, kw_only=True):
    """A consent as a row of a list, or a form, gives it."""

    at: str
    source: str

    def outweighs(self, until: str, *, now: str) -> bool:
        """Return whether the consent is newer than a leaving that may have been as late as `until`."""
        return bool(self.source) and until < self.at <= now

    def is_new(self, known: "Consent") -> bool:
        """Return whether the consent says more than the one that is on record."""
        return self.at > known.at or (self.at == known.at and not known.source)


class Leaving(Struct, frozen=True, kw_only=True):
    """A suppression from all email or from one topic, as far as the policy looks at it."""

    reason: SuppressionReason
    left_at: str  # the first time that they left
    until: str = ""  # the latest time that they may have left, if it is later
    consent_on_record: str = ""  # when the consent was given that was on record when they left

    @property
    def last(self) -> str:
        """Return the latest time at which they may have left."""
        return max(self.left_at, self.until)

    def ends_with(self, consent: Consent, *, known: Consent, now: str) -> bool:
        """Return whether a consent brings the person back. `known` is the one that is on record."""
        return (
            self.reason in LIFTED_BY_CONSENT
            and consent.is_new(known)
            and consent.outweighs(self.last, now=now)
            and consent.at > self.consent_on_record
        )

    def after(self, earlier: str) -> "Leaving":
        """Return the leaving of someone who had left and come back before. `earlier` is the last time of that."""
        return replace(self, until=earlier) if earlier > self.last else self

    def reported_while(self, known: "Leaving | None", consent: str) -> "Leaving":
        """Return the leaving as it counts if it is reported while a consent is on record, and perhaps a leaving known.

        That consent was on record when they left, unless they left no later than is known.
        """
        is_new = known is None or self.last > known.last
        return replace(self, consent_on_record=max(self.consent_on_record, consent)) if is_new else self

    def followed_by(self, other: "Leaving") -> "Leaving":
        """Return both leavings as one. The first time and the firmer reason are kept, and the latest time is counted.

        The time of a doubt is not kept.
        """
        is_doubt, is_repeated = self.reason is SuppressionReason.IN_DOUBT, other.reason is SuppressionReason.IN_DOUBT
        if is_repeated and not is_doubt:
            return self
        is_first = is_repeated or not is_doubt
        kept = self if is_first else other
        last = max(self.last if is_first else "", other.last)
        return Leaving(
            reason=max(self.reason, other.reason, key=_firmness),
            left_at=kept.left_at,
            until=last if last > kept.left_at else "",
            consent_on_record=max(self.consent_on_record, other.consent_on_record),
        )


def may_be_asked(reason: SuppressionReason | None) -> bool:
    """Return whether someone may be asked by email to confirm a sign-up. `reason` keeps all email from them, if any."""
    return reason is None or reason in LIFTED_BY_SIGNUP


def may_be_asked_again(
    record: SubscriberRecord, leavings: Collection[SuppressionReason], *, was_asked: bool, at: datetime
) -> bool:
    """Return whether someone on the list may be asked, at a time, for a consent that is not on record.

    No one is asked twice. `leavings` are the reasons that keep email from them, all of it or that about a topic.
    """
    is_wanted = not record.may_be_mailed and not pause_at(record.paused_until, at)
    return is_wanted and not leavings and not was_asked and ASKED_AGAIN not in record.tags


def returns_by_signup(left: "Leaving", consent: Consent, *, known: Consent, now: str) -> bool:
    """Return whether a confirmed sign-up brings someone back who left. `known` is the consent on record."""
    return left.reason in LIFTED_BY_SIGNUP and left.ends_with(consent, known=known, now=now)


def is_firm(reason: str) -> bool:
    """Return whether no consent lifts a suppression with this reason."""
    return reason in _FIRM


def _firmness(reason: SuppressionReason) -> int:
    """Return a number that is higher for a reason that replaces another."""
    return _BY_FIRMNESS.index(reason)


def firmness_sql(reason: str) -> str:
    """Return the firmness of a reason as SQL, for the column with the reason."""
    ranks = " ".join(f"WHEN '{each.value}' THEN {_firmness(each)}" for each in SuppressionReason)
    return f"(CASE {reason} {ranks} END)"


def firmer_sql(first: str, second: str) -> str:
    """Return the firmer of two reasons as SQL, for the columns with them. Words that are no reasons are the weakest."""
    ranks = [firmness_sql(column).replace(" END)", " ELSE -1 END)") for column in (first, second)]
    return f"CASE WHEN {ranks[0]} > {ranks[1]} THEN {first} ELSE {second} END"


def firmest_sql(first: str, second: str) -> str:
    """Return the reason of `Leaving.followed_by` as SQL, for the tables with both leavings.

    The second table has the firmest reason that was reported as a number, in the column `firmness`.
    """
    cases = " ".join(
        f"WHEN {first}.reason = '{each.value}' OR {second}.firmness = {_firmness(each)} THEN '{each.value}'"
        for each in reversed(_BY_FIRMNESS)
    )
    return f"CASE {cases} END"


def outweighs_sql(row: str, until: str) -> str:
    """Return `Consent.outweighs` as SQL, for the table with the consent and the column with the time of leaving."""
    return f"({row}.consented_at > {until} AND {row}.consented_at <= :now AND {row}.consent_source <> '')"


def is_new_sql(row: str, known: str) -> str:
    """Return `Consent.is_new` as SQL, for the tables with both consents. Someone who is not on the list has none."""
    return (
        f"({known}.person IS NULL OR {row}.consented_at > {known}.consented_at"
        f" OR ({row}.consented_at = {known}.consented_at AND {known}.consent_source = ''))"
    )


def last_sql(row: str) -> str:
    """Return `Leaving.last` as SQL, for the table with the suppression."""
    return f"(CASE WHEN {row}.repeated_at > {row}.created_at THEN {row}.repeated_at ELSE {row}.created_at END)"


def ends_with_sql(row: str) -> str:
    """Return `Leaving.ends_with` as SQL, for the table with a new consent and the suppression `p`."""
    reasons = ", ".join(f"'{reason.value}'" for reason in LIFTED_BY_CONSENT)
    return (
        f"p.reason IN ({reasons}) AND {outweighs_sql(row, last_sql('p'))} AND {row}.consented_at > p.consent_on_record"
    )


def pause_at(paused_until: datetime | None, at: datetime) -> str:
    """Return why a person gets no email that would reach them at a time, or an empty text if they have not paused.

    A pause ends by itself. Its day is the one that they chose: see `end_of_pause`.
    """
    return f"{PAUSED} {paused_until:%Y-%m-%d}" if paused_until is not None and paused_until > at else ""


def end_of_pause(day: date, zone: tzinfo) -> datetime:
    """Return when a pause until a day ends: not before that day has begun for the person, nor before it has in UTC.

    The day in UTC is therefore the one that the person chose, wherever they are.
    """
    own, utc = (datetime.combine(day, time(), zone) for zone in (zone, UTC))
    return max(own.astimezone(UTC), utc)


def left_sql(row: str) -> str:
    """Return SQL for why a person must not be emailed anymore, or NULL if they may, for the table of deliveries.

    `s` is the subscriber, and `p` their suppression from all email. `:leaving` is the reason for people who left all
    topics of the broadcast. If it is empty, topics are not checked. `:at` is the time at which the email would reach
    them.
    """
    stayed = (  # the topics of the broadcast that they have not left
        f"SELECT 1 FROM broadcast_topic AS t WHERE t.broadcast = {row}.broadcast AND NOT EXISTS ("  # noqa: S608 - our own names
        "SELECT 1 FROM suppression AS l WHERE l.person = s.person AND l.topic = t.topic)"
    )
    return (
        "coalesce(p.reason, CASE WHEN s.id IS NULL THEN 'removed from the list' END,"
        f" CASE WHEN :leaving <> '' AND NOT EXISTS ({stayed}) THEN :leaving END,"
        f" CASE WHEN s.consented_at = '' AND s.consent_basis = '' THEN '{NO_CONSENT}' END,"
        f" CASE WHEN s.paused_until > :at THEN '{PAUSED} ' || substr(s.paused_until, 1, {_DAY}) END)"
    )


def unsent_sql(row: str) -> str:
    """Return SQL for why a link that someone asked for must not be sent anymore, or NULL, for the table of requests.

    `s` is the subscriber, and `p` what keeps all email from the owner of the address. `may_be_asked` decides: a
    person who has unsubscribed can still ask for their data.
    """
    lifted = ", ".join(f"'{reason.value}'" for reason in LIFTED_BY_SIGNUP)
    return (
        f"CASE WHEN {row}.id IS NULL OR s.id IS NULL THEN 'not wanted anymore'"
        f" WHEN p.reason NOT IN ({lifted}) THEN p.reason END"
    )


def unasked_for_sql(row: str) -> str:
    """Return SQL for why someone is not to be asked for a consent, or NULL, for the table of subscribers.

    This is `may_be_asked_again` without whether they were asked. `:at` is the time at which they would be.
    """
    return (
        f"coalesce((SELECT min(l.reason) FROM suppression AS l WHERE l.person = {row}.person),"  # noqa: S608 - our own names
        f" CASE WHEN {row}.consented_at <> '' OR {row}.consent_basis <> '' THEN 'a consent or basis is on record' END,"
        f" CASE WHEN {row}.paused_until > :at THEN '{PAUSED} ' || substr({row}.paused_until, 1, {_DAY}) END)"
    )


def unaskable_sql(row: str) -> str:
    """Return SQL for why someone must not be asked for a consent, or NULL: `may_be_asked_again` as SQL."""
    asked = "SELECT 1 FROM signup AS q WHERE q.is_asked_again = 1"
    return (
        f"coalesce({unasked_for_sql(row)}, CASE WHEN {row}.tags LIKE '%|{ASKED_AGAIN}|%'"
        f" OR EXISTS ({asked} AND q.person = {row}.person) OR EXISTS ({asked} AND q.subscriber = {row}.id)"
        " THEN 'asked before' END)"
    )


def unasked_again_sql(row: str) -> str:
    """Return SQL for why someone must not get the email that asks for a consent, or NULL, for the table of sign-ups.

    `s` is the subscriber. The email is for the address to which it was to go, and for no other.
    """
    return (
        f"CASE WHEN {row}.id IS NULL OR s.id IS NULL OR s.person <> {row}.person THEN 'removed from the list'"
        f" WHEN {row}.state = '{SignupState.CONFIRMED.value}' THEN 'confirmed already' ELSE {unasked_for_sql('s')} END"
    )


def unasked_sql(row: str) -> str:
    """Return SQL for why an email about a sign-up must not be sent anymore, or NULL, for the table of sign-ups.

    `s` is the subscriber, and `p` the person's suppression from all email. The email that says that someone is on the
    list already goes only to people who are there, with a consent or a basis. `may_be_asked` decides for all others.
    """
    lifted = ", ".join(f"'{reason.value}'" for reason in LIFTED_BY_SIGNUP)
    return (
        f"CASE WHEN {row}.id IS NULL THEN 'removed from the list'"
        f" WHEN {row}.state = '{SignupState.CONFIRMED.value}' THEN 'confirmed already'"
        f" WHEN {row}.state = '{SignupState.KNOWN.value}' THEN coalesce(p.reason,"
        " CASE WHEN s.id IS NULL THEN 'removed from the list'"
        f" WHEN s.consented_at = '' AND s.consent_basis = '' THEN '{NO_CONSENT}' END)"
        f" WHEN p.reason NOT IN ({lifted}) THEN p.reason END"
    )
