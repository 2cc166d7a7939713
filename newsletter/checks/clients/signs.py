"""The signs of features in an email: in its elements and attributes, `style` attributes and style elements.

Results are cached by their text, because hardly any of it changes from one build to the next.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import PurePosixPath
from urllib.parse import urlsplit

import tinycss2
from msgspec import Struct
from tinycss2.ast import Declaration, Node
from tinycss2.color3 import parse_color

from newsletter.checks.clients.features import Kind, Sign, Use
from newsletter.checks.reading.document import MailDocument, Tag, start_tags
from newsletter.checks.reading.styles import nodes_of_block, nodes_of_rules, nodes_of_sheet, nodes_of_style

BACKGROUND_PICTURES = frozenset(
    {Sign(Kind.PROPERTY, "background-image"), Sign(Kind.ATTRIBUTE, "background")}
    | {Sign(Kind.FUNCTION, f"{shape}-gradient") for shape in ("linear", "radial", "conic")}
)
_FORMATS: Mapping[str, str] = {"jpeg": "jpg", "tif": "tiff", "heic": "heif"}
# The blocks of these rules contain no declarations that a reader sees directly.
_UNREAD_RULES = frozenset({"font-face", "keyframes", "-webkit-keyframes", "page", "property", "counter-style"})
_OLD_PSEUDO_ELEMENTS = re.compile(r"(?<!:):(before|after|first-line|first-letter)\b")
_SELECTORS = {
    "type": re.compile(r"(?:^|[ >+~,(])[a-z]", re.IGNORECASE),
    "class": re.compile(r"\."),
    "id": re.compile(r"#"),
    "attribute": re.compile(r"\["),
    "chaining": re.compile(r"\.[\w-]+\.[\w-]"),
    "descendant": re.compile(r"[^ >+~,(] [^ ]"),
    **{sign: re.compile(re.escape(sign)) for sign in (">", "+", "~", ",", "*")},
}


@lru_cache(maxsize=64)
def signs_of_sheet(css: str) -> frozenset[Use]:
    """Return the CSS that a style element uses. Everything in @supports counts as having a fallback."""
    return frozenset(_rules(nodes_of_sheet(css)))


@lru_cache(maxsize=4096)
def signs_of_declarations(css: str) -> frozenset[Use]:
    """Return the CSS that a `style` attribute uses."""
    return frozenset(_block(nodes_of_style(css)))


def declares_ground(css: str) -> bool:
    """Return whether a `style` attribute gives the element a background color."""
    return _has_ground(_declarations(nodes_of_style(css)))


def picture_format(address: str) -> str | None:
    """Return an image format such as `webp` from the ending of an address, or None if the address has none.

    An address that contains the image itself (`data:`) is `base64`.
    """
    if address.startswith("data:"):
        return "base64"
    try:
        path = urlsplit(address).path
    except ValueError:  # not a valid address, which another check reports
        return None
    ending = PurePosixPath(path).suffix.lstrip(".").lower()
    return _FORMATS.get(ending, ending) or None


def _rules(nodes: Iterable[Node]) -> Iterator[Use]:
    for node in nodes:
        if node.type == "qualified-rule":
            yield from _selector(tinycss2.serialize(node.prelude))
            yield from _block(nodes_of_block(node.content))
        elif node.type == "at-rule":
            yield from _at_rule(node)


def _at_rule(node: tinycss2.ast.AtRule) -> Iterator[Use]:
    name = node.lower_at_keyword
    yield _used(Kind.AT_RULE, name.removeprefix("-webkit-"))
    if name == "media":
        yield from _media_features(node.prelude)
    if node.content is None or name in _UNREAD_RULES:
        return
    inside = _rules(nodes_of_rules(node.content))
    yield from (use._replace(has_fallback=True) for use in inside) if name == "supports" else inside


def _media_features(prelude: Iterable[Node]) -> Iterator[Use]:
    for node in prelude:
        if node.type == "() block":
            first = next((inner for inner in node.content if inner.type == "ident"), None)
            if first is not None:
                yield _used(Kind.MEDIA_FEATURE, re.sub(r"^(-webkit-)?(min-|max-)?", "", first.lower_value))


def _selector(selector: str) -> Iterator[Use]:
    plain = re.sub(r"\[[^\]]*\]", "[]", " ".join(selector.split()))
    plain = re.sub(r"(:nth-[\w-]+)\([^)]*\)", r"\1", re.sub(r" ?([>+~,]) ?", r"\1", plain))
    plain = _OLD_PSEUDO_ELEMENTS.sub(r"::\1", plain)
    for name, found in _SELECTORS.items():
        if found.search(plain):
            yield _used(Kind.SELECTOR, name)
    for pseudo in re.findall(r"::?[\w-]+", plain):
        yield _used(Kind.SELECTOR, pseudo.lower())


def _block(nodes: Sequence[Node]) -> Iterator[Use]:
    declared = _declarations(nodes)
    on_ground = _has_ground(declared)
    before: dict[str, set[Sign]] = {}  # the signs that all earlier declarations of a property share
    for declaration in declared:
        of_value = {use.sign: use for use in _value(declaration)}
        earlier = before.get(declaration.lower_name)
        for sign, use in of_value.items():
            has_other = earlier is not None and sign not in earlier and sign.kind is not Kind.PROPERTY
            yield use._replace(has_fallback=has_other or (on_ground and sign in BACKGROUND_PICTURES))
        before[declaration.lower_name] = set(of_value) if earlier is None else earlier & set(of_value)
    for node in nodes:
        if node.type == "qualified-rule":
            yield _used(Kind.SELECTOR, "nesting")
            yield from _rules([node])
        elif node.type == "at-rule":
            yield from _at_rule(node)


def _value(declaration: Declaration) -> Iterator[Use]:
    """Yield what one declaration uses: its property and the parts of its value."""
    name = declaration.lower_name
    yield _used(Kind.PROPERTY, "--*" if declaration.name.startswith("--") else name)
    if declaration.important:
        yield _used(Kind.VALUE, "!important")
    words = [node for node in declaration.value if node.type not in {"whitespace", "comment"}]
    if len(words) == 1 and words[0].type == "ident":
        yield _used(Kind.VALUE, f"{name}: {words[0].lower_value}")
    for node in _all_nodes(words):
        yield from _word(node)
        is_gradient = node.type == "function" and node.lower_name.endswith("-gradient")
        if name == "background" and (node.type == "url" or is_gradient):
            yield _used(Kind.PROPERTY, "background-image")


def _word(node: Node) -> Iterator[Use]:
    if node.type == "ident":
        yield _used(Kind.VALUE, node.lower_value)
    elif node.type == "function":
        yield _used(Kind.FUNCTION, node.lower_name.removeprefix("repeating-"))
    elif node.type == "dimension":
        yield _used(Kind.UNIT, node.lower_unit)
    elif node.type == "percentage":
        yield _used(Kind.UNIT, "%")
    elif node.type == "url" and (form := picture_format(node.value)):
        yield Use(Sign(Kind.PICTURE, form), has_fallback=False, address=node.value)


def _all_nodes(nodes: Iterable[Node]) -> Iterator[Node]:
    for node in nodes:
        yield node
        if node.type == "function":
            yield from _all_nodes(node.arguments)


def _has_ground(declared: Iterable[Declaration]) -> bool:
    return any(
        declaration.lower_name in {"background", "background-color"} and any(map(_is_color, declaration.value))
        for declaration in declared
    )


def _is_color(node: Node) -> bool:
    color = parse_color(node) if node.type in {"hash", "ident", "function"} else None
    return color is not None and (color == "currentColor" or color.alpha > 0)


def _declarations(nodes: Iterable[Node]) -> list[Declaration]:
    return [node for node in nodes if node.type == "declaration"]


def _used(kind: Kind, name: str) -> Use:
    return Use(Sign(kind, name), has_fallback=False)


# The HTML between `<!--[if !mso]><!-->` and `<!--<![endif]-->` is hidden from Word, which Outlook uses to show email.
_WITHOUT_WORD = re.compile(r"<!--\[if [^\]]*!\s*mso[^\]]*\]>\s*<!--(?:\s*--)?>(.*?)<!--\s*<!\[endif\]-->", re.DOTALL)
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_STYLE = re.compile(r"<style\b[^>]*>(.*?)</style>", re.DOTALL | re.IGNORECASE)
_TAG = re.compile(r"""<[A-Za-z](?:[^"'>]++|"[^"]*+"|'[^']*+')*+>""")
_TYPED = frozenset({"input", "button"})
_PICTURES = frozenset({"img", "image", "input"})  # elements whose `src` is an image


class Uses(Struct, frozen=True, kw_only=True):
    """The HTML and CSS that an email uses."""

    by_all: frozenset[Use]
    without_word: frozenset[Use]  # in parts that are hidden from Word
    has_vml: bool  # whether it draws background images for Word with VML


def uses_in(document: MailDocument) -> Uses:
    """Return the HTML and CSS that a variant uses. Parts that only Word reads are ignored."""
    return Uses(
        by_all=_uses(_WITHOUT_WORD.sub("", document.html)),
        without_word=_uses("".join(_WITHOUT_WORD.findall(document.html))),
        has_vml=any(tag.name in {"v:fill", "v:image"} for tag in document.outlook_tags),
    )


def _uses(html: str) -> frozenset[Use]:
    html = _COMMENT.sub("", html)
    return _united(frozenset(_STYLE.findall(html)), frozenset(_TAG.findall(_STYLE.sub("<style>", html))))


@lru_cache(maxsize=64)  # an edit of words changes neither
def _united(sheets: frozenset[str], tags: frozenset[str]) -> frozenset[Use]:
    return frozenset[Use]().union(*map(signs_of_sheet, sheets), *map(_signs_of_tag, tags))


@lru_cache(maxsize=8192)
def _signs_of_tag(text: str) -> frozenset[Use]:
    """Return the HTML and CSS that a start tag uses. Results are cached, because most tags occur many times."""
    (tag,) = start_tags(text)
    style = tag.attributes.get("style", "")
    uses = frozenset({*_element(tag), *_attributes(tag), *signs_of_declarations(style)})
    behind = {use for use in uses if use.sign in BACKGROUND_PICTURES}
    if behind and ("bgcolor" in tag.attributes or declares_ground(style)):
        return uses - behind | {use._replace(has_fallback=True) for use in behind}
    return uses


def _element(tag: Tag) -> Iterator[Use]:
    yield _used(Kind.ELEMENT, tag.name)
    if tag.name in _TYPED:
        default = "text" if tag.name == "input" else "submit"
        yield _used(Kind.ELEMENT, f"{tag.name} type={tag.attributes.get('type', default).lower()}")
    elif tag.name == "meta":
        yield _used(Kind.ELEMENT, f"meta name={tag.attributes.get('name', '').lower()}")


def _attributes(tag: Tag) -> Iterator[Use]:
    of_picture = {"background", "poster", *(["src"] if tag.name in _PICTURES else [])}
    for name, value in tag.attributes.items():
        yield _used(Kind.ATTRIBUTE, name)
        if name == "href" and value.startswith(("#", "mailto:")):
            yield _used(Kind.ATTRIBUTE, "href=#" if value.startswith("#") else "href=mailto:")
        elif name in of_picture and (form := picture_format(value)):
            yield Use(Sign(Kind.PICTURE, form), has_fallback=False, address=value)
