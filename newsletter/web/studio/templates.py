"""Render the studio's pages, all with the same frame, style and security policy."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from shlex import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from newsletter.language.clock import show_zoned
from newsletter.web.studio.studio import Studio

# These templates are not part of the theme: a workspace can change the look of its emails, but not that of the studio.
_PAGES = Path(__file__).parent / "pages"
_FILE_TYPES: Mapping[str, str] = {".css": "text/css", ".js": "text/javascript"}
_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; frame-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)


def page(studio: Studio, template: str, *, status: int = 200, **values: object) -> HTMLResponse:
    """Return a page made from a template, which extends `base.html.j2`. Scripts and styles come from files alone."""
    settings = studio.config.settings.newsletter
    html = _templates().get_template(template).render(token=studio.token, newsletter=settings, **values)
    return HTMLResponse(html, status_code=status, headers={"Content-Security-Policy": _POLICY})


def studio_file(request: Request) -> Response:
    """Return one of the studio's own style sheets or scripts."""
    path = _own_files().get(request.path_params["name"])
    if path is None:
        raise HTTPException(404, "The studio has no such file.\n")
    return Response(path.read_text(encoding="utf-8"), media_type=_FILE_TYPES[path.suffix])


@cache
def _own_files() -> Mapping[str, Path]:
    return {path.name: path for path in _PAGES.iterdir() if path.suffix in _FILE_TYPES}


@cache
def _templates() -> Environment:
    loader = FileSystemLoader(_PAGES)
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["sentence"] = _sentence
    environment.filters["coded"] = _coded
    environment.filters["zoned"] = show_zoned
    environment.filters["quoted"] = quote  # for a command: nothing in a name runs if the command is pasted
    return environment


def _sentence(text: str) -> Markup:
    """Capitalize the text unless it begins with a path or a key, and mark up text in backticks as code."""
    first, _, _ = text.partition(" ")
    if first.isalpha():
        text = text[0].upper() + text[1:]
    return _coded(text)


def _coded(text: str) -> Markup:
    """Mark up text in backticks as code, and nothing else."""
    code, pieces = Markup("<code>{}</code>"), text.split("`")
    return Markup("").join(code.format(piece) if number % 2 else escape(piece) for number, piece in enumerate(pieces))
