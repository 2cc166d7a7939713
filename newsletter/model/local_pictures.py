"""A mail as a browser can show it: its pictures fetched from beside the page instead of from inside the mail."""

import re

from newsletter.model.rendered import RenderedIssue

# What the renderer writes: `cid:NAME@newsletter`, or `https://…/images/NAME` where pictures are hosted.
_PICTURE_ADDRESS = re.compile(
    r"""cid:(?P<inside>[A-Za-z0-9.-]+)@newsletter
      | https://[^\s"'()<>]+/images/(?P<hosted>[A-Za-z0-9.-]+)""",
    re.VERBOSE,
)


def with_local_pictures(html: str, rendered: RenderedIssue, prefix: str) -> str:
    """The HTML with the address of each picture of the issue replaced by `prefix` and the picture's name.

    Addresses of pictures that are not the issue's own stay as they are.
    """
    own = {picture.name for picture in rendered.pictures}

    def local(match: re.Match[str]) -> str:
        name = match["inside"] or match["hosted"]
        return f"{prefix}{name}" if name in own else match[0]

    return _PICTURE_ADDRESS.sub(local, html)
