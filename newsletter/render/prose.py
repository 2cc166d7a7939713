"""Prose → an HTML fragment whose author CSS is inlined."""

from collections.abc import Callable, MutableMapping, Sequence
from typing import Any

from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import OptionsDict
from markupsafe import Markup

from newsletter.language.direction import Direction
from newsletter.model.issue import Prose
from newsletter.model.picture_files import read_picture_title
from newsletter.render.directions import with_directions
from newsletter.render.imaging.fit import PictureSpace
from newsletter.render.memory import Memory
from newsletter.render.pictures import ShownPicture

_OPTIONS = OptionsDict({"xhtmlOut": False, "breaks": False, "langPrefix": "language-", "highlight": None})  # type: ignore[typeddict-item]
PictureSource = Callable[[str, PictureSpace], ShownPicture]  # from a picture's path


def prose_html(
    prose: Prose,
    *,
    css: str,
    heading_level: int,
    picture: PictureSource,
    width: int,
    memory: Memory,
    direction: Direction = Direction.LEFT_TO_RIGHT,
) -> Markup:
    """The fragment, wrapped in `<div class="prose">`; its highest heading gets `heading_level`.

    What runs against `direction`, which is that of the words around it, says so. Pictures are shown at most `width`
    pixels wide.
    """
    if prose.is_empty:
        return Markup("")
    renderer = _Renderer(picture=picture, width=width)
    tokens = with_directions(_with_levels(prose.tokens, heading_level), direction)
    fragment = f'<div class="prose">{renderer.render(tokens, _OPTIONS, {})}</div>'
    inlined = memory.recall("prose", f"{css}\0{fragment}".encode(), lambda: _inlined(fragment, css))
    return Markup(inlined.decode())  # noqa: S704 - made from Markdown with raw HTML off


def _inlined(fragment: str, css: str) -> bytes:
    from newsletter.render.inline import inline_css  # loads premailer, which a build that remembers does not need

    return inline_css(fragment, css).encode()


class _Renderer(RendererHTML):
    """Markdown's HTML, with what mail asks for: sized pictures, tables with scoped heads."""

    def __init__(self, *, picture: PictureSource, width: int) -> None:
        super().__init__()
        self._picture = picture
        self._width = width

    def image(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: MutableMapping[str, Any]) -> str:
        """A picture, never wider than its place.

        It states no height: where pictures are not loaded, its words would stand in a hole of that height.
        """
        token = tokens[idx]
        title = read_picture_title(str(token.attrs.get("title", "")))
        space = PictureSpace(width=min(title.width or self._width, self._width), fills=title.width is not None)
        picture = self._picture(str(token.attrs["src"]), space)
        attributes = {
            "src": picture.src,
            "alt": self.renderInlineAsText(token.children, options, env),
            # The class gives it a ground at night.
            **({"role": "presentation"} if title.is_decorative else {"class": "picture"}),
            "width": str(picture.width),
            "style": f"width:100%;max-width:{picture.width}px;height:auto",
        }
        return f"<img {self.renderAttrs(Token('image', 'img', 0, attrs=dict(attributes)))}>"

    def softbreak(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: MutableMapping[str, Any]) -> str:
        """A space: MJML's compiler drops a line break that stands alone between two tags."""
        return " "

    def table_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: MutableMapping[str, Any]) -> str:
        """A table of data, which the finishing step must not take for layout."""
        attributes = self.renderAttrs(tokens[idx])
        return f'<table class="data"{attributes} border="0" cellpadding="0" cellspacing="0">\n'

    def th_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: MutableMapping[str, Any]) -> str:
        """The head of a column, announced with each of its cells."""
        return f'<th scope="col"{self.renderAttrs(tokens[idx])}>'


def _with_levels(tokens: Sequence[Token], heading_level: int) -> list[Token]:
    highest = min((int(token.tag[1]) for token in tokens if token.type == "heading_open"), default=1)
    shift = heading_level - highest
    return [
        token.copy(tag=f"h{min(int(token.tag[1]) + shift, 6)}")
        if token.type in {"heading_open", "heading_close"}
        else token
        for token in tokens
    ]
