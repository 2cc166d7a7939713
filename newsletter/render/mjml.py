"""MJML → responsive HTML."""

import re

from mjml import mjml2html

from newsletter.errors import InputError

# Left to itself, the compiler links fonts.googleapis.com wherever a stack names Roboto, Lato, Ubuntu or Open Sans.
_NO_HOSTED_FONTS: dict[str, str] = {}
# What the compiler writes that no mail program needs; Gmail cuts a long mail off, so every byte counts.
# The end of one conditional comment and the beginning of the next, with nothing between: the compiler leaves dozens.
_SEAM = re.compile(r"<!\[endif\]-->\s*<!--\[if mso \| IE\]>")
_LAST_SEMICOLON = re.compile(r"""(\sstyle="[^"]*);(?=")""")


def compile_mjml(source: str) -> str:
    """The HTML of an MJML document; its media queries and Outlook comments are left alone from here on.

    Raises InputError where the theme's MJML cannot be read, or holds a component that the compiler does not know: it
    would pass through as it is, and no mail program would show it.
    """
    try:
        html: str = mjml2html(source, fonts=_NO_HOSTED_FONTS)
    except ValueError as err:
        raise InputError(f"the theme's MJML cannot be compiled: {err}; look at the templates changed last") from err
    if (start := html.find("<mj-")) != -1:
        component = re.split(r"[\s/>]", html[start + 1 :], maxsplit=1)[0]
        raise InputError(f"the theme uses {component}, which is no component of MJML; correct its name in templates/")
    return _LAST_SEMICOLON.sub(r"\1", _SEAM.sub("", html))
