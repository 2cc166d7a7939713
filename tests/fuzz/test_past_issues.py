"""Exports of other tools, cut, overwritten and mixed: past issues, or a short message."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.errors import FaultError
from newsletter.incoming.past_issues import TOOLS, past_issues_of
from newsletter.incoming.past_page import stripped
from tests.fuzz.amount import EXAMPLES
from tests.fuzz.limits import limited
from tests.fuzz.mutations import texts
from tests.incoming.exports import EMAIL, EXPORTS, POSTS

_JSON = (
    EXPORTS["ghost"][1].decode(),
    EXPORTS["kit"][1].decode(),
    json.dumps([{"subject": "a", "publish_date": "2024"}]),
)
_PIECES = (
    *('"', ",", "\r\n", "\0", "\ufeff", "{", "}", "[", "]", "null", "1e999", "9999-99-99", "0001-01-01T00:00:00+23:59"),
    *('{"db":', '"posts":', '"content":', '"published_at":', "true", "<p>", "{{", "*|", "11.a", "posts/11.html"),
)
_HTML_PIECES = (
    "<div>",
    "</div>",
    "<table><tr><td>",
    "{{",
    "*|",
    "<a href='https://a.list-manage.com/?u=",
    "<img",
    "%%",
)


@given(content=texts((POSTS, *_JSON), _PIECES), tool=st.sampled_from(("", *TOOLS)))
@settings(max_examples=EXAMPLES)
def test_any_export_is_read_or_refused(content: bytes, tool: str) -> None:
    names = ("posts.csv", "emails.csv", "campaigns.csv", "export.json", "emails.json", "campaigns_content/11.html")
    for name in names:
        with limited():
            try:
                found = past_issues_of({name: content, "posts/11.a.html": b"<p>a</p>", "emails/a.md": b"a"}, tool)
            except FaultError as err:
                _require_short(str(err))
                continue
            assert all(each.subject.isprintable() and each.subject for each in found.issues)


@given(content=texts((EMAIL,), _HTML_PIECES))
@settings(max_examples=EXAMPLES)
def test_any_page_is_stripped(content: bytes) -> None:
    with limited():
        stripped(content.decode(errors="replace"))


def _require_short(told: str) -> None:
    assert len(told) < 300
