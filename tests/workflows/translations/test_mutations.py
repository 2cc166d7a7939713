"""Returned files that a program or a person damaged: none ever alters a field, a link, a date or a price.

The usual run tries 200 files; `TRANSLATION_MUTATIONS=10000` tries as many as before a release. At least two thirds of
them are valid by the schemas of OASIS, which therefore protect nothing.
"""

import os
import re
from collections import Counter
from copy import deepcopy
from pathlib import Path
from random import Random
from typing import Any

import pytest
from lxml import etree

from newsletter.config import Config
from newsletter.errors import NewsletterError
from newsletter.workflows.translations.import_ import plan_import
from tests.translation.schema import errors_in, schema
from tests.workflows.translations.returning import CORE, export, translate, translated_workspace

COUNT = int(os.environ.get("TRANSLATION_MUTATIONS", "200"))
INSERTED = (
    *(
        "{{ email }}",
        "{{ first_name }}",
        "https://evil.example.com",
        "[a](https://evil.example.com)",
        "**",
        "<br>",
        "`",
    ),
    *("](", "![x](x.png)", "# ", "\n\n", "- ", "| a |", "---", "\\", "<!-- x -->", "&amp;", "[^1]", "{lang=es}", "$1"),
    *("mfq0123456789abcdefq", "\u202e", "~~", "=", "4 de mayo de 2026 ", "<https://evil.example.com>", "[x][y]", "_x_"),
    *("`", "evil@example.com", "www.evil.example.com", "1. ", "x"),
)
FACTS = re.compile(
    r"https?://[^\s)>\]\"]+|\{\{ \w+|[\w.]+@[\w.]+\w|\$[\d.,]*\d|\d+ €|25–27 \w+ \w+ \w+ \d+|\w+, 6 \w+ \w+|8:00 am"
    r"|\[\^\d\]|field\.png|\{lang=\w+\}|`\w+`"
)
SOURCE_FACTS = Counter(
    {"25–27 de febrero de 2026": 1, "viernes, 6 de marzo": 1, "8:00 am": 1, "$25": 1, "20 €": 1, "$1,200.50": 1}
)


def facts_in(files: dict[str, str]) -> Counter[str]:
    """What no translation may change, as it is in all files together."""
    return Counter(fact for text in files.values() for fact in FACTS.findall(text))


def damage(root: Any, random: Random) -> None:
    """Change a document in one way, most of which leave it valid."""
    random.choice([damage_code, damage_code, type_something, change_segment])(root, random)


def damage_code(root: Any, random: Random) -> None:
    """Drop, double, move or rename a code, or change what it says that it contains."""
    targets = list(root.iter(f"{CORE}target"))
    codes = [code for target in targets for code in target.iter(f"{CORE}ph", f"{CORE}pc")]
    code, other = random.choice(codes), random.choice(codes)
    is_alone = code.tag.endswith("ph")

    def drop() -> None:
        text, before = "".join(code.itertext()) + (code.tail or ""), code.getprevious()
        if before is None:
            code.getparent().text = (code.getparent().text or "") + text
        else:
            before.tail = (before.tail or "") + text
        code.getparent().remove(code)

    def swap() -> None:
        first, second = code.get("id"), other.get("id")
        code.set("id", second)
        other.set("id", first)

    def change_data() -> None:
        for data in root.iter(f"{CORE}data"):
            data.text = "https://evil.example.com"

    def change_shown() -> None:
        code.set("disp" if is_alone else "dispStart", random.choice(INSERTED))
        code.set("equiv" if is_alone else "equivStart", "email")

    random.choice(
        [
            drop,
            swap,
            change_data,
            change_shown,
            lambda: code.addnext(deepcopy(code)),
            lambda: code.set("id", random.choice(["link-9", "field-1", "date-1", "x", "price-2"])),
            lambda: random.choice(targets).append(code),
        ]
    )()


def type_something(root: Any, random: Random) -> None:
    """Type something into a translation."""
    target = random.choice(list(root.iter(f"{CORE}target")))
    text = target.text or ""
    at = random.randrange(len(text) + 1)
    target.text = text[:at] + random.choice(INSERTED) + text[at:]


def change_segment(root: Any, random: Random) -> None:
    """Change a state, delete a translation, or change the original."""
    segment = random.choice(list(root.iter(f"{CORE}segment")))
    target, source = segment.find(f"{CORE}target"), segment.find(f"{CORE}source")
    segment.set("state", random.choice(["initial", "translated", "reviewed", "final"]))
    if target is not None and random.random() < 0.5:
        segment.remove(target)
    elif random.random() < 0.3:
        source.text = (source.text or "") + random.choice(INSERTED)


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Config:
    """A workspace whose issue has every kind of code."""
    return translated_workspace(tmp_path_factory.mktemp("mutations"))


def written(config: Config, content: bytes) -> dict[str, str] | None:
    """The files that an import would write, or None if it refuses."""
    path = Path(config.root, "back.xlf")
    path.write_bytes(content)
    try:
        plans = plan_import(config, [path])
    except NewsletterError:
        return None
    return {write.name: write.content.decode() for plan in plans for write in plan.writes}


def test_no_damage_alters_a_field_a_link_a_date_or_a_price(config: Config) -> None:
    sound = translate(export(config))
    whole = written(config, sound)
    assert whole is not None
    facts = {name: facts_in({name: text}) for name, text in whole.items()}
    assert not SOURCE_FACTS - facts["letter.es.md"]
    random, valid, taken = Random(17), 0, 0
    for _ in range(COUNT):
        root: Any = etree.fromstring(sound)
        for _ in range(random.choice([1, 1, 1, 2, 3])):
            damage(root, random)
        content = bytes(etree.tostring(root))
        valid += not errors_in(content)
        files = written(config, content)
        taken += files is not None
        for name, text in (files or {}).items():
            found = facts_in({name: text})
            lost, added = facts[name] - found, found - facts[name]
            # A key that is not translated is left out. Other sentences are in the original language.
            keys = text.partition("\n---\n")[0]
            is_partial = name == "issue.yaml" or "open" in keys or (name == "letter.es.md" and "greeting" not in keys)
            assert not lost or (is_partial and set(lost) <= {"{{ first_name", *SOURCE_FACTS}), content
            assert not [fact for fact in added if not fact[0].isalnum() and fact[0] != "$"], content
            assert not [fact for fact in added if "evil" in fact or "@" in fact], content
    assert taken > COUNT // 10
    if schema() is not None:
        assert valid >= COUNT * 2 // 3
