"""Past issues of other tools become pages of the archive, once, without anything that tracks or addresses a reader."""

import json
import re
from datetime import date
from pathlib import Path

import lxml.html
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.config import load_config
from newsletter.content.imported_pages import ImportedIssue, read_imported
from newsletter.errors import InputError
from newsletter.incoming.past_issues import PastIssue
from newsletter.incoming.past_page import stripped
from newsletter.model.issue_fields import Visibility
from newsletter.workflows.compose.compose import require_issue
from newsletter.workflows.compose.new import init_workspace
from newsletter.workflows.issues.import_ import page_of, plan_past_issues, write_past_issues
from tests.fuzz.amount import EXAMPLES
from tests.fuzz.limits import limited
from tests.incoming.exports import EMAIL, EXPORTS, zipped

_DAY = date(2024, 3, 5)
_HOSTILE = (
    *(
        "<script>alert(1)</script>",
        "<scr<b></b>ipt>",
        '<img src=x onerror="a()">',
        "<svg/onload=a()>",
        "<iframe src=//a>",
    ),
    *(
        '<a href="javascript:a()">b</a>',
        '<a href="JaVa\nScript:a()">b</a>',
        '<a href="data:text/html,x">c</a>',
        "<style>",
    ),
    *("{{", "}}", "{", "}", "{%", "%}", "*|", "|*", "*", "|", "%%", "%", "FNAME", "<i>", "</i>", "<font>", "</font>"),
    *(
        "&#123;{a}}",
        "&#42;|UNSUB|*",
        '<a href="https://example.org/*|EMAIL|*">d</a>',
        '<a href="https://a.b/%7B%7Bc}}">e</a>',
    ),
    *('<img src="https://example.org/a.png" width="1">', '<img alt="{{ a }}" src="https://example.org/b.png">'),
    *('<img src="https://example.org/open.gif" style="height:1px">', "<table><tr><td>", "</div>", "<!--", "-->", "\0"),
    *(
        '<a href="https://x.list-manage.com/track/click?u=1">f</a>',
        '<a href="tel:1">g</a>',
        "<math><mtext><style><img>",
    ),
)


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """Return a new workspace."""
    init_workspace(tmp_path / "news", date(2026, 2, 1))
    return tmp_path / "news"


@pytest.mark.parametrize("tool", EXPORTS)
def test_each_export_is_recognized_and_becomes_a_page(tool: str, workspace: Path, tmp_path: Path) -> None:
    name, content = EXPORTS[tool]
    (tmp_path / name).write_bytes(content)
    config = load_config(workspace)
    plan = plan_past_issues(config, tmp_path / name)
    write_past_issues(config, plan)
    assert plan.tool.lower() == tool
    folder = workspace / "archive" / plan.issues[0].name
    issue = read_imported(config, folder)
    assert isinstance(issue, ImportedIssue)
    assert (issue.fields.subject, issue.day) == ("Spring news", _DAY)
    assert issue.html.strip()
    assert not any(sign in issue.html for sign in ("{{", "*|", "first_name", "track", "evil", "preview text"))
    before = {path: path.read_bytes() for path in (workspace / "archive").rglob("*") if path.is_file()}
    again = plan_past_issues(config, tmp_path / name)
    write_past_issues(config, again)
    assert not again.new
    assert before == {path: path.read_bytes() for path in (workspace / "archive").rglob("*") if path.is_file()}


def test_what_was_not_for_everyone_is_not_public(workspace: Path, tmp_path: Path) -> None:
    seen: dict[str, Visibility] = {}
    for tool in ("substack", "ghost"):
        name, content = EXPORTS[tool]
        (tmp_path / name).write_bytes(content)
        plan = plan_past_issues(load_config(workspace), tmp_path / name)
        seen |= {each.subject: each.visibility for each in plan.issues}
    assert seen["Spring news"] is Visibility.PUBLIC
    assert seen["For friends"] is Visibility.NONE
    assert seen["By email"] is Visibility.UNLISTED


def test_what_is_left_out_is_listed_with_its_line(workspace: Path, tmp_path: Path) -> None:
    (tmp_path / "export.zip").write_bytes(EXPORTS["substack"][1])
    plan = plan_past_issues(load_config(workspace), tmp_path / "export.zip")
    assert [str(each).partition("export.zip: ")[2].partition(";")[0] for each in plan.left_out] == [
        "posts.csv:4: it is a draft",
        "posts.csv:5: it is a thread, not an issue",
    ]


def test_a_page_keeps_texts_links_and_pictures_and_loses_what_tracks() -> None:
    page, pictures = page_of(_issue(EMAIL), {"gallery/tree.png": b"tree"})
    root = lxml.html.fragment_fromstring(page.html, create_parent="div")
    assert "Dear, friend, welcome." in root.text_content()
    assert "browser" not in root.text_content()
    assert "nsubscribe" not in root.text_content()
    assert [link.get("href") for link in root.iter("a") if link.get("href")] == ["https://example.org/page?a=1"]
    assert [image.get("alt") for image in root.iter("img")] == ["A photo", "A tree"]
    assert list(pictures.values()) == [b"tree"]
    assert (page.links, page.pictures) == (1, 0)


def test_a_link_through_a_tool_leads_to_its_target() -> None:
    base64 = "aHR0cHM6Ly9leGFtcGxlLm9yZy9h"
    page, _ = page_of(_issue(f'<p><a href="https://click.convertkit-mail.com/x/y/{base64}">a</a></p>'), {})
    assert 'href="https://example.org/a"' in page.html


