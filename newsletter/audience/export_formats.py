"""The lists that other newsletter tools export: by which columns each is recognised, and what its columns mean.

Only a column that says when somebody agreed counts as their consent. A time at which a tool added them, by a form or by
an import, is when they joined. What describes the tool rather than the person is left out; columns that are not named
here become attributes.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

LEFT_OUT = ""  # where a column goes that is not taken
JSON = "json"  # a column that holds further attributes, as a JSON object

ANYTHING = "*"  # any value at all
_YES = ("true", "yes", "1", "y")


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusColumn:
    """A column that may say that somebody must not be mailed."""

    name: str
    reasons: Mapping[str, str]  # the values, in lower case, that say so; why the row is not taken
    harmless: frozenset[str] | None = None  # the values that say nothing against it; None: all others


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportFormat:
    """What a tool writes."""

    tool: str
    known_by: tuple[tuple[str, ...], ...]  # any of these sets of columns, all of them there
    columns: Mapping[str, tuple[str, ...]]  # its name → ours (several where it means several), LEFT_OUT, or JSON
    status: tuple[StatusColumn, ...] = ()
    is_day_first: bool | None = None  # in dates of three numbers; None: as they say themselves


# What our columns are called elsewhere, whatever the tool.
SYNONYMS = {"Email Address": ("email",), "Given Name": ("first_name",), "Surname": ("last_name",)}

# What a column `status` says in a list of one's own, and in Kit's. A list has no business with those who left.
STATUS = StatusColumn(
    name="status",
    reasons={
        "unsubscribed": "unsubscribed",
        "cancelled": "unsubscribed",
        "canceled": "unsubscribed",
        "inactive": "not confirmed",
        "unconfirmed": "not confirmed",
        "pending": "not confirmed",
        "bounced": "bounced",
        "cleaned": "bounced",
        "complained": "complained about a mail",
        "blocked": "blocked",
        "blocklisted": "blocked",
        "deleted": "deleted",
    },
)

# What describes the tool rather than the person.
_MAILCHIMP_ONLY = """
MEMBER_RATING OPTIN_IP CONFIRM_IP LATITUDE LONGITUDE GMTOFF DSTOFF LAST_CHANGED LEID EUID UNSUB_CAMPAIGN_TITLE
UNSUB_CAMPAIGN_ID UNSUB_REASON UNSUB_REASON_OTHER CLEAN_CAMPAIGN_TITLE CLEAN_CAMPAIGN_ID
"""
_SENDGRID_ONLY = "UPDATED_AT CONTACT_ID ALTERNATE_EMAILS PHONE_NUMBER_ID EXTERNAL_ID ANONYMOUS_ID"

FORMATS = (
    # https://mailchimp.com/help/view-export-contacts/ (one file each for subscribed, unsubscribed and cleaned contacts)
    ExportFormat(
        tool="Mailchimp",
        known_by=(("OPTIN_TIME", "CONFIRM_TIME"), ("MEMBER_RATING", "LEID", "EUID")),
        columns={
            "FNAME": ("first_name",),
            "LNAME": ("last_name",),
            "OPTIN_TIME": ("consented_at", "joined_at"),
            "CONFIRM_TIME": ("consent_confirmed_at",),
            "TIMEZONE": ("timezone",),
            "CC": ("country",),
            "REGION": ("region",),
            "TAGS": ("tags",),
            **dict.fromkeys(
                [
                    "MEMBER_RATING",
                    "OPTIN_IP",
                    "CONFIRM_IP",
                    "LATITUDE",
                    "LONGITUDE",
                    "GMTOFF",
                    "DSTOFF",
                    "LAST_CHANGED",
                    "LEID",
                    "EUID",
                    "UNSUB_CAMPAIGN_TITLE",
                    "UNSUB_CAMPAIGN_ID",
                    "UNSUB_REASON",
                    "UNSUB_REASON_OTHER",
                    "CLEAN_CAMPAIGN_TITLE",
                    "CLEAN_CAMPAIGN_ID",
                ],
                (LEFT_OUT,),
            ),
        },
        status=(
            StatusColumn(name="UNSUB_TIME", reasons={ANYTHING: "unsubscribed"}),
            StatusColumn(name="CLEAN_TIME", reasons={ANYTHING: "bounced"}),
            STATUS,
        ),
    ),
    # The file email_list.….csv of the whole export, and the one of the subscriber dashboard.
    ExportFormat(
        tool="Substack",
        known_by=(("email", "active_subscription"), ("Email", "Subscription type", "Subscription date")),
        columns={
            "created_at": ("joined_at",),
            "Subscription date": ("joined_at",),
            "Subscriber country": ("country",),
            "prefer_digests": (LEFT_OUT,),
        },
        status=(StatusColumn(name="email_disabled", reasons=dict.fromkeys(_YES, "mail was switched off")),),
    ),
    # https://github.com/TryGhost/Ghost, members exporter; the last columns differ by version.
    ExportFormat(
        tool="Ghost",
        known_by=(("email", "subscribed_to_emails"),),
        columns={
            "id": (LEFT_OUT,),
            "stripe_customer_id": (LEFT_OUT,),
            "gift_id": (LEFT_OUT,),
            "created_at": ("joined_at",),
            "labels": ("tags",),
        },
        status=(
            StatusColumn(name="subscribed_to_emails", reasons={"false": "unsubscribed", "": "unsubscribed"}),
            StatusColumn(name="deleted_at", reasons={ANYTHING: "deleted"}),
        ),
    ),
    # https://github.com/knadh/listmonk, cmd/subscribers.go; times are written as Go prints them.
    ExportFormat(
        tool="listmonk",
        known_by=(("uuid", "email", "attributes", "status"),),
        columns={
            "uuid": (LEFT_OUT,),
            "attributes": (JSON,),
            "created_at": ("joined_at",),
            "updated_at": (LEFT_OUT,),
        },
        status=(
            StatusColumn(
                name="status",
                reasons={"blocklisted": "blocklisted", "disabled": "disabled"},
                harmless=frozenset({"enabled"}),
            ),
        ),
    ),
    # https://docs.buttondown.com/api-subscribers-introduction; a subscriber's type says whether they are mailed.
    ExportFormat(
        tool="Buttondown",
        known_by=(("email", "creation_date", "type"), ("email_address", "creation_date"), ("email", "creation_date")),
        columns={
            "creation_date": ("joined_at",),
            "metadata": (JSON,),
            **dict.fromkeys(["id", "secondary_id", "ip_address", "stripe_customer_id", "avatar_url"], (LEFT_OUT,)),
        },
        status=(
            StatusColumn(
                name="type",
                reasons={
                    "unsubscribed": "unsubscribed",
                    "unactivated": "not confirmed",
                    "removed": "removed",
                    "blocked": "blocked",
                    "spammy": "blocked",
                    "complained": "complained about a mail",
                    "bounced": "bounced",
                    "undeliverable": "bounced",
                    "disabled": "disabled",
                },
                harmless=frozenset(
                    {"regular", "premium", "gifted", "trialed", "unpaid", "past_due", "paused", "churning", "churned"}
                ),
            ),
        ),
    ),
    # https://www.twilio.com/docs/sendgrid/ui/managing-contacts; whoever left is in lists of their own there.
    ExportFormat(
        tool="SendGrid",
        known_by=(("EMAIL", "STATE_PROVINCE_REGION"), ("EMAIL", "CONTACT_ID", "CREATED_AT")),
        columns={
            "CREATED_AT": ("joined_at",),
            "STATE_PROVINCE_REGION": ("region",),
            **dict.fromkeys(_SENDGRID_ONLY.split(), (LEFT_OUT,)),
        },
    ),
    # https://help.brevo.com, Export your contacts; attributes are in capitals, days stand before months.
    ExportFormat(
        tool="Brevo",
        known_by=(("EMAIL", "ADDED_TIME"), ("EMAIL", "EMAIL_BLACKLISTED"), ("EMAIL", "LASTNAME", "FIRSTNAME", "SMS")),
        columns={
            "ADDED_TIME": ("joined_at",),
            **dict.fromkeys(["MODIFIED_TIME", "SMS_BLACKLISTED", "WHATSAPP_BLACKLISTED"], (LEFT_OUT,)),
            "CONTACT ID": (LEFT_OUT,),
        },
        status=tuple(
            StatusColumn(name=name, reasons=dict.fromkeys(_YES, "blocklisted"))
            for name in ("EMAIL_BLACKLISTED", "EMAIL_BLOCKLISTED", "BLACKLISTED", "BLOCKLISTED")
        ),
        is_day_first=True,
    ),
    # https://help.kit.com, Export subscribers: one file for each state, or all of them with a column of it.
    ExportFormat(
        tool="Kit",
        known_by=(("first_name", "email", "created_at", "status"), ("first_name", "email", "created_at", "state")),
        columns={"id": (LEFT_OUT,), "created_at": ("joined_at",)},
        status=(
            STATUS,
            StatusColumn(name="state", reasons=STATUS.reasons),
        ),
    ),
)

# What `subscribers export` writes: nothing in it is called by another name, or says that somebody left.
OUR_EXPORT = ExportFormat(tool="", known_by=(("email", "consented_at", "consent_basis"),), columns={})

# A list of one's own, or of a tool that is not known.
OWN = ExportFormat(
    tool="",
    known_by=(),
    columns=SYNONYMS,
    status=(STATUS, StatusColumn(name="subscription_status", reasons=STATUS.reasons)),
)


def letters_of(name: str) -> str:
    """A column's name by its letters and digits alone, so that `E-Mail Address` and `email_address` are the same."""
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFC", name).casefold())


def recognise(names: frozenset[str]) -> ExportFormat:
    """The format that has these columns, given by their letters."""
    formats = (OUR_EXPORT, *FORMATS)
    return next(
        (found for found in formats for known in found.known_by if names.issuperset(map(letters_of, known))), OWN
    )
