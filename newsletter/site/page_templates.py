"""The templates of the archive's pages, which belong to the program."""

from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

TEMPLATES_FOLDER = Path(__file__).parent / "pages"


@cache
def page_templates() -> Environment:
    """Return the templates. Values are escaped in those that end in `.html.j2`."""
    return Environment(
        loader=FileSystemLoader(TEMPLATES_FOLDER),
        autoescape=select_autoescape(enabled_extensions=("html.j2",)),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
