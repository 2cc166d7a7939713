"""Text in quotes means the same to YAML and to TOML, whatever it contains."""

import tomllib

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from newsletter.model.typography import end_of_quotes, has_ideographs, in_quotes, inside_curly_quotes, unknown_escape


@given(st.text(st.one_of(st.sampled_from("\"'\\ :#"), st.characters(min_codepoint=32, max_codepoint=126)), max_size=99))
def test_a_text_in_quotes_is_read_back_unchanged(text: str) -> None:
    written = in_quotes(text)

    assert tomllib.loads(f"a = {written}")["a"] == text
    assert yaml.safe_load(f"a: {written}")["a"] == text
    assert end_of_quotes(written, 1, written[0]) == len(written)


def test_two_apostrophes_are_one_in_yaml_and_an_end_in_toml() -> None:
    assert end_of_quotes("'it''s' here", 1, "'", doubles_apostrophes=True) == 7
    assert end_of_quotes("'it''s' here", 1, "'") == 4


@pytest.mark.parametrize(
    ("text", "inside"), [("“a”", "a"), ("„a“", "a"), ("‘it’s’", "it’s"), ("“a” and “b”", None), ("“a’", None)]
)
def test_curly_quotes_are_found_only_in_pairs_around_the_whole_text(text: str, inside: str | None) -> None:
    assert inside_curly_quotes(text) == inside


def test_a_backslash_counts_only_before_an_unknown_letter() -> None:
    assert unknown_escape(r'"a\nb\\d\dc"', "n\\") == r"\d"
    assert unknown_escape(r'"a\nb"', "n") is None


@pytest.mark.parametrize("text", ["あ", "Tokyo と", "ヿ", "㐀", "漢", "鿿", "豈", "a\ufaff"])
def test_kana_and_ideographs_are_recognized(text: str) -> None:
    assert has_ideographs(text)


@pytest.mark.parametrize("text", ["", "words", "café – “x”", "한국어", "、。", "\ue000", "\ufb00", "💗", "Ａ"])
def test_no_other_letters_and_signs_count_as_ideographs(text: str) -> None:
    assert not has_ideographs(text)
