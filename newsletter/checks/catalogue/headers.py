"""Rules about what stands around the mail: H."""

from newsletter.checks.base import Rule
from newsletter.checks.rules import headers, message
from newsletter.model.finding import Means, Severity

_BLOCKS, _WARNS = Severity.ERROR, Severity.WARNING

RULES: tuple[Rule, ...] = (
    Rule(
        id="H1",
        severity=_BLOCKS,
        title="From, Date, Subject, To and Message-ID stand there once",
        why="Mail without one of them, or with one twice, is turned away or taken for forged.",
        source="RFC 5322, Gmail's sender rules",
        check=message.check_single_headers,
        can_be_waived=False,
    ),
    Rule(
        id="H2",
        severity=_BLOCKS,
        title="Mail programs can unsubscribe a reader by one click",
        why="They show a button of their own beside the sender, if two headers name an address that is secure and the "
        "reader's own. Gmail and Yahoo take bulk mail only with them.",
        source="Gmail's and Yahoo's sender rules, RFC 8058",
        check=message.check_one_click,
        can_be_waived=False,
    ),
    Rule(
        id="H4",
        severity=_BLOCKS,
        title="One click is enough to leave",
        why="Mail programs show a button of their own, and press it in the reader's name with a POST that brings no "
        "login and no cookie, and follows no redirect. Whoever cannot leave marks the mail as spam.",
        source="Gmail's and Yahoo's sender rules, RFC 8058",
        means=Means.NETWORK,
    ),
    Rule(
        id="H5",
        severity=_BLOCKS,
        title="The sender's name is a name alone",
        why="Emoji beside the sender look like marks of the mail program itself, and a sender who carries the reader's "
        "name deceives.",
        source="Gmail's sender rules",
        check=headers.check_sender,
    ),
    Rule(
        id="H6",
        severity=_BLOCKS,
        title="The subject does not pretend to be an answer",
        why="“Re:” and “Fwd:” on a mail that answers nothing are taken for deceit, by filters and by readers.",
        source="Gmail's sender rules",
        check=headers.check_false_answer,
    ),
    Rule(
        id="H7",
        severity=_BLOCKS,
        title="Headers hold only signs that may stand there",
        why="Letters with accents and emoji travel in encoded words. A word that is too long or broken shows as "
        "=?utf-8?…, and a control character makes servers refuse the mail.",
        source="RFC 2047, RFC 5322",
        check=message.check_header_signs,
    ),
    Rule(
        id="H8",
        severity=_BLOCKS,
        title="No line is longer than servers take",
        why="A server may break or refuse a line of more than 998 bytes, and a signature no longer fits what it broke.",
        source="RFC 5322, RFC 2045",
        check=message.check_lines,
    ),
    Rule(
        id="H9",
        severity=_WARNS,
        title="The list has a name for mail programs",
        why="By List-Id readers sort the newsletter into a folder, and providers tell it from your other mail.",
        source="RFC 2919",
        check=message.check_list_id,
    ),
)
