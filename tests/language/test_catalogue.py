"""The catalogues: whole in every language, translated in fact, and read as Babel reads them."""

import re
import runpy
import string
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po, write_po
from hypothesis import given
from hypothesis import strategies as st

from newsletter.language import catalogue
from newsletter.language.catalogue import FOLDER, counted, spoken, spoken_languages, words_of

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "scripts" / "update-catalogues"
TRANSLATED = tuple(language for language in spoken_languages() if language != "en")
# Messages that may be the same in another language: names, examples, and signs between placeholders.
SAME = {
    *(
        "theme.label",
        "theme.website",
        "dates.range",
        "dates.clock_range",
        "dates.clock",
        "dates.comma",
        "dates.semicolon",
    ),
    *("tips.apple-mail.title", "tips.outlook.title", "asked.known_name"),
    *("review.error", "review.versions", "review.width_tablet"),
}
SCRIPTS = {
    "ar": r"[\u0600-\u06ff]",
    "he": r"[\u0590-\u05ff]",
    "ja": r"[\u3040-\u30ff\u4e00-\u9fff]",
    "ko": r"[\uac00-\ud7a3]",
    "zh": r"[\u4e00-\u9fff]",
}
# Signs of another language's punctuation, direction marks, invisible characters and markup.
STRAY = re.compile(r"[<>&*_`\[\]|\\\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]|https?:|''|\.\.\.|  ")


@cache
def template() -> Catalog:
    return read_po(BytesIO((FOLDER / "messages.pot").read_bytes()))


@cache
def translation(language: str) -> Catalog:
    return read_po(BytesIO((FOLDER / f"{language}.po").read_bytes()))


def messages(catalog: Catalog) -> dict[str, Message]:
    return {str(message.context): message for message in catalog if message.id}


def forms(text: str | tuple[str, ...] | list[str]) -> list[str]:
    return [text] if isinstance(text, str) else list(text)


def places(text: str) -> list[str]:
    return sorted(name for _, name, _, _ in string.Formatter().parse(text) if name is not None)


def translated() -> Iterator[tuple[str, Message, str]]:
    for language in TRANSLATED:
        for message in messages(translation(language)).values():
            for form in forms(message.string):
                yield language, message, form


def test_the_theme_speaks_fourteen_languages() -> None:
    assert {"en", "de", "es", "fr", "pt", "it", "nl", "sv", "pl", "ja", "zh", "ko", "ar", "he"} <= set(
        spoken_languages()
    )


def test_every_catalogue_has_the_messages_of_the_template_and_no_others() -> None:
    compared = subprocess.run([sys.executable, SCRIPT, "--check"], capture_output=True, text=True, check=False)
    assert compared.returncode == 0, f"run make catalogues: {compared.stdout}{compared.stderr}"


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_message_is_translated(language: str) -> None:
    catalog = translation(language)
    for context, message in messages(catalog).items():
        told = forms(message.string)
        assert not message.fuzzy, context
        assert all(text and text == text.strip() for text in told), context
        assert len(told) == (catalog.num_plurals if message.pluralizable else 1), context
        assert list(message.check(catalog)) == [], context


def test_a_translation_has_the_places_of_the_english_message() -> None:
    for language, message, text in translated():
        assert places(text) == places(forms(message.id)[-1]), (language, message.context)


def test_a_translation_says_something_in_its_language() -> None:
    for language, message, text in translated():
        if message.context not in SAME:
            assert text not in forms(message.id), (language, message.context)
            words = re.sub(r"\{\w+\}", "", text)
            assert re.search(SCRIPTS.get(language, ""), words) or not re.search(r"\w", words), (
                language,
                message.context,
            )


def test_no_message_has_stray_characters() -> None:
    english = [("en", message, text) for message in messages(template()).values() for text in forms(message.id)]
    for language, message, text in [*english, *translated()]:
        assert not STRAY.search(text), (language, message.context, text)
        assert all(sign.isprintable() or sign in "\N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}" for sign in text), text


