"""The permissions that a SendGrid key needs, apart from the client, because setup shows them without loading it."""

from newsletter.model.diagnosis import Health

# For each permission: its name in the account, its scopes, and the consequence if they are missing.
NEEDS = (
    ("Mail Send", ("mail.send",), Health.ERROR, "no email can be sent"),
    (
        "Mail Send: Scheduled Sends",
        ("mail.batch.create", "user.scheduled_sends.create", "user.scheduled_sends.read"),
        Health.WARNING,
        "SendGrid cannot hold email until a given time, and held email cannot be recalled",
    ),
    (
        "Suppressions",
        ("suppression.read", "suppression.create", "suppression.delete"),
        Health.WARNING,
        "`newsletter suppressions sync` does not work, and people who complained will be emailed again",
    ),
    ("Email Activity", ("messages.read",), Health.WARNING, "unconfirmed batches cannot be looked up"),
    ("Sender Authentication: read", ("whitelabel.read",), Health.WARNING, "the DNS records to publish are not known"),
)
# What to choose when the key is created.
NEEDED_PERMISSIONS = tuple(name for name, *_ in NEEDS)
