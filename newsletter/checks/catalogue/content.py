"""Rules about what the mail says, and what the law asks of it: C, E, L, M."""

from newsletter.checks.base import Rule
from newsletter.checks.rules import events, law, merge_fields, substance, typed_dates
from newsletter.model.finding import Means, Severity

_BLOCKS, _WARNS = Severity.ERROR, Severity.WARNING

RULES: tuple[Rule, ...] = (
    Rule(
        id="C1",
        severity=_BLOCKS,
        title="The files are as they should be",
        why="Every key, date, picture and merge field is read before there is a mail that could be checked.",
        source="this program",
        can_be_waived=False,
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
        id="E2",
        severity=_BLOCKS,
        title="Typed weekdays, dates and time zones agree",
        why="“Wednesday, February 26” on a Thursday sends half of the readers on the wrong day. Dates of an event are "
        "made from its fields; those that somebody typed into a title or a text are held against the calendar.",
        source="this program",
        check=typed_dates.check_typed_dates,
    ),
    Rule(
        id="E3",
        severity=_WARNS,
        title="Links answer",
        why="A page that was moved or never published is found by the first thousand readers, unless somebody asks it "
        "before. Each is asked once, and its answer kept for a day.",
        source="this program",
        means=Means.NETWORK,
    ),
    Rule(
        id="L1",
        severity=_BLOCKS,
        title="The postal address is in both parts",
        why="A mail to a list must say where its sender can be reached by post.",
        source="CAN-SPAM, CASL",
        check=law.check_postal_address,
        can_be_waived=False,
    ),
    Rule(
        id="L2",
        severity=_BLOCKS,
        title="Readers see a link to unsubscribe, in both parts",
        why="Leaving must be as easy as joining. Whoever does not find the link marks the mail as spam instead.",
        source="CAN-SPAM, GDPR, Gmail's sender rules",
        check=law.check_way_out,
        can_be_waived=False,
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
)
