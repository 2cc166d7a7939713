"""The placeholders of a new workspace: what `newsletter init` writes, and what a real issue must not say any more.

They are read from the files of the starter themselves, so the checks always know what the starter says today. Only what
may stay as it is stands in a table here. All addresses of the starter belong to a domain that can never exist.
"""

import csv
import io
import re
import tomllib
from collections.abc import Iterator, Mapping
from functools import lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable

from newsletter.checks.reading.document import normalized
from newsletter.errors import Location
from newsletter.system.hosts import host_of

STARTER_DOMAIN = "our-organization.example"
SAMPLE_LIST = "recipients.example.csv"
_FEWEST_WORDS = 3  # “Live online” or “About us” may be exactly what someone wants to say
_NAMES = frozenset({"name", "organization"})
# The keys whose texts are as good in any issue: “Reserve your place”, “Dear friends”.
_LASTING = frozenset({"label", "greeting", "closing"})
# The tables and keys of newsletter.toml whose values are as good in any workspace.
_LASTING_SETTINGS = frozenset(
    {
        ("newsletter", "language"),
        ("newsletter", "timezone"),
        ("brand", "logo"),  # a file that must exist
        ("brand", "light"),
        ("brand", "social", "name"),
        ("segments",),
        ("topics",),
        ("provider", "use"),
        ("provider", "sendgrid"),
    }
)
_KEY = re.compile(r"^[ -]*(?P<key>\w+): +(?P<value>\S.*)$", re.MULTILINE)
_SAMPLE = re.compile(r"^# (?=\[|\w+ = )", re.MULTILINE)
_CODE_SPAN = re.compile(r"`[^`]*`")  # a passage has another sign in place of each
_LINK_TARGET = re.compile(r"\]\((?:(?!\]\()[^)])*\)")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")


@lru_cache(maxsize=4096)
def starter_words_in(text: str, key: str) -> tuple[int, ...]:
    """Return the position of each sentence of a text that the starter says too. `key` is empty in prose."""
    return () if key in _LASTING else tuple(_positions(text, key))


def is_starter_address(address: str) -> bool:
    """Return whether an email address, a host or the address of a page is one of the starter's examples."""
    host = host_of(address) or address.removeprefix("mailto:").partition("?")[0].rpartition("@")[2].strip("> ").lower()
    return f".{host}".endswith(f".{STARTER_DOMAIN}") or address in _sample_pages()


@lru_cache(maxsize=1)
def placeholder_settings() -> Mapping[Location, str]:
    """Return the value of each key of the starter's newsletter.toml that must be replaced, samples included.

    Lists are left out of the names of keys: every page in `[[brand.social]]` has the same.
    """
    said = tomllib.loads(_SAMPLE.sub("", _file("newsletter.toml")))
    return {
        location: value
        for location, value in _settings(said, ())
        if not any(location[:length] in _LASTING_SETTINGS for length in range(1, len(location) + 1))
    }


@lru_cache(maxsize=1)
def sample_people() -> tuple[str, ...]:
    """Return the addresses in the starter's sample list."""
    return tuple(row["email"] for row in csv.DictReader(io.StringIO(_file(SAMPLE_LIST))))


def _settings(value: object, location: Location) -> Iterator[tuple[Location, str]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _settings(inner, (*location, key))
    elif isinstance(value, list):
        for inner in value:
            yield from _settings(inner, location)
    elif isinstance(value, str):
        yield location, value


@lru_cache(maxsize=1)
def _sample_pages() -> frozenset[str]:
    return frozenset({placeholder_settings()["brand", "social", "url"]})


def _positions(text: str, key: str) -> Iterator[int]:
    said = _starter_texts()
    start = 0
    for sentence in _SENTENCE_END.split(text):
        start = text.index(sentence, start)
        if normalized(sentence) in said and _counts(sentence, key):
            yield start
        start += len(sentence)


def _counts(text: str, key: str) -> bool:
    return key in _NAMES or len(normalized(text).split()) >= _FEWEST_WORDS


@lru_cache(maxsize=1)
def _starter_texts() -> frozenset[str]:
    """Return every value and every sentence of the starter, normalized."""
    said = [value for (table, *_), value in placeholder_settings().items() if table == "newsletter"]
    said.append(placeholder_settings()["newsletter", "from"].partition("<")[0])
    for text, is_prose in _issue_texts():
        said += [match["value"] for match in _KEY.finditer(text)]
        body = text.split("---\n", 2)[-1] if is_prose else ""
        said += [
            sentence for block in re.split(r"\n\n+|^- ", body, flags=re.MULTILINE) for sentence in _sentences(block)
        ]
    return frozenset(filter(None, map(normalized, said)))


def _sentences(block: str) -> list[str]:
    return _SENTENCE_END.split(block.strip())


def _issue_texts() -> Iterator[tuple[str, bool]]:
    """Yield the text of each file of the starter's issue, and whether it has prose."""
    for file in _texts_below(files("newsletter").joinpath("starter", "issue")):
        text = _CODE_SPAN.sub("\N{OBJECT REPLACEMENT CHARACTER}", file.read_text("utf-8"))
        yield _LINK_TARGET.sub("]", text), file.name.endswith(".md")


def _texts_below(folder: Traversable) -> Iterator[Traversable]:
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _texts_below(entry)
        elif entry.name.endswith((".md", ".yaml")):
            yield entry


def _file(name: str) -> str:
    return files("newsletter").joinpath("starter", name).read_text("utf-8")
