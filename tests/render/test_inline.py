"""Author CSS in the tags of a fragment: the rules that are left out are those that could not apply."""

import pytest
from premailer import Premailer

from newsletter.render import inline
from newsletter.render.inline import inline_css

CSS = """
.prose p { margin: 1px } .prose ul, .prose ol { margin: 2px } .prose [dir=rtl] p { margin: 3px }
.prose .task { margin: 4px } .prose p.task[lang] { margin: 5px } .prose p:not(.task) { color: red }
.prose a[title="a > b"] { margin: 6px } .prose td + td { margin: 7px } .prose > p:first-child { padding: 8px }
html > body .prose p { border: 0 } .prose tbody { margin: 9px } h2 ~ ul li { margin: 10px } #note { margin: 11px }
"""
FRAGMENTS = [
    '<div class="prose"><p>One</p><p class="task">Two</p></div>',
    '<div class="prose"><p dir="rtl">One</p><div dir="rtl"><p lang="de" class="task">Two</p></div></div>',
    '<div class="prose"><h2>One</h2><ul><li>Two<ol><li>Three</li></ol></li></ul></div>',
    '<div class="prose"><table><tr><td>One</td><td id="note">Two</td></tr></table></div>',
    '<div class="prose"><p><a href="/" title="a &gt; b">One</a></p></div>',
]


@pytest.mark.parametrize("fragment", FRAGMENTS)
def test_no_rule_that_applies_is_left_out(fragment: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found = inline_css(fragment, CSS)
    monkeypatch.setattr(inline, "_Inliner", Premailer)

    assert found == inline_css(fragment, CSS)
    assert "style=" in found