def test_french_signs_stand_after_a_space_that_does_not_break() -> None:
    for language, message, text in translated():
        if language == "fr":
            assert not re.search(r"[^\u00a0\u202f][?!;»]|[^\u00a0\u202f]:|«[^\u00a0\u202f]", text), message.context


def test_every_step_is_one_short_sentence() -> None:
    for language, message, text in translated():
        if str(message.context).startswith("tips."):
            assert len(text) <= 100, (language, message.context)


@pytest.mark.parametrize("language", spoken_languages())
def test_messages_are_read_as_babel_reads_them(language: str) -> None:
    is_source = language == "en"
    catalog = template() if is_source else translation(language)
    for context, message in messages(catalog).items():
        group, _, key = context.partition(".")
        assert words_of(language, group)[key] == forms(message.id if is_source else message.string)[0]


def test_code_and_templates_use_every_message_and_no_others() -> None:
    texts = {path: path.read_text(encoding="utf-8") for path in sources(".py", ".j2")}
    said = {
        f"{group}.{key}"
        for text in texts.values()
        for group, key in re.findall(r"\b(?:say|plainly)\(\s*\"(\w+)\", \"(\w+)\"[,)]", text)
    }
    known = set(messages(template()))
    assert said - known == set()
    keys = {context.partition(".")[2] for context in known}
    in_templates = "\n".join(text for path, text in texts.items() if path.suffix == ".j2")
    assert set(re.findall(r"\{[{%][^}]*?(?<!/)\bwords\.(\w+)", in_templates)) <= keys
    named = set(re.findall(r"[\"'.]([a-z]\w*)\b", "\n".join(texts.values())))
    joined = re.compile(r"(?:\w+_title|view_\w+|width_\w+|known_\w+|why_\w+|\S+\.(?:title|\d))")  # keys in two parts
    assert [
        each for each in known - said if not joined.fullmatch(key := each.partition(".")[2]) and key not in named
    ] == []


def test_no_other_file_speaks_several_languages() -> None:
    """Tables by language are of words to recognize, or facts, not of words to say."""
    recognized = {
        *("function_words.toml", "event_words.toml", "placeholders.toml", "leaving_words.toml"),
        *("mailbox_domains.toml", "written_dates.py", "fonts.py", "sentences.py"),
    }
    keyed = [
        re.compile(rf"^ *[\"']?{code}[\"']?\]? ?[:=\]]|[{{,(] ?[\"']{code}[\"'][,:]", re.MULTILINE)
        for code in TRANSLATED
    ]
    found = {
        path.name: [pattern for pattern in keyed if pattern.search(text)]
        for path in sources(".py", ".j2", ".toml", ".yaml", ".sql", ".js")
        if (text := path.read_text(encoding="utf-8"))
    }
    assert {name for name, patterns in found.items() if len(patterns) > 2} <= recognized


