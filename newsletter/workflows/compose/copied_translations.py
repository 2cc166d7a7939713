"""Keeps the translations in a copied issue that stay true, and deletes those of what is new each time.

The versions that were compared are deleted too: the next issue has its own.
"""

import re
from pathlib import Path

from newsletter.config import Config
from newsletter.content.loader import ISSUE_FILE, load_standing
from newsletter.content.translations import HEADING_KEYS
from newsletter.model.issue_fields import SECTION_TYPES
from newsletter.render.theme import Theme

_HEADING = re.compile(rf"^(?:{'|'.join(HEADING_KEYS)})\.[A-Za-z.-]+:[^\r\n]*(?:\r\n|\n|\r)".encode(), re.MULTILINE)


def keep_translations(config: Config, original: Path, copy: Path) -> None:
    """Delete the translations of the heading, and of sections such as the letter, in a copied issue.

    Their originals are new in each issue, and readers of another language must not get last month's letter.
    Translations of all other sections and of events stay.
    """
    issue = load_standing(config, original, Theme(config.root).section_types)
    if issue is None or not (issue.translations or issue.versions):
        return
    own = {
        path for each in (issue, *issue.translations.values()) for section in each.sections for path in section.paths
    }
    for form in issue.in_every_form:
        for path in {path for section in form.sections for path in section.paths} - own:
            (copy / (config.root / path).relative_to(original)).unlink(missing_ok=True)
    for translation in issue.translations.values():
        for section in translation.sections:
            kind = SECTION_TYPES.get(section.type)
            if section.language == translation.language and kind is not None and kind.is_new_each_time:
                (copy / (config.root / section.source.path).relative_to(original)).unlink(missing_ok=True)
    fields = copy / ISSUE_FILE
    fields.write_bytes(_HEADING.sub(b"", fields.read_bytes()))
