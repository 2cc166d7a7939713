"""Prose → an HTML fragment whose author CSS is inlined."""

from collections.abc import Callable, MutableMapping, Sequence
from typing import Any

from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import OptionsDict
from markupsafe import Markup

from newsletter.model.issue import Prose
from newsletter.render.memory import Memory
from newsletter.render.pictures import ShownPicture

_OPTIONS = OptionsDict({"xhtmlOut": False, "breaks": False, "langPrefix": "language-", "highlight": None})  # type: ignore[typeddict-item]
PictureSource = Callable[[str], ShownPicture]  # from a picture's path


def prose_html(
    prose: Prose, *, css: str, heading_level: int, picture: PictureSource, width: int, memory: Memory
) -> Markup:
    """The fragment, wrapped in `<div class="prose">`; its highest heading gets `heading_level`.

    Pictures are shown at most `width` pixels wide.
    """
    if prose.is_empty:
        return Markup("")
    renderer = _Renderer(picture=picture, width=width)
    tokens = _with_levels(prose.tokens, heading_level)
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
        """A picture, never wider than its place."""
        token = tokens[idx]
        picture = self._picture(str(token.attrs["src"]))
        shown = min(picture.width, self._width)
        attributes = {
            "src": picture.src,
            "alt": self.renderInlineAsText(token.children, options, env),
            "width": str(shown),
            "style": f"width:100%;max-width:{shown}px;height:auto",
        }
        return f"<img {self.renderAttrs(Token('image', 'img', 0, attrs=dict(attributes)))}>"

    def softbreak(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: MutableMapping[str, Any]) -> str:
        """A space: MJML's compiler drops a line break that stands alone between two tags."""
        return " "

    def table_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: MutableMapping[str, Any]) -> str:
        """A table of data, which the finishing step must not take for layout."""
        return '<table class="data" border="0" cellpadding="0" cellspacing="0">\n'

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
