"""What comes back is verified before anything is written, and nothing newer is lost."""

import re
from pathlib import Path

import pytest
from lxml import etree

from newsletter.errors import ConflictError, InputError, MistakesError
from newsletter.translation.held import TranslationState
from newsletter.workflows.translations.import_ import plan_import, write_import
from tests.workflows.translations.returning import (
    CORE,
    export,
    plan,
    status_of,
    take,
    translate,
    translate_xliff,
    translated_workspace,
)

SENTENCE = "Reserve your place today!"


def returned(content: bytes, old: str, new: str) -> bytes:
    """A returned file in which one text of the translation is another."""
    before, found, after = content.decode().partition(old)
    assert found
    return f"{before}{new}{after}".encode()


def mistakes(config: object, content: bytes) -> list[str]:
    """What is wrong with a returned file."""
    with pytest.raises(MistakesError) as caught:
        plan(config, content)  # type: ignore[arg-type]
    return [str(mistake) for mistake in caught.value.mistakes]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("raeD {first_name}", "raeD", "lacks first_name"),
        ("raeD {first_name}", "raeD {first_name} {first_name}", "has first_name too often"),
        ("raeD {first_name}", "raeD {email}", "has no email"),
        ("raeD {first_name}", "raeD {{ first_name }} {first_name}", "braces or other signs"),
        ("raeD {first_name}", "raeD https://evil.example.com {first_name}", "contains an address"),
        ("<link-1>evreseR", "</link-1><link-1>evreseR", "too often"),
        ("<link-1>evreseR ruoy <emphasis-1>ecalp</emphasis-1></link-1>",
         "</link-1>evreseR ruoy <emphasis-1>ecalp</emphasis-1><link-1>", "ends before it begins"),
        ("<link-1>evreseR ruoy <emphasis-1>ecalp</emphasis-1></link-1>",
         "<link-1>evreseR ruoy <emphasis-1>ecalp</link-1></emphasis-1>", "ends before it begins"),
        ("no {date-1}", "no 26 de febrero", "lacks date-1"),
        ("stsoc {price-1}", "stsoc $2", "lacks price-1"),
    ],
)  # fmt: skip
def test_a_code_that_was_changed_is_told_at_its_line(tmp_path: Path, old: str, new: str, told: str) -> None:
    config = translated_workspace(tmp_path)
    content = returned(translate(export(config, form="po")), old, new)

    (found,) = mistakes(config, content)

    line = content.decode()[: content.decode().index(new)].count("\n") + 1
    assert told in found
    assert re.match(rf"back\.po:({line}|{line - 1}|{line - 2}): ", found)
    assert not (config.root / "issues/2026-02/letter.es.md").exists()


def test_all_mistakes_are_told_at_once_and_nothing_is_written(tmp_path: Path) -> None:
    config = translated_workspace(tmp_path)
    content = translate(export(config, form="po"))
    content = returned(returned(content, "raeD {first_name}", "raeD"), "stsoc {price-1}", "stsoc")
    before = {path: path.read_bytes() for path in (config.root / "issues").rglob("*.*")}

    found = mistakes(config, content)

    assert len(found) == 2
    assert {path: path.read_bytes() for path in (config.root / "issues").rglob("*.*")} == before


def test_the_contents_of_codes_in_a_returned_file_are_never_read(tmp_path: Path) -> None:
    config = translated_workspace(tmp_path)
    content = translate(export(config)).replace(b"https://www.example.org/place", b"https://evil.example.com")
    content = content.replace(b'equiv="first_name"', b'equiv="email"').replace(
        b"25\xe2\x80\x9327 de febrero", b"1 de mayo"
    )

    take(config, content)

    letter = (config.root / "issues/2026-02/letter.es.md").read_text()
    assert "evil" not in letter
    assert "{{ email" not in letter
    assert "25–27 de febrero de 2026" in letter


def test_a_changed_original_sentence_is_refused(tmp_path: Path) -> None:
    config = translated_workspace(tmp_path)
    content = returned(translate(export(config)), "<source>With warm wishes", "<source>With cold wishes")

    assert "the original sentence was changed in this file" in mistakes(config, content)[0]


def test_sentences_of_another_version_are_left_out_and_the_others_taken(tmp_path: Path) -> None:
    config = translated_workspace(tmp_path)
    content = translate(export(config))
    letter = config.root / "issues/2026-02/letter.md"
    letter.write_text(letter.read_text().replace("We meet", "New here! We will meet"))

    (found,) = take(config, content)

    assert [each.unit for each in found.outdated] == ["text-1"]
    counts = status_of(config).counts()
    assert counts[TranslationState.MISSING] == 2
    assert counts[TranslationState.TRANSLATED] == len(found.changes)


