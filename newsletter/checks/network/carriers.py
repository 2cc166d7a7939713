"""What the larger carriers of mail ask to be included in SPF, and where their DKIM keys stand.

A relay is known by its host. Whatever is not listed here is named under `[authentication]`.
"""

from newsletter.settings.provider import SENDGRID, Carrier

# The end of a relay's host → whose it is.
_OF_HOST = {
    "smtp.sendgrid.net": SENDGRID,
    "amazonaws.com": Carrier(name="Amazon SES", spf_include="amazonses.com"),
    "smtp.gmail.com": Carrier(name="Google", spf_include="_spf.google.com", selectors=("google",)),
    "smtp-relay.gmail.com": Carrier(name="Google", spf_include="_spf.google.com", selectors=("google",)),
    "smtp.office365.com": Carrier(
        name="Microsoft", spf_include="spf.protection.outlook.com", selectors=("selector1", "selector2")
    ),
    "mail.protection.outlook.com": Carrier(
        name="Microsoft", spf_include="spf.protection.outlook.com", selectors=("selector1", "selector2")
    ),
    "fastmail.com": Carrier(name="Fastmail", spf_include="spf.messagingengine.com", selectors=("fm1", "fm2", "fm3")),
    "brevo.com": Carrier(name="Brevo", spf_include="spf.brevo.com"),
    "mailgun.org": Carrier(name="Mailgun", spf_include="mailgun.org"),
    "mailjet.com": Carrier(name="Mailjet", spf_include="spf.mailjet.com", selectors=("mailjet",)),
    "mandrillapp.com": Carrier(name="Mandrill", spf_include="spf.mandrillapp.com", selectors=("mte1", "mte2")),
    "postmarkapp.com": Carrier(name="Postmark", spf_include="spf.mtasv.net"),
    "sparkpostmail.com": Carrier(name="SparkPost", spf_include="sparkpostmail.com"),
    "zoho.com": Carrier(name="Zoho", spf_include="zohomail.com"),
    "zoho.eu": Carrier(name="Zoho", spf_include="zohomail.eu"),
}


def carrier_of(host: str) -> Carrier | None:
    """Whose relay a host is; None where it is a small one, or one's own."""
    labels = host.lower().split(".")
    return next((found for start in range(len(labels)) if (found := _OF_HOST.get(".".join(labels[start:])))), None)
