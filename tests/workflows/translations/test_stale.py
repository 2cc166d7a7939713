"""A changed sentence makes just its own translation stale, and nothing else does."""

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.config import Config
from newsletter.translation.held import TranslationState
from newsletter.workflows.translations.overview import accept_translations, plan_acceptance
from tests.workflows.translations.returning import (
    ROOT,
    copied_workspace,
    export,
    status_of,
    take,
    translate,
    translated_workspace,
)

STALE, MISSING, TRANSLATED = TranslationState.STALE, TranslationState.MISSING, TranslationState.TRANSLATED
WORD = re.compile(r"(?<![\w/.-])[a-z]{4,}(?![\w/-])")
ADDRESS = re.compile(r"\]\([^)]*\)|\S+://\S+")


@pytest.fixture(scope="module")
def february(tmp_path_factory: pytest.TempPathFactory) -> Config:
    """The issue of February, translated."""
    config = copied_workspace(tmp_path_factory.mktemp("february"), ROOT)
    take(config, translate(export(config)))
    return config


def bodies(config: Config) -> list[tuple[Path, list[int]]]:
    """The files of the issue with text below their keys, and where each of its words begins."""
    found = []
    for path in sorted((config.root / "issues/2026-02").rglob("*.md")):
        text = path.read_text()
        start = text.rfind("\n---\n") + 5
        taken = {at for match in ADDRESS.finditer(text) for at in range(*match.span())}
        words = [match.start() for match in WORD.finditer(text, start) if match.start() not in taken]
        if words and "." not in path.stem:  # an original, not a translation
            found.append((path, words))
    return found


@given(data=st.data())
@settings(max_examples=20)
def test_a_changed_word_reopens_exactly_one_sentence(february: Config, data: st.DataObject) -> None:
    path, words = data.draw(st.sampled_from(bodies(february)))
    at = data.draw(st.sampled_from(words))
    before = path.read_text()
    try:
        path.write_text(f"{before[:at]}quite{before[at:]}")
        counts, surplus = status_of(february).counts(), status_of(february).surplus
    finally:
        path.write_text(before)

    assert counts[STALE] == 1
    assert counts[MISSING] == 0
    assert surplus == 0


def change(config: Config, old: str, new: str, *, name: str = "letter.md") -> None:
    """Edit a file of the issue."""
    path = config.root / "issues/2026-02" / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_a_paragraph_that_moved_stays_up_to_date(tmp_path: Path) -> None:
    config = copied_workspace(tmp_path, ROOT)
    take(config, translate(export(config)))
    path = config.root / "issues/2026-02/letter.md"
    keys, body = path.read_text().split("\n---\n", 1)
    first, *rest = body.rstrip().split("\n\n")
    path.write_text(keys + "\n---\n" + "\n\n".join([*rest, first]) + "\n")

    assert set(status_of(config).counts()) == {TRANSLATED}


def test_other_spaces_and_line_breaks_change_nothing(tmp_path: Path) -> None:
    config = translated_workspace(tmp_path)
    take(config, translate(export(config)))

    change(config, "today!\nDr. Germer", "today!  Dr.\nGermer")

    assert set(status_of(config).counts()) == {TRANSLATED}


def test_a_new_sentence_is_missing_and_a_deleted_one_is_too_many(tmp_path: Path) -> None:
    config = translated_workspace(tmp_path)
    take(config, translate(export(config)))
    change(config, "Dr. Germer and", "It is free. Dr. Germer and")
    change(config, " A picture ![of a field](field.png) stands here.", "")

    status = status_of(config)

    assert (status.counts()[MISSING], status.counts()[STALE], status.surplus) == (1, 0, 1)


def test_another_date_or_field_makes_a_sentence_stale_and_another_address_does_not(tmp_path: Path) -> None:
    config = translated_workspace(tmp_path)
    take(config, translate(export(config)))
    change(config, "February 25–27", "February 24–27")
    change(config, "greeting: Dear {{ first_name", "greeting: Dear {{ last_name")
    change(config, "Friday, March 6", "Monday, March 9")
    change(config, "https://www.example.org/place", "https://www.example.org/new")

    status = status_of(config)
    stale = [each.text for _, each in status.sentences() if each.state is STALE]

    assert stale[:2] == ["Dear {last_name},", "We meet on February 24–27, 2026, at 8:00 am."]
    assert [each.text for _, each in status.sentences() if each.held.leads_elsewhere] == ["Reserve your place today!"]


def test_a_translation_by_hand_is_not_tracked_until_it_is_accepted(tmp_path: Path) -> None:
    config = translated_workspace(tmp_path)
    folder = config.root / "issues/2026-02"
    by_hand = (
        "---\ntitle: Lo que cuesta\nbutton: {label: Pagar}\n---\nUna palabra para todos, y otra.\n"
        '[Muchas gracias]{lang=es}, {{ first_name }}, y {{ first_name | default("usted") }}.\n'
    )
    (folder / "prices.es.md").write_text(by_hand)
    translation = next(each for each in status_of(config).translations if each.name == "prices.es.md")
    assert not translation.is_tracked

    accept_translations(folder, plan_acceptance(status_of(config), ["prices.es.md"]))

    translation = next(each for each in status_of(config).translations if each.name == "prices.es.md")
    assert translation.is_tracked
    assert {held.state for held in translation.held.values()} == {TRANSLATED}
    assert "title: Lo que cuesta\nbutton: {label: Pagar}\n" in (folder / "prices.es.md").read_text()


def test_accepting_brings_new_addresses_and_the_order_of_the_original(tmp_path: Path) -> None:
    config = translated_workspace(tmp_path)
    take(config, translate(export(config)))
    change(config, "https://www.example.org/place", "https://www.example.org/new")
    change(config, "We meet", "We all meet")
    change(config, "- Write to hello@example.org, or read <https://www.example.org/more>.\n", "")

    plan = plan_acceptance(status_of(config))
    accept_translations(config.root / "issues/2026-02", plan)

    assert (len(plan.sentences), plan.surplus, plan.addresses) == (1, 1, 1)
    letter = (config.root / "issues/2026-02/letter.es.md").read_text()
    assert "[evreseR ruoy *ecalp*](https://www.example.org/new" in letter
    assert "example.org/more" not in letter
    assert set(status_of(config).counts()) == {TRANSLATED}
    assert plan_acceptance(status_of(config)).writes == ()
