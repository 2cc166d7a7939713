"""The lists that other newsletter tools export: by which columns each is recognised, and what its columns mean.

Only a column that says when somebody agreed counts as their consent. A time at which a tool added them, by a form or by
an import, is when they joined. What describes the tool rather than the person is left out; columns that are not named
here become attributes.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, replace

LEFT_OUT = ""  # where a column goes that is not taken
JSON = "json"  # a column that holds further attributes, as a JSON object

ANYTHING = "*"  # any value at all
# Why somebody must not be mailed, in words.
BOUNCED = "bounced"
COMPLAINED = "complained about a mail"
NOT_CONFIRMED = "not confirmed"

_YES = ("true", "yes", "1", "y")


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusColumn:
    """A column that may say that somebody must not be mailed."""

    name: str
    reasons: Mapping[str, str]  # the values, in lower case, that say so; why the row is not taken
    mailed: frozenset[str] | None = None  # the values of somebody who is mailed; None: all others
    is_free: bool = False  # other values may stand there too, and say nothing about mail

    def reason_of(self, cell: str) -> str:
        """Return why somebody with this value must not be mailed; empty where it says nothing against it."""
        said = cell.lower()
        return self.reasons.get(said) or (self.reasons.get(ANYTHING, "") if said else "")

    def is_unknown(self, cell: str) -> bool:
        """Return whether a value says neither that somebody is mailed nor that they must not be."""
        return bool(cell) and self.mailed is not None and cell.lower() not in self.mailed and not self.reason_of(cell)


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

# What people are who are mailed, in a column of a list of one's own.
_MAILED = (
    "subscribed,subscriber,active,enabled,confirmed,regular,premium,member,free,paid,comp,opted in,opted-in,opted_in,"
    "opt in,opt-in,opt_in,optin,optedin,yes,true,ok,valid,mailable"
)


def _reasons(words: Mapping[str, str]) -> dict[str, str]:
    """Return the reason of each word, from the words of each reason, which commas stand between."""
    return {word: reason for reason, told in words.items() for word in told.split(",")}


# What a column `status` says in a list of one's own, and in Kit's. A list has no business with those who left.
STATUS = StatusColumn(
    name="status",
    reasons=_reasons(
        {
            "unsubscribed": "unsubscribed,unsub,non-subscribed,nonsubscribed,cancelled,canceled,"
            "optout,opt out,opt-out,opt_out,optedout,opted out,opted-out,opted_out",
            "removed": "removed",
            "deleted": "deleted",
            "blocked": "suppressed,blacklisted,blocked,blocklisted",
            BOUNCED: "bounce,bounced,cleaned",
            COMPLAINED: "spam,complaint,complained",
            NOT_CONFIRMED: "inactive,unconfirmed,pending",
        }
    ),
    mailed=frozenset(_MAILED.split(",")),
    is_free=True,
)

# What describes the tool rather than the person.
_MAILCHIMP_ONLY = """
MEMBER_RATING OPTIN_IP CONFIRM_IP LATITUDE LONGITUDE GMTOFF DSTOFF LAST_CHANGED LEID EUID UNSUB_CAMPAIGN_TITLE
UNSUB_CAMPAIGN_ID UNSUB_REASON UNSUB_REASON_OTHER CLEAN_CAMPAIGN_TITLE CLEAN_CAMPAIGN_ID
"""
_BUTTONDOWN_MAILED = "regular,premium,gifted,trialed,unpaid,past_due,paused,churning,churned"
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
            **dict.fromkeys(_MAILCHIMP_ONLY.split(), (LEFT_OUT,)),
        },
        status=(
            StatusColumn(name="UNSUB_TIME", reasons={ANYTHING: "unsubscribed"}),
            StatusColumn(name="CLEAN_TIME", reasons={ANYTHING: BOUNCED}),
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
            **dict.fromkeys(["id", "stripe_customer_id", "gift_id"], (LEFT_OUT,)),
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
            **dict.fromkeys(["uuid", "updated_at"], (LEFT_OUT,)),
            "attributes": (JSON,),
            "created_at": ("joined_at",),
        },
        status=(
            StatusColumn(
                name="status",
                reasons={"blocklisted": "blocklisted", "disabled": "disabled"},
                mailed=frozenset({"enabled"}),
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
                reasons=_reasons(
                    {
                        "unsubscribed": "unsubscribed",
                        "removed": "removed",
                        "disabled": "disabled",
                        "blocked": "blocked,spammy",
                        BOUNCED: "bounced,undeliverable",
                        COMPLAINED: "complained",
                        NOT_CONFIRMED: "unactivated",
                    }
                ),
                mailed=frozenset(_BUTTONDOWN_MAILED.split(",")),
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
            **dict.fromkeys(["MODIFIED_TIME", "SMS_BLACKLISTED", "WHATSAPP_BLACKLISTED", "CONTACT ID"], (LEFT_OUT,)),
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
        status=(STATUS, replace(STATUS, name="state")),
    ),
)

# What `subscribers export` writes: nothing in it is called by another name, or says that somebody left.
OUR_EXPORT = ExportFormat(tool="", known_by=(("email", "consented_at", "consent_basis"),), columns={})

# A list of one's own, or of a tool that is not known.
OWN = ExportFormat(
    tool="",
    known_by=(),
    columns=SYNONYMS,
    status=(
        STATUS,
        replace(STATUS, name="subscription_status"),
        *(StatusColumn(name=name, reasons={ANYTHING: "unsubscribed"}) for name in ("unsubscribed_at", "opted_out_at")),
        *(
            StatusColumn(name=name, reasons=dict.fromkeys(_YES, "unsubscribed"))
            for name in ("unsubscribed", "opted_out", "opt_out", "do_not_email")
        ),
    ),
)


def letters_of(name: str) -> str:
    """Return the letters and digits of a column's name, so that `E-Mail Address` and `email_address` are the same."""
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFC", name).casefold())


def recognise(names: frozenset[str]) -> ExportFormat:
    """Return the format that has these columns, given by their letters."""
    formats = (OUR_EXPORT, *FORMATS)
    return next(
        (found for found in formats for known in found.known_by if names.issuperset(map(letters_of, known))), OWN
    )
