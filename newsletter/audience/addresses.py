"""Decides whether text is an e-mail address that mail can be sent to."""

from email_validator import EmailNotValidError, validate_email

from newsletter.model.address import canonical_address
from newsletter.model.values import PLAIN_ADDRESS

_LONGEST_LOCAL_PART = 64  # RFC 5321, section 4.5.3.1
_LONGEST_ADDRESS = 254  # RFC 3696, erratum 1690


def checked_address(text: str) -> str:
    """The address with its domain in lower case; raises ValueError with the reason where it is none.

    A pattern passes what nearly every mailbox looks like; the rest is for email-validator, thirty times slower, to
    decide. Nothing is looked up on the network.
    """
    if PLAIN_ADDRESS.fullmatch(text) and len(text) <= _LONGEST_ADDRESS and text.index("@") <= _LONGEST_LOCAL_PART:
        return text if text.islower() else canonical_address(text)
    if not text:
        raise ValueError("there is no address")
    try:
        checked = validate_email(text, check_deliverability=False, strict=True)
    except EmailNotValidError as err:
        why = str(err).rstrip(".")
        raise ValueError(f"{text!r} is not an e-mail address: {why[:1].lower()}{why[1:]}") from None
    # What is plain ASCII stays as given; anything else in the one form that Unicode has for it.
    return canonical_address(text if text.isascii() else checked.normalized)
