"""Make the public pages: one look, in the language of the person who reads them."""

from collections.abc import Iterable, Mapping, Set
from datetime import datetime
from functools import cache, lru_cache
from hashlib import blake2b
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from newsletter.config import Config
from newsletter.language.catalogue import spoken, words_of
from newsletter.language.dates import format_day
from newsletter.language.direction import direction_of_language
from newsletter.settings.workspace import Brand, Palette
from newsletter.web.public.service import Service

# These templates are not part of the theme: a workspace chooses the colors, the fonts and the logo of these pages.
_PAGES = Path(__file__).parent / "pages"
_MOST_LANGUAGES = 20  # of those that a browser names
_NAME, _ADDRESS = Markup("<bdi>{}</bdi>"), Markup('<bdi class="address">{}</bdi>')
_ADDRESSES = frozenset({"address", "old", "new"})  # the places in words where a masked address stands
_A_WEEK = "public, max-age=604800"
Notice = tuple[str, str] | None  # the group and key of the words that a page shows above its form
PICTURE_TYPES: Mapping[str, str] = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
}


def page(
    service: Service, request: Request, template: str, *, language: str = "", status: int = 200, **values: object
) -> HTMLResponse:
    """Return a page in the language of the person, if it is known, or else in one that the browser asks for.

    In the template, `say(group, key, …)` returns a message of the catalogue, in which values are isolated from the
    direction of the text around them.
    """
    settings = service.config.settings
    chosen = language_of(service, request, language)
    html = (
        _templates()
        .get_template(template)
        .render(
            **_spoken_in(service.config, chosen),
            has_logo=settings.brand.logo is not None,
            has_dark_logo=settings.brand.logo_dark is not None,
            logo_width=settings.brand.logo_width,
            path=service.path,
            own=f"{service.origin}{request.url.path}",  # of a page that was opened at another address
            own_host=urlsplit(service.origin).netloc,
            here=request.url.path,  # without the fragment, which a form would keep, and a browser would go to
            look=_hash_of(settings.brand),
            **values,
        )
    )
    return HTMLResponse(html, status_code=status, headers={"Content-Language": chosen})


def page_in_a_file(config: Config, template: str, *, language: str, **values: object) -> str:
    """Return a page that is no part of the service, in the same words and look. Its style sheet must be in it."""
    return _templates().get_template(template).render(**_spoken_in(config, language), **values)


def _spoken_in(config: Config, language: str) -> Mapping[str, object]:
    """Return what templates use to speak a language."""

    def say(group: str, key: str, **names: object) -> Markup:
        return _isolating(language, group, key, **names) if names else _said(language, group, key)

    def plainly(group: str, key: str, **names: object) -> str:
        return words_of(language, group)[key].format(**names)

    def day_of(moment: datetime) -> str:
        return format_day(moment.astimezone(ZoneInfo(config.settings.newsletter.timezone)).date(), language)

    return {
        "say": say,
        "plainly": plainly,
        "day_of": day_of,
        "language": language,
        "direction": direction_of_language(language).value,
        "newsletter": config.settings.newsletter,
    }


def language_of(service: Service, request: Request, language: str = "") -> str:
    """Return the language of a page: the person's, if it is known, or else one that the browser asks for."""
    own = service.config.settings.newsletter.language
    return spoken([*([language] if language else []), *_asked_for(request), own])


def neutral_page(service: Service, request: Request) -> HTMLResponse:
    """Return the page for a link that leads to no one. It is the same for every such link."""
    return said_page(service, request, ("general", "neutral"), more="no_email")


def said_page(
    service: Service,
    request: Request,
    about: tuple[str, str],
    *,
    more: str = "",
    language: str = "",
    status: int = 200,
    address: str = "",
) -> HTMLResponse:
    """Return a page that only says something.

    `about` is the group and key of its words; the key of its title is the same with `_title`. `more` is the key of what
    it adds.
    """
    group, key = about
    values = {"group": group, "key": key, "more": more, "address": address}
    return page(service, request, "said.html.j2", language=language, status=status, **values)


