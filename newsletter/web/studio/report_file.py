"""A report as one HTML file: no scripts, nothing from elsewhere, readable on a phone, on paper and in black and white.

The studio shows the same page.
"""

from base64 import b64encode
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup

from newsletter.language.rates import say_interval, say_rate
from newsletter.workflows.report.click_map import ClickMap
from newsletter.workflows.report.words import Told, say_measure

_PAGES = Path(__file__).parent / "pages"
_TOKENS_END = "\n* {"  # in studio.css, the colors and fonts come first


def report_html(
    report: Told,
    *,
    newsletter: str,
    click_map: ClickMap | None = None,
    back: str = "",
    map_link: str = "",
    map_trouble: str = "",
) -> str:
    """Return the page. `newsletter` is its name, and `back` the address of the page that led here, if there is one.

    `map_link` is the address of the page with the map, and `map_trouble` the reason why there is none.
    """
    from newsletter.workflows.report.charts import chart_of  # loaded here because its library takes 0.15 s

    charts = {table.key: Markup(chart_of(table)) for table in report.tables}  # noqa: S704 - our own SVG, escaped by lxml
    return _template().render(
        report=report,
        newsletter=newsletter,
        charts=charts,
        map=click_map,
        map_picture=_data_url(click_map) if click_map else "",
        back=back,
        map_link=map_link,
        map_trouble=map_trouble,
        styles=Markup(_styles()),  # noqa: S704 - our own file
    )


def _data_url(found: ClickMap) -> str:
    return f"data:image/jpeg;base64,{b64encode(found.picture).decode()}"


@cache
def _styles() -> str:
    tokens, _, _ = (_PAGES / "studio.css").read_text(encoding="utf-8").partition(_TOKENS_END)
    return f"{tokens}\n{(_PAGES / 'report.css').read_text(encoding='utf-8')}"


@cache
def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(_PAGES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["measure"] = say_measure
    environment.filters["interval"] = say_interval
    environment.filters["rate"] = say_rate
    return environment.get_template("report.html.j2")
