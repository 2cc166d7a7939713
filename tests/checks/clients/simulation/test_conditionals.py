"""Conditional comments, as classic Outlook reads them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.checks.clients.simulation.conditionals import holds, resolved


@pytest.mark.parametrize(
    "condition",
    ["mso", "mso 16", "gte mso 9", "gt mso 15", "lte mso 16", "(mso)|(IE)", "!(lt mso 12)", "mso & vml", "IE | mso"],
)
def test_word_is_version_16_of_mso(condition: str) -> None:
    assert holds(condition)


@pytest.mark.parametrize("condition", ["!mso", "mso 15", "lt mso 16", "IE", "(mso)&(IE)", "gt mso 16", "", "(mso", "!"])
def test_what_is_not_word_and_what_is_broken_does_not_hold(condition: str) -> None:
    assert not holds(condition)


@given(st.text(alphabet="!()&| msoIE0123456789.gtlvml", max_size=40))
def test_no_condition_is_too_odd(condition: str) -> None:
    assert holds(condition) in {True, False}


@pytest.mark.parametrize(
    ("html", "read"),
    [
        ("a<!--[if mso]>b<![endif]-->c", "abc"),
        ("a<!--[if !mso]><!-->b<!--<![endif]-->c", "ac"),
        ("a<!--[if !mso]><!-- -->b<!-- <![endif]-->c", "ac"),
        ("a<!--[if mso]><!-->b<!--<![endif]-->c", "abc"),
        ("a<![if !mso]>b<![endif]>c", "ac"),
        ("a<!--[if mso]><td><![endif]-->b<!--[if mso]></td><![endif]-->c", "a<td>b</td>c"),
        ("a<!-- a comment -->b", "a<!-- a comment -->b"),
        ("a<!--[if mso]>b", "a<!--[if mso]>b"),
    ],
)
def test_word_reads_what_its_condition_allows(html: str, read: str) -> None:
    assert resolved(html) == read
