"""Rules about how the mail is built, and how it shows: S."""

from newsletter.checks.base import Rule
from newsletter.checks.clients import unseen
from newsletter.checks.rules import headers, leftovers, links, message, size, structure, text_part
from newsletter.model.finding import Means, Severity

_BLOCKS, _WARNS = Severity.ERROR, Severity.WARNING

RULES: tuple[Rule, ...] = (
    Rule(
        id="S1",
        severity=_BLOCKS,
        title="The mail has a text and an HTML part, the text first",
        why="Of two alternatives a mail program shows the last that it can. HTML alone counts as a sign of spam.",
        source="RFC 2046, spam filters' rules",
        check=message.check_parts,
    ),
    Rule(
        id="S2",
        severity=_WARNS,
        title="The text part says what the HTML says",
        why="Some readers choose plain text, watches show it, and filters distrust a mail whose two parts differ.",
        source="this program",
        check=text_part.check_text_part,
    ),
    Rule(
        id="S3",
        severity=_BLOCKS,
        title="The HTML is small enough to be shown whole",
        why="Gmail cuts a mail off at about 102 KB and hides what follows, the unsubscribe link first. It is measured "
        "with long values in all merge fields.",
        source="Gmail's behaviour, as caniemail records it",
        check=size.check_html_size,
    ),
    Rule(
        id="S4",
        severity=_BLOCKS,
        title="The styles are at most 16 KB",
        why="Gmail drops all styles in the head when they are longer, and the mail loses its phone layout.",
        source="Gmail's behaviour, as caniemail records it",
        check=size.check_style_size,
    ),
    Rule(
        id="S5",
        severity=_BLOCKS,
        title="No style rule is nested",
        why="An @-rule inside another makes Gmail drop the whole style element.",
        source="Gmail's behaviour, as caniemail records it",
        check=structure.check_nested_rules,
    ),
    Rule(
        id="S6",
        severity=_BLOCKS,
        title="Nothing is left to be filled in",
        why="Merge tags of another program, TODO, TK, XXX and lorem ipsum are notes to oneself, not to readers.",
        source="this program",
        check=leftovers.check_leftovers,
    ),
    Rule(
        id="S7",
        severity=_BLOCKS,
        title="The HTML begins with one doctype",
        why="Without it mail programs fall back to the layout rules of the nineties.",
        source="goodemailcode.com",
        check=structure.check_doctype,
    ),
    Rule(
        id="S8",
        severity=_BLOCKS,
        title="The comments for Outlook are balanced",
        why="Classic Outlook reads its layout from comments. One that is never closed swallows the rest of the mail.",
        source="this program",
        check=structure.check_outlook_comments,
    ),
    Rule(
        id="S9",
        severity=_BLOCKS,
        title="No script, form, frame or embedded data",
        why="Mail programs remove them, and filters take them for an attack.",
        source="this program",
        check=structure.check_active_content,
    ),
    Rule(
        id="S10",
        severity=_BLOCKS,
        title="Addresses are whole, secure and undisguised",
        why="A mail has no page that a short address could start from. Unencrypted and shortened addresses, and "
        "pictures from strangers' hosts, count as signs of spam.",
        source="this program",
        check=links.check_addresses,
    ),
    Rule(
        id="S11",
        severity=_WARNS,
        title="No style sheet from elsewhere",
        why="Most mail programs ignore it, and spam filters count it against the mail.",
        source="rspamd's rules",
        check=structure.check_external_styles,
    ),
    Rule(
        id="S12",
        severity=_WARNS,
        title="Pictures are light and sharp",
        why="Readers open mail on phones, often on a slow network: 200 KB a picture and 1 MB in all load in time. "
        "Their screens are fine: a picture has 1.5 to 2.5 pixels for each one that is shown, and says how wide it is.",
        source="this program",
        check=size.check_picture_sizes,
    ),
    Rule(
        id="S13",
        severity=_BLOCKS,
        title="Nothing scrolls sideways on a phone",
        why="One thing that is too wide, a long word or a table, makes every line of the mail too wide to read. It is "
        "measured on screens of 360 and of 320 pixels.",
        source="this program",
        means=Means.BROWSER,
    ),
    Rule(
        id="S14",
        severity=_WARNS,
        title="Nothing is used that some readers will not see",
        why="Mail programs know different parts of HTML and CSS. What one leaves out may take words or order with it. "
        "`newsletter clients ISSUE` tells who loses what, and why the theme's own niceties may be lost.",
        source="caniemail.com, weighted by [checks.clients]",
        check=unseen.check_clients,
    ),
    Rule(
        id="S15",
        severity=_WARNS,
        title="The preheader has 40 to 110 characters and adds to the subject",
        why="It stands beside the subject in the inbox. A short one is filled up with whatever the mail begins with.",
        source="this program",
        check=headers.check_preheader,
    ),
    Rule(
        id="S16",
        severity=_WARNS,
        title="The subject has 10 to 78 characters",
        why="A shorter one says little, and of a longer one a phone shows the first half.",
        source="this program",
        check=headers.check_subject,
    ),
)