def test_a_short_text_is_not_removed_with_the_footer_below_it() -> None:
    footer = "<table><tr><td><a href='#'>Unsubscribe</a></td></tr></table>"
    page, _ = page_of(_issue(f"<div><p>A short text.</p>{footer}</div>"), {})
    assert page.html == "<div><div><p>A short text.</p></div></div>"


@pytest.mark.parametrize(
    "content", [b"", b"{", b"PK\x03\x04 broken", b"a,b\n1,2\n", zipped({"a.txt": "x"}), b"[" * 50_000]
)
def test_a_file_that_is_no_export_is_refused_with_a_sentence(content: bytes, workspace: Path, tmp_path: Path) -> None:
    (tmp_path / "export.json").write_bytes(content)
    with pytest.raises(InputError, match=r"export.json: .*; "):
        plan_past_issues(load_config(workspace), tmp_path / "export.json")


def test_a_zip_that_grows_too_large_is_refused(
    workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("newsletter.incoming.export_files._MOST_BYTES", 1_000)
    (tmp_path / "export").mkdir()
    (tmp_path / "export" / "emails.json").write_bytes(b"[" + b" " * 2_000 + b"]")
    with pytest.raises(InputError, match="more than"):
        plan_past_issues(load_config(workspace), tmp_path / "export")


def test_a_past_issue_is_never_taken_for_one_to_send(workspace: Path, tmp_path: Path) -> None:
    (tmp_path / "ghost.json").write_bytes(EXPORTS["ghost"][1])
    config = load_config(workspace)
    plan = plan_past_issues(config, tmp_path / "ghost.json")
    write_past_issues(config, plan)
    with pytest.raises(InputError, match="past issue"):
        require_issue(config, str(workspace / "archive" / plan.issues[0].name))
    assert require_issue(config, None).parent.name == "issues"


@given(html=st.lists(st.sampled_from(_HOSTILE) | st.text(max_size=8), max_size=25).map("".join))
@settings(max_examples=EXAMPLES)
def test_no_script_tracker_or_merge_tag_is_left_of_any_html(html: str) -> None:
    page, _ = page_of(_issue(html), {})
    if not page.html.strip():
        return
    root = lxml.html.fragment_fromstring(page.html, create_parent="div")
    for element in root.iter():
        assert element.tag not in {"script", "style", "iframe", "svg", "form", "math"}
        assert not any(name.startswith("on") or name == "style" for name in element.attrib)
        assert re.match(r"https?://|mailto:|$", element.get("href", ""))
        assert element.tag != "img" or (element.get("src", "").startswith("https://") and element.get("width") != "1")
        told = " ".join((element.text or "", element.tail or "", *element.attrib.values()))
        assert not any(sign in told for sign in ("{{", "}}", "{%", "%}", "*|", "|*", "%%"))
        assert "list-manage" not in element.get("href", "")


@pytest.mark.parametrize(
    "html",
    [
        "<p>a</p>" + "<!---->b" * 300_000,
        "<p>a</p>" + "<script></script>b" * 100_000,
        "<p>a" + "\xa0" * 500_000 + "b</p>",
        "<div>" + "<a href='https://example.com/unsubscribe'>unsubscribe</a> and some words beside it " * 30_000,
    ],
    ids=["comments", "scripts", "blanks", "links to leave"],
)
def test_a_page_of_megabytes_is_read_in_seconds(html: str) -> None:
    with limited():
        page = stripped(html)
    assert not page.is_broken
    assert "b" in page.html
    assert "href" not in page.html


def test_halves_of_characters_are_no_fault(workspace: Path, tmp_path: Path) -> None:
    post = {"subject": "Tea \ud83c", "content": "<p>a\udf75b</p>", "published_at": "2024-03-05"}
    export = tmp_path / "kit.json"
    export.write_text(json.dumps([post]))
    config = load_config(workspace)
    plan = plan_past_issues(config, export)
    write_past_issues(config, plan)
    (written,) = plan.new
    assert (workspace / "archive" / written.name / "page.html").read_text(encoding="utf-8") == "<div><p>a?b</p></div>"


def test_issues_of_one_name_get_numbers(workspace: Path, tmp_path: Path) -> None:
    posts = [{"subject": name, "content": "<p>a</p>", "published_at": "2024-03-05"} for name in ("a", "a", "a-2", "a")]
    export = tmp_path / "kit.json"
    export.write_text(json.dumps(posts))
    names = [each.name.removeprefix("2024-03-05-") for each in plan_past_issues(load_config(workspace), export).new]
    assert names == ["a", "a-2", "a-2-2", "a-3"]


def test_issues_of_two_tools_with_the_same_day_and_words_are_both_kept(workspace: Path, tmp_path: Path) -> None:
    export, config = tmp_path / "kit.json", load_config(workspace)
    export.write_text(json.dumps([{"subject": "a", "content": "<p>a</p>", "published_at": "2024-03-05"}]))
    write_past_issues(config, plan_past_issues(config, export))
    file = workspace / "archive/2024-03-05-a/issue.yaml"
    file.write_text(file.read_text().replace("Kit", "Ghost"))  # as if Ghost had sent it

    plan = plan_past_issues(config, export)
    write_past_issues(config, plan)

    assert [each.name for each in plan.new] == ["2024-03-05-a-kit"]
    assert plan_past_issues(config, export).new == ()
    assert "Ghost" in file.read_text()


def _issue(html: str) -> PastIssue:
    return PastIssue(place="a.html", subject="a", day=_DAY, html=html)