def test_a_translation_that_was_changed_here_is_kept_unless_asked(tmp_path: Path) -> None:
    config = translated_workspace(tmp_path)
    take(config, translate(export(config)))
    exported = export(config)
    letter = config.root / "issues/2026-02/letter.es.md"
    letter.write_text(letter.read_text().replace("closing: htiW mraw sehsiw,", "closing: Con cariño,"))
    content = returned(translate_xliff(exported), "<target>htiW mraw sehsiw,", "<target>Saludos,")

    (kept,) = take(config, content)
    assert kept.kept == 1
    assert "closing: Con cariño," in letter.read_text()

    take(config, content, replaces_newer=True)
    assert "closing: Saludos," in letter.read_text()


def test_missing_sentences_stay_open_and_reviewed_ones_stay_reviewed(tmp_path: Path) -> None:
    config = translated_workspace(tmp_path)
    root = etree.fromstring(translate_xliff(export(config), state="final"))
    segments = list(root.iter(f"{CORE}segment"))
    for segment in segments[3:]:
        segment.remove(segment.find(f"{CORE}target"))  # type: ignore[arg-type]

    take(config, bytes(etree.tostring(root)))
    assert status_of(config).counts()[TranslationState.REVIEWED] == 3

    take(config, translate(export(config, form="po")))
    counts = status_of(config).counts()
    assert counts == {TranslationState.REVIEWED: 3, TranslationState.TRANSLATED: len(segments) - 3}


def test_translations_that_are_not_marked_as_translated_are_counted(tmp_path: Path) -> None:
    config = translated_workspace(tmp_path)

    (found,) = plan(config, translate_xliff(export(config), state="initial"))

    assert found.writes == ()
    assert found.unmarked > 0
    assert found.unchanged == 0


def test_a_stale_translation_that_nobody_touched_stays_stale(tmp_path: Path) -> None:
    config = translated_workspace(tmp_path)
    take(config, translate(export(config)))
    letter = config.root / "issues/2026-02/letter.md"
    letter.write_text(letter.read_text().replace("We meet", "We will meet"))

    for form in ("xliff", "po"):
        (found,) = plan(config, export(config, form=form))
        assert found.writes == ()


def test_nothing_is_half_written(tmp_path: Path) -> None:
    config = translated_workspace(tmp_path)
    plans = plan(config, translate(export(config)))
    before = (config.root / "issues/2026-02/issue.yaml").read_bytes()
    (config.root / "issues/2026-02/prices.es.md").write_text("someone else's\n")

    with pytest.raises(ConflictError):
        write_import(plans)

    assert (config.root / "issues/2026-02/issue.yaml").read_bytes() == before
    assert not (config.root / "issues/2026-02/letter.es.md").exists()


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"<xliff", "not sound XML"),
        (
            b'<!DOCTYPE x [<!ENTITY a "b">]><xliff>&a;</xliff>',
            "document type",
        ),
        (b'<xliff version="1.2"/>', "not an XLIFF document of version 2"),
        (b"hello\n", "not a sound PO file"),
        (b'msgid ""\nmsgstr "Language: es\\n"\n\nmsgid "a"\nmsgstr "b"\n', "lost its `msgctxt`"),
    ],
)
def test_a_broken_file_is_told(tmp_path: Path, content: bytes, told: str) -> None:
    config = translated_workspace(tmp_path)

    assert told in mistakes(config, content)[0]


def test_a_file_of_another_issue_or_language_is_told(tmp_path: Path) -> None:
    config = translated_workspace(tmp_path)
    content = translate(export(config))

    with pytest.raises(InputError, match="'2025-12', which does not exist here"):
        plan(config, content.replace(b"2026-02/", b"2025-12/"))
    with pytest.raises(InputError, match="the language 'fr' is not offered"):
        plan(config, content.replace(b'trgLang="es"', b'trgLang="fr"'))
    with pytest.raises(InputError, match="nowhere"):
        plan_import(config, [config.root / "nowhere.xlf"])


@pytest.mark.parametrize("number", ["0", "00"])
def test_a_sentence_with_a_number_that_none_has_is_found_by_its_words(tmp_path: Path, number: str) -> None:
    config = translated_workspace(tmp_path)
    content = translate(export(config, form="po")).decode()

    def written(number: str) -> list[bytes]:
        renumbered = re.sub(r'^(msgctxt ".*) s\d+"$', rf'\1 s{number}"', content, flags=re.MULTILINE)
        (found,) = plan(config, renumbered.encode())
        return [write.content for write in found.writes]

    assert written(number) == written("99") != []
