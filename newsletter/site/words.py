"""What the pages of the archive say, in each language."""

from collections.abc import Mapping

from newsletter.language.catalogue import spoken, words_of


def words_in(language: str) -> Mapping[str, str]:
    """Return the words of the archive in a language, or in English if there are none."""
    found = spoken([language])
    theme = words_of(found, "theme")
    return {**words_of(found, "archive"), "website": theme["website"], "browser": theme["browser"]}


def joining_words(language: str, newsletter: str) -> Mapping[str, str]:
    """Return the words of the form to join, with the language in which they are."""
    found = spoken([language])
    words = words_of(found, "joining")
    named = {key: words[key].format(newsletter=newsletter) for key in ("title", "sentence")}
    return {**named, "language": found, **{key: words[key] for key in ("email", "first_name", "button")}}
