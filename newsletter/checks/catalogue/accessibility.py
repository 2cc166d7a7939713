"""Rules about who can read the mail: A."""

from newsletter.checks.base import Rule
from newsletter.checks.rules import accessibility, legibility, links, night, palette
from newsletter.model.finding import Means, Severity

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
        id="A6",
        severity=_BLOCKS,
        title="axe finds nothing serious or critical, by day or by night",
        why="A browser shows what the files cannot: which colors meet, and what a screen reader makes of it. The mail "
        "is looked at on a desktop, on a phone, and in dark colors.",
        source="axe-core, WCAG 2.2; Email Markup Consortium's accessibility report",
        means=Means.BROWSER,
    ),
    Rule(
        id="A7",
        severity=_WARNS,
        title="Text on a picture can be read without the picture",
        why="Many mail programs load pictures only when asked, and some never load one behind text. The text then "
        "stands on the color behind it, which has to carry it: 4.5 : 1.",
        source="this program, WCAG 2.2, success criterion 1.4.3",
        check=legibility.check_text_over_pictures,
    ),
    Rule(
        id="A8",
        severity=_WARNS,
        title="Text is large enough, and its lines stand apart",
        why="Most mail is read on a phone at arm's length. Small print has 14 pixels and what one reads 16, lines are "
        "1.4 times as high as their letters, and words are not pulled apart to fill them.",
        source="goodemailcode.com",
        check=legibility.check_type,
    ),
    Rule(
        id="A9",
        severity=_BLOCKS,
        title="Links among words are underlined",
        why="One man in twelve sees colors differently, and nobody sees them on a dim screen. Buttons, and links that "
        "stand alone, need no line.",
        source="Email Markup Consortium's accessibility report, WCAG 2.2, success criterion 1.4.1",
        check=legibility.check_underlines,
    ),
    Rule(
        id="A10",
        severity=_BLOCKS,
        title="Tables of data have heads that screen readers announce",
        why="“Friday, 9:00, Galway” means something only under “Day, Time, Place”, and a screen reader says these "
        "words only if the head cells are marked as such.",
        source="WCAG 2.2, success criterion 1.3.1",
        check=accessibility.check_data_tables,
    ),
    Rule(
        id="A11",
        severity=_WARNS,
        title="Languages from right to left run and begin there",
        why="Hebrew or Arabic that begins at the left has its full stops and numbers at the wrong ends, and its lines "
        "are hard to find for those who read it.",
        source="W3C Internationalization",
        check=legibility.check_right_to_left,
    ),
    Rule(
        id="A12",
        severity=_BLOCKS,
        title="Your colors can be read on one another",
        why="The colors of [brand.light] and [brand.dark] are held against each other wherever the mail puts one on "
        "another: 4.5 : 1. Where one is too faint, its nearest shade that can be read is told.",
        source="WCAG 2.2, success criterion 1.4.3",
        check=palette.check_palettes,
    ),
    Rule(
        id="K1",
        severity=_BLOCKS,
        title="No element insists on its color",
        why="A color inlined with !important wins over every rule for dark colors, so black text stays black on a "
        "ground that has turned black.",
        source="this program, measured",
        check=night.check_important_styles,
    ),
    Rule(
        id="K2",
        severity=_BLOCKS,
        title="A mail that asks for dark colors brings all of them",
        why="To opt in tells mail programs to leave the colors alone. Half a set is worse than none: dark text stays "
        "on what has turned dark. Each color is overridden for prefers-color-scheme, and for Outlook.com.",
        source="this program, measured",
        check=night.check_overrides,
    ),
)
