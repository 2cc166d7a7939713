"""What the pages of the archive say, in each language."""

from collections.abc import Mapping

from newsletter.language.service_words import service_words, spoken

_ENGLISH = {
    "archive": "Archive",
    "all": "All issues",
    "read": "Read this issue",
    "more": "More issues",
    "languages": "In other languages",
    "years": "Years",
    "search": "Search all issues",
    "found_none": "No issue contains these words.",
    "none_yet": "No issue has been published yet.",
    "skip": "Skip to the content",
    "website": "Website",
    "browser": "Read in the browser",
    "moved": "This issue has moved",
    "not_found": "There is no page at this address",
}


def words_in(language: str) -> Mapping[str, str]:
    """Return the words of the archive in a language, or in English if there are none."""
    return {**_ENGLISH, "language": language}


def joining_words(language: str, newsletter: str) -> Mapping[str, str]:
    """Return the words of the form to join, with the language in which they are."""
    found = spoken([language])
    words = service_words(found)["joining"]
    named = {key: words[key].format(newsletter=newsletter) for key in ("title", "sentence")}
    return {**named, "language": found, **{key: words[key] for key in ("email", "first_name", "button")}}
