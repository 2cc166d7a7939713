"""What goes to a translator and comes back translated has the structure of its original, in both forms."""

import re
from pathlib import Path

import pytest

from newsletter.content.loader import load_issue
from newsletter.translation.held import TranslationState
from newsletter.workflows.translations.export import exported_file
from newsletter.workflows.translations.overview import sentences_in
from tests.workflows.translations.returning import (
    LETTER,
    ROOT,
    copied_workspace,
    export,
    status_of,
    take,
    translate,
    translated_workspace,
)
from tests.workspaces import CONFIG, write_workspace

URL = re.compile(r"https?://[^\s)\]>\"]+")
JAPANESE = """\
---
greeting: 皆さま、
---
二月の手紙です。「やさしさ」について書きました。[続きを読む](https://www.example.org/ja)。2月25日（水）に会いましょう。
"""
GERMAN = """\
---
greeting: Liebe {{ first_name | default("Freunde") }},
---
Wir treffen uns am 25. Februar 2026 um 19:30 Uhr. Es kostet 20 €, z. B. für Dr. Meier. **Bis bald!**
"""


@pytest.mark.parametrize("form", ["xliff", "po"])
@pytest.mark.parametrize(
    ("source", "issue", "language"),
    [
        (ROOT, "2026-02", "es"),
        (ROOT / "tests/kitchen_sink", "everything", "ja"),
        (ROOT / "tests/kitchen_sink", "right-to-left", "de"),
    ],
)
def test_a_whole_issue_comes_back_with_its_structure(
    tmp_path: Path, source: Path, issue: str, language: str, form: str
) -> None:
    config = copied_workspace(tmp_path, source)

    (plan,) = take(config, translate(export(config, language, issue=issue, form=form)))

    status = status_of(config, language, issue=issue)
    assert status.counts() == {TranslationState.TRANSLATED: len(plan.changes)}
    assert status.surplus == 0
    folder = config.root / "issues" / issue
    for translation in status.translations:
        exported = exported_file(translation, issue)
        assert not [each for each in exported.sentences.values() if each.written or not each.target]
        if translation.name != "issue.yaml":
            original, written = ((folder / name).read_text() for name in (translation.original.name, translation.name))
            in_text = [text.rpartition("\n---\n")[2] for text in (re.sub(r"<!--.*?-->", "", original), written)]
            assert sorted(URL.findall(in_text[0])) == sorted(URL.findall(in_text[1]))
    in_language = load_issue(config, folder).in_language(language)
    assert in_language.language == language
    assert [len(section.items) for section in in_language.sections] == [
        len(section.items) for section in load_issue(config, folder).sections
    ]


@pytest.mark.parametrize(("own", "letter"), [("ja", JAPANESE), ("de", GERMAN)])
def test_an_issue_in_another_language_is_split_into_its_sentences(tmp_path: Path, own: str, letter: str) -> None:
    config_text = CONFIG.replace("[service]", f'language = "{own}"\n\n[service]') + '[languages]\noffered = ["es"]\n'
    files = {"newsletter.toml": config_text, "issues/2026-02/letter.md": letter}
    config = copied_workspace(tmp_path, write_workspace(tmp_path / "source", files))

    take(config, translate(export(config)))

    status = status_of(config)
    assert set(status.counts()) == {TranslationState.TRANSLATED}
    translation = next(each for each in status.translations if each.name == "letter.es.md")
    body = [each for each in sentences_in(translation) if each.unit.location is None]
    assert len(body) == {"ja": 4, "de": 3}[own]
    assert "25 de febrero" in (config.root / "issues/2026-02/letter.es.md").read_text()


def test_a_translation_reads_like_a_file_that_someone_wrote(tmp_path: Path) -> None:
    config = translated_workspace(tmp_path)

    take(config, translate(export(config)))

    folder = config.root / "issues/2026-02"
    letter = (folder / "letter.es.md").read_text()
    assert letter.startswith(
        '---\ngreeting: raeD {{ first_name | default("sdneirF") }},\nclosing: htiW mraw sehsiw,\nof: ['
    )
    assert letter.partition("\n---\n")[2] == LETTER_BACKWARDS
    heading = (folder / "issue.yaml").read_text()
    assert "# keep this comment\npreheader: A letter, a price and three days.\n" in heading
    assert 'subject.es: eerhT syad ni gnirps, {{ first_name | default("dneirf") }} 🌷\n' in heading


LETTER_BACKWARDS = """\
eW teem no 25–27 de febrero de 2026, ta 8:00 am.
[evreseR ruoy *ecalp*](https://www.example.org/place "Places") yadot!
rD. nemreG dna C. ffeN lliw eb ereht.

- tI stsoc $25, ro 20 €, rof owt.
- etirW ot hello@example.org, ro daer <https://www.example.org/more>.

> eB **dnik** ot flesruoy.[^1]
> A erutcip ![fo a dleif](field.png) sdnats ereh.

| yaD | ecirP |
|-----|------:|
| viernes, 6 de marzo | **$1,200.50** |

[^1]: daeR [eht eton](https://www.example.org/note) yb `code`.
""".replace("nemreG", "remreG")
assert LETTER.count("$") == LETTER_BACKWARDS.count("$")
