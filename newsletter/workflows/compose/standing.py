"""Compose what is left of an issue that has mistakes, so that one broken file does not hide the rest of it."""

from pathlib import Path

from msgspec.structs import replace

from newsletter.config import Config
from newsletter.content.loader import load_standing
from newsletter.errors import MistakesError
from newsletter.model.issue import Issue
from newsletter.render.pipeline import render_issue
from newsletter.render.theme import Theme
from newsletter.workflows.compose.compose import Composed, Fields, judge_rendered


def compose_standing(
    config: Config, folder: Path, *, theme: Theme, known_fields: Fields, last: Issue | None = None
) -> Composed | None:
    """Compose the sections that can be shown. One with mistakes is shown as it was in the issue `last`, or left out.

    Return None if there is nothing to show. Raise the same errors as `compose_issue`.
    """
    issue = load_standing(config, folder, theme.section_types, last=last)
    if issue is None:
        return None
    try:
        rendered = render_issue(issue, config, theme)
    except MistakesError as err:  # about images, whose content is read only now
        issue = _without(issue, frozenset(mistake.path for mistake in err.mistakes))
        if not issue.sections:
            return None
        rendered = render_issue(issue, config, theme)
    return judge_rendered(config, issue, rendered, known_fields=known_fields)


def _without(issue: Issue, broken: frozenset[str]) -> Issue:
    """Return an issue without the sections and images that these files name."""
    sections = tuple(section for section in issue.sections if not broken & section.paths)
    pictures = {name: picture for name, picture in issue.pictures.items() if picture.place.path not in broken}
    return replace(issue, pictures=pictures).with_sections(sections, without=broken)
