"""Every rule that a mail is held to before it goes out, and the checking itself."""

from newsletter.checks import (
    accessibility,
    events,
    headers,
    law,
    leftovers,
    links,
    merge_fields,
    size,
    structure,
    substance,
    text_part,
)
from newsletter.checks.base import Rule, Subject, gather_evidence
from newsletter.model.finding import Finding, Severity

_BLOCKS, _WARNS = Severity.ERROR, Severity.WARNING

RULES: tuple[Rule, ...] = (
    Rule(
        id="A1",
        severity=_BLOCKS,
        title="The mail says its language and direction",
        why="A screen reader chooses its voice by them. Mail programs take out the page around a mail, so every block "
        "in it has to say them again.",
        source="Email Markup Consortium's accessibility report",
        check=accessibility.check_languages,
    ),
    Rule(
        id="A2",
        severity=_BLOCKS,
        title="Tables that only arrange things say so",
        why="Without a role, a screen reader counts out rows and columns before each paragraph, in Outlook too.",
        source="Email Markup Consortium's accessibility report",
        check=accessibility.check_table_roles,
    ),
    Rule(
        id="A3",
        severity=_BLOCKS,
        title="Pictures are described",
        why="Some readers cannot see a picture, and many mail programs do not load it at first. The words stand in.",
        source="WCAG 2.2, success criterion 1.1.1",
        check=accessibility.check_picture_words,
    ),
    Rule(
        id="A4",
        severity=_BLOCKS,
        title="Links say where they lead",
        why="Those who listen to a mail often jump from link to link and hear nothing else. “Here” tells them nothing, "
        "and the same words for two places mislead.",
        source="WCAG 2.2, success criterion 2.4.4",
        check=links.check_link_words,
    ),
    Rule(
        id="A5",
        severity=_BLOCKS,
        title="The mail has a title and an outline of headings",
        why="Headings are how one skims a mail without seeing it: one on top, and no level left out below it.",
        source="Email Markup Consortium's accessibility report",
        check=accessibility.check_outline,
    ),
    Rule(
        id="C2",
        severity=_BLOCKS,
        title="Every reader gets something to read",
        why="Sections can be for a segment alone. Whoever is in none of them would get a letterhead and a footer.",
        source="this program",
        check=substance.check_substance,
    ),
    Rule(
        id="E1",
        severity=_BLOCKS,
        title="No event is over, no deadline past",
        why="An invitation to something that has been is the mistake that readers remember. It is judged by the moment "
        "of delivery.",
        source="this program",
        check=events.check_dates,
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
        id="L1",
        severity=_BLOCKS,
        title="The postal address is in both parts",
        why="A mail to a list must say where its sender can be reached by post.",
        source="CAN-SPAM, CASL",
        check=law.check_postal_address,
    ),
    Rule(
        id="L2",
        severity=_BLOCKS,
        title="Readers see a link to unsubscribe, in both parts",
        why="Leaving must be as easy as joining. Whoever does not find the link marks the mail as spam instead.",
        source="CAN-SPAM, GDPR, Gmail's sender rules",
        check=law.check_way_out,
    ),
    Rule(
        id="M1",
        severity=_BLOCKS,
        title="The audience has each merge field",
        why="A field that no subscriber has, often one with a slip in its name, leaves a gap in every mail.",
        source="this program",
        check=merge_fields.check_fields_exist,
        needs_audience=True,
    ),
    Rule(
        id="M2",
        severity=_WARNS,
        title="Merge fields have a default",
        why="Not everybody gives a name. “Dear ,” is worse than “Dear friends,”.",
        source="this program",
        check=merge_fields.check_defaults,
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
        title="Pictures are light",
        why="Readers open mail on phones, often on a slow network: 200 KB a picture and 1 MB in all load in time.",
        source="this program",
        check=size.check_picture_sizes,
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


def check_issue(subject: Subject) -> tuple[Finding, ...]:
    """Holds an issue to every rule: errors first, then by place; what several variants share is told once."""
    evidence = gather_evidence(subject)
    findings = {
        Finding(
            rule=asked.id,
            severity=fault.severity,
            place=fault.place,
            what=evidence.readable(fault.what),
            remedy=fault.remedy,
        )
        for asked in rules_for(subject)
        for fault in asked.check(evidence)
    }
    return tuple(sorted(findings, key=_order))


def rules_for(subject: Subject) -> tuple[Rule, ...]:
    """The rules that can be judged with what is known: those alone count as kept where nothing is found."""
    return tuple(known for known in RULES if subject.known_fields is not None or not known.needs_audience)


def rule(rule_id: str) -> Rule:
    """The rule of an id; KeyError where there is none."""
    return _BY_ID[rule_id]


def _order(finding: Finding) -> tuple[bool, str, int, str, str]:
    is_warning = finding.severity is Severity.WARNING
    return is_warning, finding.place.path, finding.place.line or 0, finding.rule, finding.what


_BY_ID = {known.id: known for known in RULES}
