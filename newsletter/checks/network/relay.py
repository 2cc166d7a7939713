"""D6: mail goes to the relay encrypted, and to no other than the relay (RFC 3207)."""

import smtplib
import socket
import ssl

from newsletter.checks.network.names import Names
from newsletter.checks.network.sender import RuleResult, Sender, broken
from newsletter.checks.network.web import is_private_literal
from newsletter.errors import CannotRunError
from newsletter.settings.provider import SmtpSettings

RULE = "D6"
_SECONDS = 5.0
_KEY = ("provider", "smtp", "host")
_SECURITY_KEY = ("provider", "smtp", "security")


def judge_relay(sender: Sender, names: Names) -> RuleResult:
    """Connect, greet, and ask for encryption with the relay's certificate verified; then go away again.

    Raise CannotRunError where the relay cannot be reached.
    """
    relay = sender.relay
    if relay is None:
        return RuleResult(rule=RULE, found=f"mail goes to {sender.carrier_name} over HTTPS")
    if relay.security == "none":
        return RuleResult(rule=RULE, found="the relay is on this machine, and mail crosses no network")
    where = f"{relay.host}:{relay.port}"
    if not is_private_literal(relay.host):
        names.addresses(relay.host)  # where the DNS is silent, the system would wait for it much longer
    try:
        _greet(relay)
    except smtplib.SMTPNotSupportedError:
        what = f"the relay {where} offers no STARTTLS: mail would cross the network for everybody to read"
        return broken(RULE, what, "write the port and the security that its operator names", _SECURITY_KEY)
    except ssl.SSLCertVerificationError as err:
        what = f"the certificate of the relay {where} is not valid ({err.verify_message})"
        remedy = "write the host by the name that its certificate has, or have its operator renew it"
        return broken(RULE, what, remedy, _KEY)
    except ssl.SSLError:
        what = f"no encrypted connection can be made to the relay {where}"
        return broken(RULE, what, "write the port and the security that its operator names", _SECURITY_KEY)
    except (OSError, UnicodeError, smtplib.SMTPException) as err:
        said = getattr(err, "strerror", None) or err
        raise CannotRunError(f"the relay {where} cannot be reached ({said}); check the network and its host") from err
    return RuleResult(rule=RULE, found=f"mail goes to {where} encrypted, and its certificate is valid")


def _greet(relay: SmtpSettings) -> None:
    context = ssl.create_default_context()
    seconds = min(relay.timeout_seconds, _SECONDS)
    ourselves = socket.gethostname() if "." in socket.gethostname() else "[127.0.0.1]"
    if relay.security == "tls":
        with smtplib.SMTP_SSL(relay.host, relay.port, ourselves, timeout=seconds, context=context) as server:
            server.ehlo()
        return
    with smtplib.SMTP(relay.host, relay.port, ourselves, timeout=seconds) as server:
        server.starttls(context=context)
        server.ehlo()
