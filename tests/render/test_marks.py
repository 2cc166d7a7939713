"""Headings, figures and attributions in prose, marked for the theme."""

import re

import pytest

from tests.render.test_prose import html_of


def table(*cells: str, rule: str = "|---|---|") -> str:
    rows = "\n".join(f"| a | {cell} |" for cell in cells)
    return html_of(f"| what | how much |\n{rule}\n{rows}")


@pytest.mark.parametrize(
    "cells",
    [
        ("12", "8"), ("€12.50", "€9"), ("1.450,00 €", "980,00 €"), ("12,000 円", "–"), ("+3.5 %", "−2 %"),
        ("USD 40", "US$ 35"), ("120 kr", ""), ("40 ريال", "9 ريال"), ("**12**", "8"),
    ],
)  # fmt: skip
def test_a_column_of_figures_is_marked_with_its_head(cells: tuple[str, ...]) -> None:
    assert len(re.findall(r'<t[hd][^>]* class="figure"', table(*cells))) == len(cells) + 1


@pytest.mark.parametrize(
    "cells", [("12", "Free"), ("Room 12", "Room 8"), ("–", "–"), ("9:00", "10:00"), ("12 May", "8 May")]
)
def test_a_column_of_words_is_not(cells: tuple[str, ...]) -> None:
    assert "figure" not in table(*cells)


def test_a_column_that_its_author_has_aligned_stays() -> None:
    assert "figure" not in table("12", "8", rule="|---|:---:|")


@pytest.mark.parametrize("dash", ["—", "–", "―"])
@pytest.mark.parametrize("between", ["\n>\n> ", "\n> ", "  \n> "])
def test_the_last_line_of_a_quotation_says_who_said_it(dash: str, between: str) -> None:
    html = html_of(f"> Kind words.{between}{dash} Ana Lima")
    assert re.search(rf'<p[^>]*>Kind words\.</p>\s*<p class="attribution"[^>]*>{dash} Ana Lima</p>', html)


@pytest.mark.parametrize("quoted", ["> — a dash alone", "> Words — and more", "> One\n>\n> Two", "— Ana"])
def test_other_dashes_are_words(quoted: str) -> None:
    assert "attribution" not in html_of(quoted)


def test_a_quotation_inside_another_has_its_own() -> None:
    html = html_of("> Outer.\n>\n> > Inner.\n> >\n> > — Ana\n>\n> — Ben")
    assert re.findall(r'class="attribution"[^>]*>— (\w+)<', html) == ["Ana", "Ben"]


def test_a_heading_does_not_break_inside_a_word_and_its_text_may() -> None:
    html = html_of("## The 5-Day Course\n\nFive-day courses")
    assert "The 5\N{NON-BREAKING HYPHEN}Day Course" in html
    assert "Five-day courses" in html
