"""The texts of a new workspace: what `newsletter init` writes, which a real issue must not say any more.

They are read from the files of the starter themselves, so that a check always knows what the starter says today.
"""

import re
import tomllib
from collections.abc import Iterator
from functools import lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable

from newsletter.checks.reading.document import normalized

_FEWEST_WORDS = 3  # “Live online” or “About us” may be exactly what someone wants to say
_NAMES = frozenset({"name", "organization"})
# The keys whose texts are as good in any issue: “Reserve your place”, “Dear friends”.
_LASTING = frozenset({"label", "greeting", "closing"})
_KEY = re.compile(r"^[ -]*(?P<key>\w+): +(?P<value>\S.*)$", re.MULTILINE)
_LINK_TARGET = re.compile(r"\]\([^)]*\)")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")


@lru_cache(maxsize=4096)
def starter_words_in(text: str, key: str) -> tuple[int, ...]:
    """Return the position of each sentence of a text that the starter says too. `key` is empty in prose."""
    return () if key in _LASTING else tuple(_positions(text, key))


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
    starter = files("newsletter").joinpath("starter")
    settings = tomllib.loads(starter.joinpath("newsletter.toml").read_text("utf-8"))
    said = [value for value in settings["newsletter"].values() if isinstance(value, str)]
    said.append(settings["newsletter"]["from"].partition("<")[0])
    for file in _texts_below(starter.joinpath("issue")):
        text = _LINK_TARGET.sub("]", file.read_text("utf-8"))
        said += [match["value"] for match in _KEY.finditer(text)]
        body = text.split("---\n", 2)[-1] if file.name.endswith(".md") else ""
        said += [
            sentence for block in re.split(r"\n\n+|^- ", body, flags=re.MULTILINE) for sentence in _sentences(block)
        ]
    return frozenset(filter(None, map(normalized, said)))


def _sentences(block: str) -> list[str]:
    return _SENTENCE_END.split(block.strip())


def _texts_below(folder: Traversable) -> Iterator[Traversable]:
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _texts_below(entry)
        elif entry.name.endswith((".md", ".yaml")):
            yield entry
