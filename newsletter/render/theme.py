"""The theme: templates of the workspace laid over the built-in ones, file by file."""

import traceback
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateError, TemplateSyntaxError
from markupsafe import Markup
from msgspec import Struct

from newsletter.config import TEMPLATES_FOLDER, builtin_theme
from newsletter.errors import Mistake, MistakesError
from newsletter.model.issue_fields import SECTION_TYPES, SectionType
from newsletter.model.rendered import Picture
from newsletter.render.memory import Memory, compiled_templates

_TEXT_FOLDER = "text/"
_HTML_ENDING, _TEXT_ENDING = ".mjml.j2", ".txt.j2"
_REMEDY = "correct the template, or delete it to use the built-in one"
# What running a template can raise: Jinja's own errors, and Python's where a template misuses a value.
_TEMPLATE_FAULTS = (TemplateError, TypeError, ValueError, LookupError, AttributeError, ArithmeticError)


class LaidOutSection(Struct, frozen=True, kw_only=True):
    """A section as it stands in a mail."""

    content: str  # MJML, as markup, or plain text
    pictures: tuple[Picture, ...]


class Theme:
    """Templates looked up in the workspace first, then in the built-in theme."""

    def __init__(self, workspace: Path, memory: Memory | None = None) -> None:
        self._workspace = workspace
        self.folders = (workspace / TEMPLATES_FOLDER, builtin_theme())
        self.memory = memory or Memory()
        self.laid_out: dict[object, LaidOutSection] = {}  # by all that a section is made from

    @cached_property
    def section_types(self) -> Mapping[str, SectionType]:
        """The built-in section types, and one for each further template in `sections/`."""
        found = {
            path.name.removesuffix(_HTML_ENDING): SectionType()
            for folder in self.folders
            for path in sorted((folder / "sections").glob(f"[!.]*{_HTML_ENDING}"))
        }
        return {**found, **SECTION_TYPES}

    def render(self, name: str, context: Mapping[str, object]) -> str:
        """What a template makes of a context.

        Below `text/` that is plain text; of any other template it is markup, in which every value was escaped.
        Raises MistakesError, with the template and the line, where it is wrong.
        """
        if name.startswith(_TEXT_FOLDER):
            return self._render(self._plain, name, context)
        return Markup(self._render(self._markup, name, context))  # noqa: S704 - escaped by the template itself

    def section_template(self, section_type: str) -> str:
        """The name of a section type's MJML template."""
        return f"sections/{section_type}{_HTML_ENDING}"

    def section_text_template(self, section_type: str) -> str:
        """The name of a section type's text template; types without one of their own share that of `text`."""
        name = f"{_TEXT_FOLDER}sections/{section_type}{_TEXT_ENDING}"
        return (
            name
            if any((folder / name).is_file() for folder in self.folders)
            else f"{_TEXT_FOLDER}sections/text{_TEXT_ENDING}"
        )

    def _render(self, environment: Environment, name: str, context: Mapping[str, object]) -> str:
        try:
            return environment.get_template(name).render(context)
        except TemplateSyntaxError as err:
            what = err.message or "it is no template"
            mistake = Mistake(path=f"{TEMPLATES_FOLDER}/{err.name}", line=err.lineno, what=what, remedy=_REMEDY)
            raise MistakesError([mistake]) from err
        except _TEMPLATE_FAULTS as err:
            path, line = self._place_of(err, name)
            raise MistakesError([Mistake(path=path, line=line, what=str(err), remedy=_REMEDY)]) from err

    def _place_of(self, error: Exception, name: str) -> tuple[str, int | None]:
        """The template and the line at which an error was raised; Jinja writes both into the traceback."""
        for frame in reversed(traceback.extract_tb(error.__traceback__)):
            path = Path(frame.filename)
            for folder in self.folders:
                if path.is_relative_to(folder):
                    return f"{TEMPLATES_FOLDER}/{path.relative_to(folder)}", frame.lineno
        return f"{TEMPLATES_FOLDER}/{name}", None

    @cached_property
    def _markup(self) -> Environment:
        return self._environment("markup", is_text=False)

    @cached_property
    def _plain(self) -> Environment:
        return self._environment("text", is_text=True)

    def _environment(self, purpose: str, *, is_text: bool) -> Environment:
        return Environment(
            loader=FileSystemLoader(self.folders),
            bytecode_cache=compiled_templates(purpose, workspace=self._workspace),
            autoescape=not is_text,  # noqa: S701 - plain text has no markup to escape into
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=is_text,
        )
