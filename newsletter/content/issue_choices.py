"""What `issue.yaml` chooses from the workspace: sections, segments and topics. Unknown ones are mistakes."""

from contextlib import suppress

from pydantic import ValidationError

from newsletter.config import CONFIG_FILE
from newsletter.content.source import Reading
from newsletter.content.yaml_reader import Tree
from newsletter.model.finding import Place
from newsletter.model.issue import Source
from newsletter.model.issue_fields import SectionEntry
from newsletter.model.segment import EVERYONE
from newsletter.settings.mistakes import suggestion
from newsletter.settings.workspace import Settings


def entries_of(data: Tree) -> tuple[SectionEntry, ...]:
    """Return the valid entries of `sections:` from an issue.yaml that has mistakes."""
    listed = data.get("sections")
    entries = []
    for value in listed if isinstance(listed, list) else ():
        with suppress(ValidationError):
            entries.append(SectionEntry.model_validate({"section": value} if isinstance(value, str) else value))
    return tuple(entries)


def topics_of(data: Tree) -> tuple[str, ...]:
    """Return the valid entries of `topics:` from an issue.yaml that has mistakes."""
    stated = data.get("topics")
    listed = stated if isinstance(stated, list) else [stated]
    return tuple(topic for topic in listed if isinstance(topic, str))


def require_segment(name: str | None, place: Place, settings: Settings, reading: Reading) -> None:
    """Note a segment that a section names and the workspace does not define."""
    known = [EVERYONE, *settings.segments]
    if name is not None and name not in known:
        reading.add(place.path, place.line, f"there is no segment {name!r} in {CONFIG_FILE}", suggestion(name, known))


def require_topics(topics: tuple[str, ...], source: Source, settings: Settings, reading: Reading) -> None:
    """Note unknown and repeated topics, and a missing topic if the workspace defines topics."""
    known, place = list(settings.topics), source.at("topics")
    if topics and not known:
        what = f"`topics` is set, but {CONFIG_FILE} defines no topics"
        remedy = f"delete the line, or add the topics to {CONFIG_FILE} under [topics]"
        reading.add(place.path, place.line, what, remedy)
        return
    if known and not topics:
        who = "subscribers who left all of its topics do not receive the issue"
        remedy = f"add a line such as `topics: [{known[0]}]`, with one or more of {', '.join(known)} ({who})"
        reading.add(place.path, place.line, "the issue has no topics", remedy)
    seen: set[str] = set()
    for index, topic in enumerate(topics):
        at = source.at("topics", index)
        if topic not in known:
            reading.add(at.path, at.line, f"there is no topic {topic!r} in {CONFIG_FILE}", suggestion(topic, known))
        elif topic in seen:
            reading.add(at.path, at.line, f"the topic {topic!r} is listed twice", "delete one of them")
        seen.add(topic)
