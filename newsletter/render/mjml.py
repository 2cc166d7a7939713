"""MJML → responsive HTML."""

import re

from mjml import mjml2html

from newsletter.errors import InputError

# Left to itself, the compiler links fonts.googleapis.com wherever a stack names Roboto, Lato, Ubuntu or Open Sans.
_NO_HOSTED_FONTS: dict[str, str] = {}
# Stands before the theme's own attributes, which win. Left to itself, the compiler sets text in 13 pixels without a
# space between its lines, and from left to right.
_DEFAULTS = '<mj-all font-size="16px" line-height="1.5" />'
_DEFAULTS_FROM_RIGHT = (
    '<mj-section direction="rtl" /><mj-group direction="rtl" /><mj-column direction="rtl" />'
    '<mj-text align="right" /><mj-table align="right" /><mj-social-element align="right" />'
)
_MJML = re.compile(r"<mjml\b[^>]*>")
_HEAD = re.compile(r"<mj-head\b[^>/]*>")
# What the compiler makes of components that no mail should have, what to say of it, and what to do.
_REFUSED = (
    (
        re.compile(r'class="mj-carousel'),
        "mj-carousel, which runs over the edge of a phone and loads its arrows from a foreign host",
        "show its pictures one below the other, each as an mj-image",
    ),
    (
        re.compile(r'src="https://i\.imgur\.com/(?:bIXv1bk|w4uTygT)\.png"'),
        "mj-accordion with icons from a foreign host, which sees who opens the mail",
        "give it icon-wrapped-url and icon-unwrapped-url with pictures of your own",
    ),
    (
        re.compile(r'src="https://www\.mailjet\.com/images/theme/'),
        "mj-social with icons from a foreign host, which sees who opens the mail",
        "give each mj-social-element a src with a picture of your own, or write the links as words",
    ),
    (
        re.compile(r"""<img\b(?!(?:[^"'>]|"[^"]*"|'[^']*')*?\ssrc=(?:"[^"]|'[^']))"""),
        "a picture without a source: an mj-image, or an mj-social-element for a network that MJML has no icon of",
        "give it a src",
    ),
)
# What the compiler writes that no mail program needs; Gmail cuts a long mail off, so every byte counts.
# The end of one conditional comment and the beginning of the next, with nothing between: the compiler leaves dozens.
_FOR_OUTLOOK = r"<!--\[if mso \| IE\]>(?:(?!-->).)*<!\[endif\]-->"
_SEAM = re.compile(r"<!\[endif\]--><!--\[if mso \| IE\]>")
_RUN = re.compile(rf"{_FOR_OUTLOOK}(?:{_FOR_OUTLOOK})+", re.DOTALL)
_LAST_SEMICOLON = re.compile(r"""(\sstyle="[^"]*);(?=")""")
# Comes with accordions so that Gmail drops the style sheet, and with it what narrow screens need. Gmail takes out the
# boxes that an accordion is opened by, so it shows all of it anyway.
_NOT_FOR_GMAIL = "@goodbye { @gmail }"


def compile_mjml(source: str, *, direction: str = "ltr") -> str:
    """The HTML of an MJML document; its media queries and Outlook comments are left alone from here on.

    Raises InputError where the theme's MJML cannot be read, holds a component that the compiler does not know (it
    would pass through as it is, and no mail program would show it), or one that harms readers.
    """
    try:
        html: str = mjml2html(_with_defaults(source, direction), fonts=_NO_HOSTED_FONTS)
    except ValueError as err:
        raise InputError(f"the theme's MJML cannot be compiled: {err}; look at the templates changed last") from err
    if (start := html.find("<mj-")) != -1:
        component = re.split(r"[\s/>]", html[start + 1 :], maxsplit=1)[0]
        raise InputError(f"the theme uses {component}, which is no component of MJML; correct its name in templates/")
    for pattern, what, remedy in _REFUSED:
        if pattern.search(html):
            raise InputError(f"the theme uses {what}; {remedy}")
    html = _RUN.sub(lambda run: _SEAM.sub("", run[0]), html.replace(_NOT_FOR_GMAIL, ""))
    return _LAST_SEMICOLON.sub(r"\1", html)


def _with_defaults(source: str, direction: str) -> str:
    defaults = _DEFAULTS + (_DEFAULTS_FROM_RIGHT if direction == "rtl" else "")
    attributes = f"<mj-attributes>{defaults}</mj-attributes>"
    source = str(source)  # as markup it would escape what is put into it
    if _HEAD.search(source):
        return _HEAD.sub(rf"\g<0>{attributes}", source, count=1)
    return _MJML.sub(rf"\g<0><mj-head>{attributes}</mj-head>", source, count=1)
