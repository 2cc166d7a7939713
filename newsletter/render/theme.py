"""The theme. A template in the workspace replaces the built-in template of the same name."""

import traceback
from collections.abc import Callable, Hashable, Mapping
from functools import cached_property
from hashlib import blake2b
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateError, TemplateSyntaxError
from markupsafe import Markup
from msgspec import Struct

from newsletter.config import TEMPLATES_FOLDER, builtin_theme
from newsletter.errors import Mistake, MistakesError
from newsletter.model.issue_fields import SECTION_TYPES, SectionType
from newsletter.model.rendered import Picture, RenderedVariant
from newsletter.model.slots import SlotSource
from newsletter.model.told import ToldEvent
from newsletter.render.memory import Memory, compiled_templates

_REMEMBERED = 64
_MOST_VARIANTS = 32  # each takes about 100 KB
_TEXT_FOLDER = "text/"
_PAGE_FOLDER = "page/"
_HTML_ENDING, _TEXT_ENDING, _PAGE_ENDING = ".mjml.j2", ".txt.j2", ".html.j2"
_REMEDY = "correct the template, or delete it to use the built-in one"
# The errors that rendering can raise: Jinja's own, and Python's if a template misuses a value.
_TEMPLATE_FAULTS = (TemplateError, TypeError, ValueError, LookupError, AttributeError, ArithmeticError)


class LaidOutSection(Struct, frozen=True, kw_only=True):
    """A section as it appears in an email."""

    content: str  # MJML, as markup, or plain text
    pictures: tuple[Picture, ...]
    sources: tuple[SlotSource, ...] = ()  # of the slots in it that are not merge fields
    told: tuple[ToldEvent, ...] = ()  # the facts of its events


class Theme:
    """Templates, which are looked up first in the workspace and then in the built-in theme."""

    def __init__(self, workspace: Path, memory: Memory | None = None) -> None:
        self._workspace = workspace
        self.folders = (workspace / TEMPLATES_FOLDER, builtin_theme())
        self.memory = memory or Memory()
        self.laid_out: dict[object, LaidOutSection] = {}  # the keys contain everything that a section depends on
        self._found: dict[tuple[str, str], str] = {}  # the templates of sections, by folder and type
        self._told: dict[tuple[int, ...], tuple[tuple[object, ...], str]] = {}
        self._variants: dict[Hashable, tuple[RenderedVariant, tuple[Picture, ...]]] = {}

    @cached_property
    def section_types(self) -> Mapping[str, SectionType]:
        """The built-in section types, and one more for each additional template in `sections/`."""
        found = {
            path.name.removesuffix(_HTML_ENDING): SectionType()
            for folder in self.folders
            for path in sorted((folder / "sections").glob(f"[!.]*{_HTML_ENDING}"))
        }
        return {**found, **SECTION_TYPES}

    def told(self, *records: object) -> str:
        """Return a hash of everything in these records. It is kept, as the same records are given in each rebuild."""
        key = tuple(map(id, records))
        if key not in self._told:
            if len(self._told) >= _REMEMBERED:
                self._told.clear()
            digest = blake2b(repr(records).encode(), digest_size=16).hexdigest()
            self._told[key] = (records, digest)  # with the records, so that no others get their ids
        return self._told[key][1]

    def recall_variant(
        self, key: Hashable, render: Callable[[], tuple[RenderedVariant, tuple[Picture, ...]]]
    ) -> tuple[RenderedVariant, tuple[Picture, ...]]:
        """Return the variant under a key, and all its images. Render it if it is not there.

        The key contains everything that the variant is made from, except the templates.
        """
        found = self._variants.pop(key, None) or render()
        self._variants[key] = found  # the last one, so that the first is the one that was not needed for longest
        if len(self._variants) > _MOST_VARIANTS:
            del self._variants[next(iter(self._variants))]
        return found

    def render(self, name: str, context: Mapping[str, object]) -> str:
        """Render a template with a context.

        A template in `text/` returns plain text. Any other template returns markup, in which every value is escaped.
        Raise MistakesError, with the template and the line, if the template is wrong.
        """
        if name.startswith(_TEXT_FOLDER):
            return self._render(self._plain, name, context)
        return Markup(self._render(self._markup, name, context))  # noqa: S704 - escaped by the template itself

    def section_template(self, section_type: str) -> str:
        """Return the name of a section type's MJML template."""
        return f"sections/{section_type}{_HTML_ENDING}"

    def section_text_template(self, section_type: str) -> str:
        """Return the name of a section type's text template. Types without their own share that of the `text` type."""
        return self._section_template(_TEXT_FOLDER, section_type, _TEXT_ENDING)

    def section_page_template(self, section_type: str) -> str:
        """Return the name of a section type's template for the archive. Types without their own share that of text."""
        return self._section_template(_PAGE_FOLDER, section_type, _PAGE_ENDING)

    def _section_template(self, folder: str, section_type: str, ending: str) -> str:
        key = (folder, section_type)
        if key not in self._found:
            name = f"{folder}sections/{section_type}{ending}"
            is_there = any((place / name).is_file() for place in self.folders)
            self._found[key] = name if is_there else f"{folder}sections/text{ending}"
        return self._found[key]

    def _render(self, environment: Environment, name: str, context: Mapping[str, object]) -> str:
        try:
            return environment.get_template(name).render(context)
        except TemplateSyntaxError as err:
            what = err.message or "it is not a template"
            mistake = Mistake(path=f"{TEMPLATES_FOLDER}/{err.name}", line=err.lineno, what=what, remedy=_REMEDY)
            raise MistakesError([mistake]) from err
        except _TEMPLATE_FAULTS as err:
            path, line = self._place_of(err, name)
            raise MistakesError([Mistake(path=path, line=line, what=str(err), remedy=_REMEDY)]) from err

    def _place_of(self, error: Exception, name: str) -> tuple[str, int | None]:
        """Return the template and the line that raised an error, which Jinja puts into the traceback."""
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