def sources(*endings: str) -> list[Path]:
    folders = (ROOT / "newsletter", ROOT / "templates")
    return [
        path
        for folder in folders
        for path in folder.rglob("*")
        if path.suffix in endings and FOLDER not in path.parents
    ]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of catalogues for one test."""
    _forget()
    monkeypatch.setattr(catalogue, "FOLDER", tmp_path)
    yield tmp_path
    _forget()


def _forget() -> None:
    for each in (spoken_languages, words_of, catalogue._messages, catalogue._plural_form, catalogue._blocks):
        each.cache_clear()


def write(folder: Path, language: str, *entries: Message, width: int = 0) -> None:
    catalog = Catalog(locale=language)
    for message in entries:
        catalog[message.id] = message
    with (folder / ("messages.pot" if language == "en" else f"{language}.po")).open("wb") as file:
        write_po(file, catalog, width=width, include_previous=True)


SEATS = ("One seat", "{number} seats")


def test_a_message_without_a_translation_is_english(folder: Path) -> None:
    write(folder, "en", *(Message(word, context=f"page.{word}") for word in ("one", "two", "three")))
    write(
        folder,
        "de",
        Message("one", "eins", context="page.one"),
        Message("two", "", context="page.two"),
        Message("three", "zwei", context="page.three", flags={"fuzzy"}, previous_id=("two",)),
    )
    assert words_of("de", "page") == {"one": "eins", "two": "two", "three": "three"}
    assert words_of("de", "elsewhere") == {}


@pytest.mark.parametrize(
    ("number", "english", "polish"),
    [
        (1, "One seat", "1 miejsce"),
        (2, "2 seats", "2 miejsca"),
        (5, "5 seats", "5 miejsc"),
        (22, "22 seats", "22 miejsca"),
    ],
)
def test_a_number_has_the_form_of_the_language(folder: Path, number: int, english: str, polish: str) -> None:
    write(folder, "en", Message(SEATS, context="page.seats"))
    write(
        folder,
        "pl",
        Message(SEATS, ("{number} miejsce", "{number} miejsca", "{number} miejsc"), context="page.seats"),
    )
    write(folder, "de", Message(SEATS, ("", ""), context="page.seats"))
    assert counted("pl", "page", "seats", number) == polish
    assert counted("en", "page", "seats", number) == counted("de", "page", "seats", number) == english


def test_a_changed_message_is_fuzzy_and_a_new_one_empty(folder: Path) -> None:
    write(
        folder,
        "en",
        Message("One", context="page.one"),
        Message("Two!", context="page.two"),
        Message("New", context="page.new"),
    )
    write(
        folder,
        "pl",
        Message("Two", "Dwa", context="page.two"),
        Message("Old", "Stare", context="page.old"),
        Message("One", "Jeden", context="page.one"),
    )
    script = runpy.run_path(str(SCRIPT))
    after = script["updated"](
        read_po(BytesIO((folder / "messages.pot").read_bytes())), (folder / "pl.po").read_bytes(), "pl"
    )
    (folder / "pl.po").write_bytes(after)
    catalog = read_po(BytesIO(after))
    assert [message.context for message in catalog if message.id] == ["page.one", "page.two", "page.new"]
    one, two, new = messages(catalog).values()
    assert (one.string, one.fuzzy, new.string, new.fuzzy) == ("Jeden", False, "", False)
    assert (two.string, two.fuzzy, '#| msgid "Two"\n' in after.decode()) == ("Dwa", True, True)
    assert words_of("pl", "page") == {"one": "Jeden", "two": "Two!", "new": "New"}
    assert script["updated"](read_po(BytesIO((folder / "messages.pot").read_bytes())), after, "pl") == after
    assert (catalog.num_plurals, catalog.locale_identifier) == (3, "pl")


@given(
    texts=st.lists(
        st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")) | st.sampled_from('\n\t"\\'), min_size=1),
        min_size=1,
        max_size=5,
    ),
    width=st.sampled_from([0, 40, 76]),
)
def test_whatever_a_translator_writes_is_read(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str], width: int
) -> None:
    folder, before = tmp_path_factory.mktemp("catalogues"), catalogue.FOLDER
    entries = [Message(f"English {number}", text, context=f"page.{number}") for number, text in enumerate(texts)]
    catalogue.FOLDER = folder
    try:
        write(folder, "en", *(Message(each.id, context=each.context) for each in entries))
        write(folder, "sv", *entries, width=width)
        _forget()
        assert list(words_of("sv", "page").values()) == texts
    finally:
        catalogue.FOLDER = before
        _forget()


@pytest.mark.parametrize(
    ("wanted", "chosen"),
    [(["de"], "de"), (["pt-BR"], "pt"), (["tlh", "fr-CA", "en"], "fr"), (["xx"], "en"), ([], "en"), (["../en"], "en")],
)
def test_the_first_language_with_a_catalogue_is_spoken(wanted: list[str], chosen: str) -> None:
    assert spoken(wanted) == chosen
