"""Read past issues from the exports of Buttondown, Ghost, Kit, Mailchimp and Substack."""

import csv
import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, date, datetime
from io import StringIO
from pathlib import PurePosixPath
from typing import Any

from markdown_it import MarkdownIt
from msgspec import Struct

from newsletter.errors import FaultError, Mistake
from newsletter.incoming.export_files import text_of

_LONGEST_CELL = 10_000_000  # characters; a whole email may be in one
_LONGEST_LINE = 300  # characters of a subject
_FANCY = re.compile(r"\A\s*<!--\s*buttondown-editor-mode:\s*fancy\s*-->")
_MODE = re.compile(r"\A\s*<!--\s*buttondown-editor-mode:[^>]*-->")
_DAY_FORMATS = ("%b %d, %Y", "%B %d, %Y", "%m/%d/%Y", "%m/%d/%y", "%d %b %Y")
_YEARS = range(1990, 2200)
_EXPORT_AGAIN = "export the issue again, or add it by hand"
_TITLE = re.compile(r"<title[^>]*>([^<]*)</title", re.IGNORECASE)


class PastIssue(Struct, frozen=True, kw_only=True):
    """An issue that another tool has sent, as it is in the export."""

    place: str  # the file in the export
    subject: str
    day: date
    html: str
    preheader: str = ""
    slug: str = ""
    is_for_all: bool = True  # False if only some readers could see it, such as those who pay
    is_on_the_web: bool = True  # False if it was only emailed


class PastIssues(Struct, frozen=True, kw_only=True):
    """What an export contains: the issues, sorted by day, and what is not taken, with reasons."""

    tool: str
    issues: tuple[PastIssue, ...]
    left_out: tuple[Mistake, ...]


Found = Iterator[PastIssue | Mistake]


def past_issues_of(files: Mapping[str, bytes], tool: str = "") -> PastIssues:
    """Return the past issues in the files of an export. The tool is recognized if it is not given.

    Raise FaultError if the tool cannot be recognized, or if the export has not the files of this tool.
    """
    tool = tool or _tool_of(files)
    found = list(_READERS[tool](files))
    issues = sorted((each for each in found if isinstance(each, PastIssue)), key=lambda each: (each.day, each.place))
    left_out = tuple(each for each in found if isinstance(each, Mistake))
    return PastIssues(tool=tool, issues=tuple(issues), left_out=left_out)


def _tool_of(files: Mapping[str, bytes]) -> str:
    if _named(files, "posts.csv"):
        return "substack"
    if _named(files, "emails.json") or _named(files, "emails.csv"):
        return "buttondown"
    if any("campaigns_content" in PurePosixPath(name).parts for name in files):
        return "mailchimp"
    for name, content in files.items():
        if name.lower().endswith(".json"):
            with suppress(FaultError):
                document = _json_of(name, content)
                if _ghost_posts(document) is not None:
                    return "ghost"
                if any("subject" in each for each in _kit_broadcasts(document)):
                    return "kit"
    known = "Buttondown, Ghost, Kit, Mailchimp or Substack"
    raise FaultError(f"it is not an export of {known}", "name the tool with --from if it is one of these")


def _substack(files: Mapping[str, bytes]) -> Found:
    table = _require(files, "posts.csv", "Substack")
    pages = {PurePosixPath(name).name.partition(".")[0]: name for name in files if name.lower().endswith(".html")}
    for line, row in _rows(table, files[table]):
        place = f"{table}:{line}"
        kind = row.get("type", "newsletter") or "newsletter"
        if row.get("is_published", "").lower() != "true":
            yield _left_out(table, line, "it is a draft", "publish it first if it is to be imported")
            continue
        if kind not in {"newsletter", "podcast"}:
            yield _left_out(table, line, f"it is a {kind[:20]}, not an issue", "add it by hand if you need it")
            continue
        number, _, slug = row.get("post_id", "").partition(".")
        page = pages.get(number)
        yield _issue_or_mistake(
            table,
            line,
            place=page or place,
            subject=row.get("title", ""),
            day=row.get("post_date", ""),
            html=text_of(files[page]) if page else "",
            preheader=row.get("subtitle", ""),
            slug=slug,
            is_for_all=row.get("audience", "everyone") in {"everyone", ""},
        )