def topic_choices(service: Service, *, left: Set[str]) -> list[dict[str, object]]:
    """Return the topics of the newsletter for the `topic_choice` part, given those that a person does not want."""
    topics = service.config.settings.topics.items()
    return [{"name": name, "title": title, "is_wanted": name not in left} for name, title in topics]


def style(service: Service) -> Response:
    """Return the style sheet of all pages, in the colors and fonts of the brand."""
    return Response(style_sheet(service.config), media_type="text/css", headers={"Cache-Control": _A_WEEK})


def logo(service: Service, name: str | None) -> Response:
    """Return the logo as it is in the workspace, or status 404 if there is none that browsers show."""
    path = service.config.root / name if name else None
    kind = PICTURE_TYPES.get(path.suffix.lower()) if path else None
    if path is None or kind is None or not path.is_file():
        return Response(status_code=404)
    headers = {"Cache-Control": _A_WEEK, "Cross-Origin-Resource-Policy": "cross-origin"}
    return Response(path.read_bytes(), media_type=kind, headers=headers)


def style_sheet(config: Config) -> str:
    """Return the style sheet with the values of the brand in front, each as a custom property."""
    return _sheet_of(config.settings.brand)


@lru_cache(maxsize=8)
def _sheet_of(brand: Brand) -> str:
    fonts = {"heading-font": brand.heading_font, "body-font": brand.body_font}
    light = _properties({**_colors(brand.light), **fonts})
    dark = _properties(_colors(brand.dark))
    values = f":root{{{light}}}\n@media (prefers-color-scheme: dark){{:root{{{dark}}}}}\n"
    return values + _rules()


@cache
def _rules() -> str:
    return (_PAGES / "style.css").read_text(encoding="utf-8")


@cache
def _templates() -> Environment:
    templates = Environment(
        loader=FileSystemLoader(_PAGES),
        autoescape=True,
        undefined=StrictUndefined,
        auto_reload=False,  # to look whether a template changed takes longer than to render it
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters["code"] = _with_code
    templates.filters["day"] = lambda moment: f"{moment:%Y-%m-%d}" if moment else ""
    return templates


def _with_code(text: str) -> Markup:
    """Return a text of the checks with its words in backticks marked up as code."""
    pieces = text.split("`")
    return Markup("").join(Markup("<code>{}</code>").format(each) if at % 2 else each for at, each in enumerate(pieces))


def _colors(palette: Palette) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in palette.model_dump().items()}


def _properties(values: Mapping[str, str]) -> str:
    return "".join(f"--{name}:{value};" for name, value in values.items() if not set(value) & set("{};<>\\"))


@lru_cache(maxsize=8)
def _hash_of(brand: Brand) -> str:
    return blake2b(_sheet_of(brand).encode(), digest_size=6).hexdigest()


@cache
def _said(language: str, group: str, key: str) -> Markup:
    return _isolating(language, group, key)


def _isolating(language: str, group: str, key: str, **names: object) -> Markup:
    isolated = {name: (_ADDRESS if name in _ADDRESSES else _NAME).format(value) for name, value in names.items()}
    return Markup(words_of(language, group)[key]).format(**isolated)  # noqa: S704 - our own words


def _asked_for(request: Request) -> Iterable[str]:
    """Return the languages that the browser asks for, the most wanted first (RFC 9110, section 12.5.4)."""
    wanted = []
    for each in request.headers.get("accept-language", "").split(",")[:_MOST_LANGUAGES]:
        name, _, weight = each.partition(";q=")
        try:
            wanted.append((-float(weight or 1), name.strip()))
        except ValueError:
            continue
    return [name for weight, name in sorted(wanted, key=lambda pair: pair[0]) if name and weight < 0]
