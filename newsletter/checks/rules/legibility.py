"""Checks of legibility: text size, line height, background images, underlines and text direction."""

import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from newsletter.checks.base import IN_TEMPLATES, CheckContext, Problem, error, first_of_each, rule, shown, warning
from newsletter.checks.reading.appearance import Run
from newsletter.checks.reading.contrast import READABLE, contrast
from newsletter.checks.reading.document import MailDocument, has_words
from newsletter.config import CONFIG_FILE
from newsletter.language.direction import Direction, direction_of_language
from newsletter.model.finding import Severity

SMALLEST_SIZE = 13
BODY_SIZE = 16
SMALLEST_LEADING = 1.38
_RUNNING_LETTERS = 60  # Longer text breaks into lines, at least on a phone.
_DISPLAY_SIZE = 20  # From this size up, lines may be closer together.
_RIGHT_TO_LEFT_LETTERS = frozenset({"R", "AL"})


@rule("A7", source="this program, WCAG 2.2, success criterion 1.4.3", severity=Severity.WARNING)
def check_text_over_pictures(context: CheckContext) -> Iterable[Problem]:
    """Faint text over images.

    Text over an image needs a contrast of 4.5:1 against the background color behind the image. Many email apps load
    images only on request, and some never load background images. Readers then see the text on that color.
    """
    for document in context.documents:
        runs = [run for run in document.appearance.runs if run.look.is_over_picture]
        for run in first_of_each(runs, lambda run: (run.look.color, run.look.ground)):
            look = run.look
            ratio = contrast(look.color, look.ground)
            if ratio < READABLE:
                what = f"“{shown(run.text)}” is on an image: if the image is not shown, {look.color} on {look.ground}"
                what += f" has a contrast of only {ratio:.1f}:1, and text needs {READABLE}:1"
                color = "a background-color similar to the main color of the image"
                remedy = f"give the element with the image {color} {IN_TEMPLATES}"
                yield warning(context.text_place(run.text), what, remedy)


@rule("A8", source="goodemailcode.com", severity=Severity.WARNING)
def check_type(context: CheckContext) -> Iterable[Problem]:
    """Small or cramped text.

    Text needs a size of 16 pixels, or 14 in small print, and a line height of 1.4. Justified text is reported too,
    because it leaves gaps between words. Most email is read on a phone at arm's length.
    """
    for document in context.documents:
        yield from _sizes(context, document)
        yield from _lines(context, document)


@rule("A9", source="Email Markup Consortium's accessibility report, WCAG 2.2, success criterion 1.4.1")
def check_underlines(context: CheckContext) -> Iterable[Problem]:
    """Links without underlines.

    Links within text must be underlined. One man in twelve sees colors differently, and on a dim screen no one sees
    them. Buttons and links on their own need no underline.

    A link with its own background counts as a button.
    """
    for document in context.documents:
        for runs in _blocks(document):
            around = [run for run in runs if run.link is None and has_words(run.text)]
            grounds = {run.look.ground for run in around}
            for run in runs:
                is_plain = run.link is not None and not run.look.is_underlined and run.look.ground in grounds
                if is_plain and has_words(run.text):
                    place = context.link_place(run.link or "", run.text)
                    what = f"the link “{shown(run.text)}” is not underlined, so not everyone can see that it is a link"
                    yield error(place, what, f"add text-decoration: underline to its style {IN_TEMPLATES}")


@rule("A11", source="W3C Internationalization", severity=Severity.WARNING)
def check_right_to_left(context: CheckContext) -> Iterable[Problem]:
    """Right-to-left text set the wrong way.

    Hebrew, Arabic and similar text must run from right to left and be aligned to the right. Otherwise periods and
    numbers are at the wrong ends, and it is hard for readers to find the next line.
    """
    if direction_of_language(context.subject.issue.language) is Direction.LEFT_TO_RIGHT:
        return
    for document in context.documents:
        first = [runs[0] for runs in _blocks(document) if _runs_from_the_right(runs)]
        turned = [run for run in first if run.look.direction != "rtl"]
        aside = [run for run in first if run.look.direction == "rtl" and run.look.align in {"left", "end"}]
        if turned:
            what = f"“{shown(turned[0].text)}” is set from left to right{_and_more(turned)}"
            remedy = 'write dir="rtl" on <mjml> and direction="rtl" on each mj-section in the theme'
            yield warning(context.text_place(turned[0].text), what, remedy)
        if aside:
            what = f"“{shown(aside[0].text)}” runs from right to left but is aligned to the left{_and_more(aside)}"
            remedy = f"align right-to-left text to the right {IN_TEMPLATES}"
            yield warning(context.text_place(aside[0].text), what, remedy)


