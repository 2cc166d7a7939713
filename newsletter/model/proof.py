"""What a proof says: the bundle about a whole broadcast, and the line about one person."""

from collections.abc import Mapping

from msgspec import Struct

BUNDLE_FORMAT = "newsletter-proof/1"
LINE_FORMAT = "newsletter-proof-line/1"


class ProvedBroadcast(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the bundle says about the broadcast itself. Times are in UTC."""

    number: int
    id: str  # as the provider knows it
    issue: str
    kind: str
    segment: str
    expression: str  # what the segment meant then
    provider: str
    sender: str  # the address
    state: str
    created_at: str
    finished_at: str  # empty if it did not come to an end of its own


class ProvedText(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A text of the email. What each reader gets in a slot stands between two parts."""

    parts: tuple[str, ...]
    slots: tuple[int, ...]  # which slot stands after each part but the last


class ProvedPicture(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An image that was part of the email."""

    name: str
    content_type: str
    sha256: str


class ProvedMail(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One version of the email, as it was frozen."""

    language: str
    readers: Mapping[str, str]  # what these readers have in common, by axis
    deliveries: int
    subject: ProvedText
    preheader: ProvedText
    html: ProvedText
    text: ProvedText
    slots: tuple[tuple[str, ...], ...]  # the source of each slot, and how its value is written
    pictures: tuple[ProvedPicture, ...]


class ProvedApproval(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who approved exactly this content, and when."""

    by: str
    at: str
    voided: str  # why it does not count any more; empty if it does


class ProvedFinding(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One problem that a check found before the broadcast began."""

    rule: str
    severity: str
    what: str
    waived: str  # the reason for overriding it; empty if it was not


class ProvedSkip(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A check that did not run."""

    rule: str
    why: str


class ProvedChecks(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The checks as they stood when the broadcast began."""

    passed: tuple[str, ...]
    found: tuple[ProvedFinding, ...]
    skipped: tuple[ProvedSkip, ...]


class ProvedWaiver(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A check or a requirement that was overridden, and the reason."""

    rule: str
    because: str


class Bundle(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The signed statement about a broadcast. It names no recipient."""

    format: str
    made_at: str
    broadcast: ProvedBroadcast
    content_hash: str
    mail: tuple[ProvedMail, ...]
    approvals: tuple[ProvedApproval, ...]
    tested_at: str
    checks: ProvedChecks | None  # None: the broadcast is older than their record
    waivers: tuple[ProvedWaiver, ...]
    outcomes: Mapping[str, int]  # how many lines have each outcome
    lines: int
    root: str
    key: str  # the public key
    fingerprint: str
    signature: str = ""  # empty only while it is being made


class LineFields(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """What a line says about a person. Keys without a value are left out.

    The fields are in the order of their names, so that msgspec writes the same as `canonical`, in a tenth of the time.
    """

    address: str = ""  # empty if the person was erased before the proof was made
    at: str = ""  # when the email reached its outcome
    basis: str = ""  # the basis that was stated for mailing them, if there was no consent
    confirmed_at: str = ""
    consented_at: str = ""
    outcome: str = ""  # the state of their email
    reason: str = ""
    source: str = ""  # where they consented
    wording: str = ""  # the version of the words to which they consented


class ProofLine(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What opens one line of a bundle. It names the person."""

    format: str
    number: int  # the place among the lines, from 0
    salt: str
    fields: LineFields
    path: tuple[str, ...]
    root: str  # of the bundle to which it belongs


class Opening(Struct, frozen=True, array_like=True):
    """A line as the ledger keeps it. Once the person is erased, only the number remains."""

    subscriber: int
    salt: bytes = b""
    fields: bytes = b""