def _buttondown(files: Mapping[str, bytes]) -> Found:
    as_json = _named(files, "emails.json")
    table = as_json or _require(files, "emails.csv", "Buttondown")
    if as_json:
        document = _json_of(table, files[table])
        rows = enumerate((each for each in _list_of(document) if isinstance(each, dict)), 1)
        records = [(None, {str(key): _text(value) for key, value in row.items()}) for _, row in rows]
    else:
        records = [(line, row) for line, row in _rows(table, files[table])]  # type: ignore[misc]
    texts = {PurePosixPath(name).stem: name for name in files if name.lower().endswith(".md")}
    for line, row in records:
        page = texts.get(row.get("slug", "")) or texts.get(row.get("id", ""))
        yield _issue_or_mistake(
            table,
            line,
            place=page or table,
            subject=row.get("subject", ""),
            day=row.get("publish_date", ""),
            html=_html_of_markdown(text_of(files[page]) if page else row.get("body", "")),
            slug=row.get("slug", ""),
        )


def _ghost(files: Mapping[str, bytes]) -> Found:
    for name, content in files.items():
        posts = _ghost_posts(_json_of(name, content)) if name.lower().endswith(".json") else None
        for post in posts or ():
            status = _text(post.get("status"))
            if _text(post.get("type", "post")) == "page" or status not in {"published", "sent"}:
                what = f"{_text(post.get('title'))[:60]!r} is a page or not published"
                yield _left_out(name, None, what, "add it by hand if you need it")
                continue
            yield _issue_or_mistake(
                name,
                None,
                place=name,
                subject=_text(post.get("title")),
                day=_text(post.get("published_at")),
                html=_text(post.get("html")),
                preheader=_text(post.get("custom_excerpt")),
                slug=_text(post.get("slug")),
                is_for_all=_text(post.get("visibility") or "public") == "public",
                is_on_the_web=status == "published",
            )


def _kit(files: Mapping[str, bytes]) -> Found:
    for name, content in files.items():
        for each in _kit_broadcasts(_json_of(name, content)) if name.lower().endswith(".json") else ():
            yield _issue_or_mistake(
                name,
                None,
                place=name,
                subject=_text(each.get("subject")),
                day=_text(each.get("published_at") or each.get("send_at")),
                html=_text(each.get("content")),
                preheader=_text(each.get("preview_text")),
            )


def _mailchimp(files: Mapping[str, bytes]) -> Found:
    rows: list[dict[str, str]] = []
    for name, content in files.items():
        if name.lower().endswith(".csv") and "campaign" in PurePosixPath(name).name.lower():
            rows += [row for _, row in _rows(name, content)]
    for name, content in files.items():
        path = PurePosixPath(name)
        if "campaigns_content" not in path.parts or path.suffix.lower() not in {".html", ".htm"}:
            continue
        row, html = _campaign_of(path.stem, rows), text_of(content)
        title = _TITLE.search(html)
        yield _issue_or_mistake(
            name,
            None,
            place=name,
            subject=_first(row, "subject", "subject line", "email subject") or (title[1] if title else ""),
            day=_first(row, "send date", "send time", "sent", "date sent"),
            html=html,
            slug=_first(row, "title"),
        )


def _campaign_of(stem: str, rows: list[dict[str, str]]) -> dict[str, str]:
    """Return the row of the campaign whose id or title is in the name of a file, or an empty row."""
    for keys in (("unique id", "campaign id", "id"), ("title",)):
        for row in rows:
            wanted = _letters(_first(row, *keys))
            parts = re.split(r"[_.-]", stem)
            if wanted and (wanted in map(_letters, parts) or _letters(stem).endswith(wanted)):
                return row
    return {}


_READERS: Mapping[str, Callable[[Mapping[str, bytes]], Found]] = {
    "buttondown": _buttondown,
    "ghost": _ghost,
    "kit": _kit,
    "mailchimp": _mailchimp,
    "substack": _substack,
}
TOOLS = tuple(_READERS)