def _sizes(context: CheckContext, document: MailDocument) -> Iterator[Problem]:
    runs = [run for run in document.appearance.runs if not run.look.is_raised and has_words(run.text)]
    small = [run for run in runs if run.look.size < SMALLEST_SIZE]
    remedy = f'write font-size="{SMALLEST_SIZE}px" or more on its mj-text in the theme'
    for run in first_of_each(small, lambda run: run.look.size):
        same = [each for each in small if each.look.size == run.look.size]
        what = f"“{shown(run.text)}” has a font size of only {run.look.size:g} px{_and_more(same)}"
        what += ", too small for many readers"
        yield warning(context.text_place(run.text), what, remedy)
    if (
        _usual_size(runs) < BODY_SIZE
    ):  # In a short issue most text may be in the footer, so only the writer's text counts.
        yield from _usual_type(context, [run for run in runs if _is_written_in_issue(context, run)])


def _usual_type(context: CheckContext, runs: Sequence[Run]) -> Iterator[Problem]:
    usual = _usual_size(runs)
    if SMALLEST_SIZE <= usual < BODY_SIZE:
        first = next(run for run in runs if run.look.size == usual)
        what = f"most of the text has a font size of only {usual:g} px, for example “{shown(first.text)}”"
        remedy = f'write font-size="{BODY_SIZE}px" on mj-text in the theme'
        yield warning(context.text_place(first.text), what, remedy)


def _usual_size(runs: Sequence[Run]) -> float:
    """Return the text size that most letters have, or the recommended size if there are no letters."""
    letters: Counter[float] = Counter()
    for run in runs:
        letters[run.look.size] += len(run.text)
    return max(letters, key=letters.__getitem__, default=float(BODY_SIZE))


def _is_written_in_issue(context: CheckContext, run: Run) -> bool:
    place = context.sources.place_of_text(run.text)
    return place is not None and place.path != CONFIG_FILE


def _lines(context: CheckContext, document: MailDocument) -> Iterator[Problem]:
    running = [runs[0] for runs in _blocks(document) if _is_running(runs)]
    close = [run for run in running if round(run.look.leading, 2) < SMALLEST_LEADING]
    for run in first_of_each(close, lambda run: round(run.look.leading, 2)):
        same = [each for each in close if round(each.look.leading, 2) == round(run.look.leading, 2)]
        what = (
            f"“{shown(run.text)}” has a line height of only {run.look.leading:.2f}{_and_more(same)}, too tight to read"
        )
        remedy = f'write line-height="{SMALLEST_LEADING}" or more on mj-text in the theme'
        yield warning(context.text_place(run.text), what, remedy)
    justified = [run for run in running if run.look.align == "justify"]
    if justified:
        what = f"“{shown(justified[0].text)}” is justified{_and_more(justified)}, which leaves gaps between words"
        remedy = f'delete text-align: justify or align="justify" {IN_TEMPLATES}'
        yield warning(context.text_place(justified[0].text), what, remedy)


def _blocks(document: MailDocument) -> Iterator[list[Run]]:
    """Yield the runs of text, one list per paragraph."""
    in_order = sorted(document.appearance.runs, key=lambda run: run.block)
    return (list(runs) for _, runs in groupby(in_order, key=lambda run: run.block))


def _is_running(runs: list[Run]) -> bool:
    """Return whether a paragraph is long enough to break into lines and is not a heading."""
    look = runs[0].look
    is_display = look.is_heading or look.size >= _DISPLAY_SIZE
    return not is_display and sum(len(run.text) for run in runs) > _RUNNING_LETTERS


def _runs_from_the_right(runs: list[Run]) -> bool:
    """Return whether most letters of a paragraph belong to a script that is written from right to left."""
    kinds = Counter(unicodedata.bidirectional(letter) for run in runs for letter in run.text)
    return sum(kinds[kind] for kind in _RIGHT_TO_LEFT_LETTERS) > kinds["L"]


def _and_more(runs: list[Run]) -> str:
    others = len(runs) - 1
    return f" (and {others} other passages)" if others > 1 else " (and one other passage)" if others else ""


RULES = (check_text_over_pictures, check_type, check_underlines, check_right_to_left)
