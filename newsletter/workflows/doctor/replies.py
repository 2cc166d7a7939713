"""Whether someone's answer to an issue arrives: the mail server of the Reply-To address is asked, and sent nothing."""

from collections.abc import Iterator

from newsletter.checks.network.names import Names
from newsletter.config import Config
from newsletter.errors import CannotRunError
from newsletter.model.diagnosis import Health, HealthItem, error, from_words, not_judged, ok
from newsletter.system.hosts import is_public
from newsletter.system.smtp_connection import SmtpLimits, connect

_ID = "replies"
_PORT = 25
_SECONDS = 5.0  # for each step; many networks drop connections to port 25


def reply_items(config: Config, names: Names) -> Iterator[HealthItem]:
    """Yield whether the mail server accepts email for the address to which readers reply.

    The dialogue ends after the server's answer to RCPT, so no email is sent (RFC 5321, section 3.3). D5 has already
    said whether the domain has a mail server.
    """
    identity = config.settings.newsletter
    address = identity.reply_to or identity.from_email
    try:
        hosts = names.mail_hosts(address.rpartition("@")[2])
        if not hosts or not hosts[0]:
            return
        places = names.addresses(hosts[0])
    except CannotRunError as err:
        yield from_words(_ID, Health.NOT_JUDGED, err)
        return
    if not places or not all(map(is_public, places)):
        yield not_judged(_ID, f"the mail server {hosts[0]} has no address that is reachable from the internet")
        return
    yield _ask(places[0], hosts[0], address)


def _ask(place: str, host: str, address: str) -> HealthItem:
    try:
        server = connect(place, _PORT, "none", SmtpLimits().within(_SECONDS))
        try:
            sender = server.ask("MAIL FROM:<>")
            reply = server.ask(f"RCPT TO:<{address}>") if sender.is_positive else sender
            server.quit()
        finally:
            server.close()
    except OSError:
        why = f"{host} cannot be asked from here whether it takes email for {address}"
        return not_judged(_ID, f"{why}; send an email to this address, and see whether it arrives")
    if reply.is_positive:
        return ok(_ID, f"{host} takes email for {address}, so replies arrive")
    words = reply.words.decode("utf-8", "replace").strip()
    if reply.code in {550, 551, 553, 554}:
        what = f"replies do not arrive: {host} refuses email for {address} ({reply.code} {words})"
        return error(_ID, what, "create this mailbox, or set another reply_to under [newsletter]")
    return not_judged(_ID, f"{host} does not say whether it takes email for {address} ({reply.code} {words})")
