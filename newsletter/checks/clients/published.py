"""caniemail's table as https://www.caniemail.com publishes it (API version 1), and its conversion to our own form."""

import re
from collections.abc import Mapping
from typing import Annotated

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from newsletter.checks.clients.table import Feature, Support, Table, first_problem

TABLE_URL = "https://www.caniemail.com/api/data.json"
LICENSE = "MIT, © 2019 HTeuMeuLeu (Rémi Parmentier)"
_FIRST_YEAR = 2000
_FEWEST_FEATURES = 100  # the published table has many more


class _PublishedPart(BaseModel):
    """A part of the table. Keys that are not used here are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class _Feature(_PublishedPart):
    slug: str
    title: str
    url: str
    category: str
    last_test_date: str
    # family → platform → version → the letter for the support, then the numbers of its notes: `a #1 #3`
    stats: Mapping[str, Mapping[str, Mapping[str, Annotated[str, Field(pattern=r"^[yanu]( .*)?$")]]]]
    notes_by_num: Mapping[str, str] | None


class _Names(_PublishedPart):
    family: Mapping[str, str]
    platform: Mapping[str, str]


class _Published(_PublishedPart):
    api_version: Annotated[str, Field(pattern=r"^1\.")]
    last_update_date: Annotated[str, Field(min_length=10)]
    nicenames: _Names
    data: Annotated[tuple[_Feature, ...], Field(min_length=_FEWEST_FEATURES)]


def read_published(content: bytes, source: str) -> Table:
    """Return the table from what caniemail publishes, with only the newest version of each email app.

    Raise ValueError with the first problem if the content does not have the expected form.
    """
    try:
        published = _Published.model_validate(orjson.loads(content))
        clients = _clients(published)
        families = dict.fromkeys(client.partition(".")[0] for client in clients)
        return Table(
            source=source,
            license=LICENSE,
            date=published.last_update_date[:10],
            clients=clients,
            families={family: published.nicenames.family.get(family, family) for family in families},
            features=tuple(_kept(feature, tuple(clients)) for feature in published.data),
        )
    except orjson.JSONDecodeError as err:
        raise ValueError(f"line {err.lineno} is not JSON") from err
    except ValidationError as err:
        raise ValueError(first_problem(err)) from err


def newest_version(versions: Mapping[str, str]) -> str:
    """Return the newest of several versions.

    A version is a date, a year that was part of a product's name, or a number. Numbers are newer than years and dates.
    """
    return max(versions, key=_age)


def _clients(published: _Published) -> dict[str, str]:
    """Return all email apps with their names, grouped by family."""
    names = published.nicenames
    known = {
        (family, platform)
        for feature in published.data
        for family, platforms in feature.stats.items()
        for platform in platforms
    }
    families, platforms = list(names.family), list(names.platform)
    ordered = sorted(known, key=lambda pair: (_rank(pair[0], families), _rank(pair[1], platforms)))
    return {f"{family}.{platform}": _name(names, family, platform) for family, platform in ordered}


def _name(names: _Names, family: str, platform: str) -> str:
    """Return the name of an email app: `Gmail on iOS`, or just `Outlook.com` if it has its own name."""
    product = names.family.get(family, family)
    match platform:
        case "desktop-webmail":
            return f"{product} in a browser"
        case "mobile-webmail":
            return f"{product} in a phone's browser"
        case "outlook-com" | "windows-mail":
            return names.platform.get(platform, platform)
    return f"{product} on {names.platform.get(platform, platform)}"


def _kept(feature: _Feature, clients: tuple[str, ...]) -> Feature:
    answers = [_answer(feature, client) for client in clients]
    remarks: dict[str, tuple[str, ...]] = {}
    for client, answer in zip(clients, answers, strict=True):
        for number in re.findall(r"#(\d+)", answer):
            if remark := (feature.notes_by_num or {}).get(number):
                remarks[remark] = (*remarks.get(remark, ()), client)
    return Feature(
        slug=feature.slug,
        title=feature.title.strip(),
        url=feature.url,
        category=feature.category,
        tested=feature.last_test_date,
        answers="".join(answer[0] for answer in answers),
        remarks=remarks,
    )


def _answer(feature: _Feature, client: str) -> str:
    family, _, platform = client.partition(".")
    versions = feature.stats.get(family, {}).get(platform)
    return versions[newest_version(versions)] if versions else Support.UNTESTED


def _rank(name: str, order: list[str]) -> tuple[int, str]:
    return (order.index(name) if name in order else len(order), name)


def _age(version: str) -> tuple[bool, tuple[int, ...]]:
    numbers = tuple(int(number) for number in re.findall(r"\d+", version))
    return bool(numbers) and numbers[0] < _FIRST_YEAR, numbers
