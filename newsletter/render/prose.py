"""Turns prose into an HTML fragment with inlined author CSS."""

from collections.abc import Callable, MutableMapping, Sequence
from typing import Any, NamedTuple

from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import OptionsDict
from markupsafe import Markup

from newsletter.language.direction import Direction, direction_of_text
from newsletter.model.picture_files import PictureTitle, read_picture_title
from newsletter.model.prose import Prose, ProseLine
from newsletter.render.directions import with_directions
from newsletter.render.imaging.fit import PictureSpace
from newsletter.render.marks import with_attributions, with_figures, with_whole_headings
from newsletter.render.memory import Memory
from newsletter.render.pictures import ShownPicture

_OPTIONS = OptionsDict({"xhtmlOut": False, "breaks": False, "langPrefix": "language-", "highlight": None})  # type: ignore[typeddict-item]
_BOXES = {"[ ]": "\N{BALLOT BOX}", "[x]": "\N{BALLOT BOX WITH CHECK}"}
_SPACE = "space"
PictureSource = Callable[[str, PictureSpace], ShownPicture]  # called with an image's path


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
    """Return the prose as HTML in `<div class="prose">`. Its highest heading gets `heading_level`.

    Without `css`, it is for a page that has a style sheet, and gets no `style` attributes.

    `direction` is the direction of the text around the prose. Text that runs the other way gets a `dir` attribute.
    Images are shown at most `width` pixels wide.
    """
    if prose.is_empty:
        return Markup("")
    renderer, space = _RENDERER if css else _PAGE_RENDERER, _Space(picture, width)
    tokens = with_whole_headings(_with_levels(prose.tokens, heading_level))
    tokens = with_figures(with_attributions(tokens))
    tokens = with_directions(tokens, direction)
    fragment = f'<div class="prose">{renderer.render(tokens, _OPTIONS, {_SPACE: space})}</div>'
    if not css:
        return Markup(fragment)  # noqa: S704 - made from Markdown with raw HTML off
    inlined = memory.recall("prose", f"{css}\0{fragment}".encode(), lambda: _inlined(fragment, css))
    return Markup(inlined.decode())  # noqa: S704 - made from Markdown with raw HTML off


def line_html(line: ProseLine, *, css: str, memory: Memory, direction: Direction) -> Markup:
    """Return a line of Markdown from a key as HTML in `<span class="prose">`. It contains no images."""
    own = direction_of_text(line, direction)
    tokens = with_directions(line.prose.tokens, own)
    inside = "".join(_RENDERER.renderInline(token.children or [], _OPTIONS, {}) for token in tokens)
    way = "" if own is direction else f' dir="{own.value}"'
    fragment = f'<span class="prose"{way}>{inside}</span>'
    if not css:
        return Markup(fragment)  # noqa: S704 - likewise
    inlined = memory.recall("prose", f"{css}\0{fragment}".encode(), lambda: _inlined(fragment, css))
    return Markup(inlined.decode())  # noqa: S704 - made from Markdown with raw HTML off


def _inlined(fragment: str, css: str) -> bytes:
    # Imported here because it loads premailer, which a build does not need if everything is in its cache.
    from newsletter.render.inline import inline_css

    return inline_css(fragment, css).encode()


class _Space(NamedTuple):
    """Where the images in a text come from, and the most pixels that one may be wide."""

    picture: PictureSource
    width: int

    def show(self, token: Token) -> tuple[ShownPicture, PictureTitle]:
        """Return the image of a token, and what its title says."""
        title = read_picture_title(str(token.attrs.get("title", "")))
        space = PictureSpace(width=min(title.width or self.width, self.width), fills=title.width is not None)
        return self.picture(str(token.attrs["src"]), space), title


