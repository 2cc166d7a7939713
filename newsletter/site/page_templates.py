"""The templates, the style sheet and the scripts of the archive's pages, which belong to the program."""

from functools import cache
from hashlib import blake2b
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from newsletter.model.site_addresses import picture_path
from newsletter.model.site_files import SiteFile
from newsletter.settings.workspace import Brand, Palette

_FOLDER = Path(__file__).parent / "pages"


@cache
def page_templates() -> Environment:
    """Return the templates. Values are escaped in those that end in `.html.j2`."""
    return Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=select_autoescape(enabled_extensions=("html.j2",)),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )


def template_sources() -> tuple[bytes, ...]:
    """Return the text of all templates, on which every page depends."""
    return tuple(path.read_bytes() for path in sorted(_FOLDER.iterdir()) if path.is_file())


def style_sheet(brand: Brand) -> SiteFile:
    """Return the style sheet of all pages."""
    values = {"names": tuple(Palette.model_fields), "light": brand.light.model_dump(), "dark": brand.dark.model_dump()}
    fonts = {"heading_font": brand.heading_font, "body_font": brand.body_font}
    # A font stack cannot end the declaration that it is in.
    plain = {key: "".join(sign for sign in stack if sign not in "<>{};\\") for key, stack in fonts.items()}
    return _asset("site", "css", page_templates().get_template("site.css.j2").render({**values, **plain}).encode())


def script(name: str) -> SiteFile:
    """Return a script: `site`, the search, or `local_times`, the times on the clock of the browser."""
    return _asset(name, "js", (_FOLDER / f"{name}.js").read_bytes())


def _asset(name: str, ending: str, content: bytes) -> SiteFile:
    """Return a file whose name contains its hash."""
    digest = blake2b(content, digest_size=6).hexdigest()
    return SiteFile(picture_path(f"{name}-{digest}.{ending}"), content)