def _issue_or_mistake(
    path: str, line: int | None, *, subject: str, day: str, html: str, **more: Any
) -> PastIssue | Mistake:
    subject = one_line(subject)
    sent = _day_of(day)
    if sent is None:
        what = f"{subject[:60]!r} has no date on which it was sent" if not day else f"{day[:40]!r} is not a date"
        return _left_out(path, line, what, _EXPORT_AGAIN)
    if not subject or not html.strip():
        return _left_out(path, line, f"the issue of {sent} has no {'text' if subject else 'subject'}", _EXPORT_AGAIN)
    more["preheader"] = one_line(more.get("preheader", ""))
    return PastIssue(subject=subject, day=sent, html=html, **more)


def one_line(text: str) -> str:
    """Return a text on one line, without invisible characters, cut to the length of a subject."""
    printable = "".join(sign if sign.isprintable() else " " for sign in text)
    return " ".join(printable.split())[:_LONGEST_LINE].strip()


def _day_of(written: str) -> date | None:
    """Return the day of a time in UTC. A time without a zone is taken as it is."""
    written = written.strip()
    found: date | None = None
    with suppress(ValueError, OverflowError):
        moment = datetime.fromisoformat(written)
        found = (moment.astimezone(UTC) if moment.tzinfo else moment).date()
    for form in _DAY_FORMATS if found is None else ():
        for words in (written, " ".join(written.split()[:3]), written.split(" ")[0]):
            with suppress(ValueError):
                found = found or datetime.strptime(words, form).date()  # noqa: DTZ007 - only the day is used
    return found if found is not None and found.year in _YEARS else None


def _html_of_markdown(text: str) -> str:
    if _FANCY.match(text):
        return _MODE.sub("", text)
    return str(MarkdownIt("commonmark").enable("table").render(_MODE.sub("", text)))


def _rows(name: str, content: bytes) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield the line and the cells of each row of a CSV file, by lowercase column."""
    before = csv.field_size_limit(_LONGEST_CELL)
    try:
        reader = csv.DictReader(StringIO(text_of(content).replace("\0", ""), newline=""))
        start = 2
        for row in list(reader):
            cells = {str(key).strip().lower(): value for key, value in row.items() if isinstance(value, str)}
            yield start, cells
            start += 1 + sum(value.count("\n") for value in cells.values())
    except csv.Error as err:
        raise FaultError(f"{name} is not a CSV file that can be read ({err})", "download the export again") from err
    finally:
        csv.field_size_limit(before)


def _json_of(name: str, content: bytes) -> Any:
    try:
        return json.loads(text_of(content))
    except (ValueError, RecursionError) as err:
        line = f":{err.lineno}" if isinstance(err, json.JSONDecodeError) else ""
        raise FaultError(f"{name}{line} is not JSON that can be read", "download the export again") from err


def _ghost_posts(document: Any) -> list[dict[str, Any]] | None:
    if not isinstance(document, dict):
        return None
    inner = document.get("db")
    first = inner[0] if isinstance(inner, list) and inner else document
    data = first.get("data") if isinstance(first, dict) else None
    posts = data.get("posts") if isinstance(data, dict) else None
    return [each for each in posts if isinstance(each, dict)] if isinstance(posts, list) else None


def _kit_broadcasts(document: Any) -> list[dict[str, Any]]:
    if isinstance(document, dict):
        document = document.get("broadcasts") or document.get("broadcast") or document
    return [each for each in _list_of(document) if isinstance(each, dict) and "content" in each]


def _list_of(document: Any) -> list[Any]:
    return document if isinstance(document, list) else [document]


def _named(files: Mapping[str, bytes], name: str) -> str | None:
    return next((each for each in files if PurePosixPath(each).name.lower() == name), None)


def _require(files: Mapping[str, bytes], name: str, tool: str) -> str:
    found = _named(files, name)
    if found is None:
        raise FaultError(f"it is not an export of {tool}, because it has no {name}", "leave out --from")
    return found


def _first(row: Mapping[str, str], *columns: str) -> str:
    return next((row[column] for column in columns if row.get(column)), "")


def _letters(text: str) -> str:
    return re.sub(r"[\W_]+", "", text).casefold()


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ("" if value is None else str(value))


def _left_out(path: str, line: int | None, what: str, remedy: str) -> Mistake:
    return Mistake(path=path, line=line, what=what, remedy=remedy)