class _Renderer(RendererHTML):
    """Renders Markdown as HTML for email: images have a width, and the header cells of tables have a scope.

    It has no state, because making one takes long. The space for images is in `env`.
    """

    def image(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: MutableMapping[str, Any]) -> str:
        """Return the tag of an image, which is never wider than its space.

        The tag sets no height. Otherwise, if images are not loaded, the alt text would appear in a gap of that height.
        """
        token = tokens[idx]
        picture, title = env[_SPACE].show(token)
        attributes = {
            "src": picture.src,
            "alt": self.renderInlineAsText(token.children, options, env),
            # The class gives the image a background in dark mode.
            **({"role": "presentation"} if title.is_decorative else {"class": "picture"}),
            "width": str(picture.width),
            "style": f"width:100%;max-width:{picture.width}px;height:auto",
        }
        return f"<img {self.renderAttrs(Token('image', 'img', 0, attrs=dict(attributes)))}>"

    def softbreak(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: MutableMapping[str, Any]) -> str:
        """Return a space, because MJML's compiler drops a line break if there is nothing else between two tags."""
        return " "

    def task_box(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: MutableMapping[str, Any]) -> str:
        """Return the box of an entry of a task list, which every email app has a sign for."""
        return f"{_BOXES[tokens[idx].content]}&#160;"

    def footnote_ref(
        self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: MutableMapping[str, Any]
    ) -> str:
        """Return the number that refers to a note."""
        return f"<sup>{tokens[idx].content}</sup>"

    def footnote_mark(
        self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: MutableMapping[str, Any]
    ) -> str:
        """Return the number of a note, before its text."""
        return f"{tokens[idx].content} "

    def footnote_block_open(
        self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: MutableMapping[str, Any]
    ) -> str:
        """Return the tag around all notes of a text."""
        return '<div class="notes quiet">\n'

    def footnote_block_close(
        self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: MutableMapping[str, Any]
    ) -> str:
        """Return the closing tag of the notes."""
        return "</div>\n"

    def table_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: MutableMapping[str, Any]) -> str:
        """Return the tags of a data table, marked so that `finish_html` does not treat it as layout.

        A table that is wider than a phone scrolls in a box of its own, so that its words stay whole.
        """
        attributes = self.renderAttrs(tokens[idx])
        return f'<div class="wide"><div><table class="data"{attributes} border="0" cellpadding="0" cellspacing="0">\n'

    def table_close(
        self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: MutableMapping[str, Any]
    ) -> str:
        """Return the end tags of a data table and of the box in which it scrolls."""
        return "</table></div></div>\n"

    def th_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: MutableMapping[str, Any]) -> str:
        """Return the tag of a column's header cell, which screen readers announce with each cell of the column."""
        return f'<th scope="col"{self.renderAttrs(tokens[idx])}>'


class _PageRenderer(_Renderer):
    """Renders Markdown as HTML for a page of the archive, whose style sheet does the rest."""

    def image(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: MutableMapping[str, Any]) -> str:
        """Return the tag of an image with its size, so that nothing moves when it is loaded."""
        token, space = tokens[idx], env[_SPACE]
        picture, _ = space.show(token)
        attributes = {
            "src": picture.src,
            "alt": self.renderInlineAsText(token.children, options, env),
            **({"class": "full"} if picture.width == space.width else {}),
            "width": str(picture.width),
            "height": str(picture.height),
            "loading": "lazy",
        }
        return f"<img {self.renderAttrs(Token('image', 'img', 0, attrs=dict(attributes)))}>"

    def table_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: MutableMapping[str, Any]) -> str:
        """Return the tags of a data table and of the box in which a wide one scrolls, also with the keyboard."""
        return f'<div class="wide" role="group" tabindex="0"><table{self.renderAttrs(tokens[idx])}>\n'

    def table_close(
        self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: MutableMapping[str, Any]
    ) -> str:
        """Return the end tags of both."""
        return "</table></div>\n"

    def th_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: MutableMapping[str, Any]) -> str:
        """Return the tag of a column's header cell."""
        return f'<th scope="col"{self.renderAttrs(_aligned(tokens[idx]))}>'

    def td_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: MutableMapping[str, Any]) -> str:
        """Return the tag of a cell."""
        return f"<td{self.renderAttrs(_aligned(tokens[idx]))}>"


def _aligned(cell: Token) -> Token:
    """Return a cell with a class in place of the style with which Markdown aligns it."""
    style = str(cell.attrs.get("style", ""))
    if not style:
        return cell
    return cell.copy(attrs={**{key: value for key, value in cell.attrs.items() if key != "style"}, "class": style[11:]})


_RENDERER, _PAGE_RENDERER = _Renderer(), _PageRenderer()


def _with_levels(tokens: Sequence[Token], heading_level: int) -> list[Token]:
    highest = min((int(token.tag[1]) for token in tokens if token.type == "heading_open"), default=1)
    shift = heading_level - highest
    return [
        token.copy(tag=f"h{min(int(token.tag[1]) + shift, 6)}")
        if token.type in {"heading_open", "heading_close"}
        else token
        for token in tokens
    ]
