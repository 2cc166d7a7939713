"""S14: what some readers will not see is reported in its place. What an email can do without is not reported."""

from collections.abc import Iterable
from pathlib import Path

import pytest

from newsletter.checks.base import read_context
from newsletter.checks.clients.report import ClientReport, report_clients
from newsletter.checks.clients.table import load_carried
from newsletter.config import load_config
from newsletter.content.loader import load_issue
from newsletter.model.finding import Finding, Severity
from newsletter.render.pipeline import render_issue
from newsletter.render.theme import Theme, builtin_theme
from newsletter.workflows.compose.compose import subject_of
from tests.checks.conftest import MJML, Workspace, findings_of

REPOSITORY = Path(__file__).parents[3]
CSS, HEAD = "templates/author.css.j2", "templates/head.css.j2"
TEXT = "<mj-section><mj-column><mj-text><h1>"
MARKUP_LINE = MJML.split(TEXT)[0].count("\n") + 2  # what a test adds below the first heading's opening
STYLE_LINE = MJML.split("</mj-style>")[0].count("\n") + 2

LOST_CSS = {
    ".prose p { display: grid; }": "display: grid does not work for 5% of your readers: Outlook on Windows, and only",
    ".prose p { gap: 8px }": "gap does not work for 9%",
    ".prose p { position: absolute; }": "position does not work for 55%",
    ".prose a { width: calc(100% - 2px) }": "calc() does not work for",
    ".prose p { width: 4rem }": "rem unit does not work for 9% of your readers: Outlook on Windows, Yahoo! Mail",
    ".prose p { background-image: url('https://example.org/a.png') }": "background-image does not work for 5%",
    ".prose p { transform: rotate(2deg) }": "transform does not work for",
}
KEPT_CSS = (
    ".prose p { border-radius: 4px; letter-spacing: 1px; box-shadow: 0 0 2px #000000 }",  # niceties
    ".prose p { background: #FFFFFF url('https://example.org/a.png') }",  # with a color behind it
    ".prose p { padding: 8px }",  # known to all, though to some in part
    "/* .prose p { display: grid } */",
    ".prose .nobody { display: grid }",  # of nothing in the mail
)
LOST_MARKUP = {
    "<video src='https://example.org/a.mp4'></video>": "<video> does not work for",
    "<img src='https://example.org/a.svg' alt='' width='9'>": "SVG image format does not work for",
    "<img src='https://example.org/a.webp' alt='' width='9'>": "webP image format does not work for 5%",
    "<svg></svg>": "<svg> does not work for",
    "<p hidden>x</p>": "hidden attribute does not work for",
    "<p style='justify-content:center'>x</p>": "justify-content does not work for",
}
KEPT_MARKUP = (
    "<p role='note' aria-label='a' lang='en' dir='ltr'>x</p>",
    "<p style='width:90%;width:calc(100% - 2px)'>x</p>",  # with another value before it
    "<abbr title='a'>x</abbr>",
    "<form></form>",  # which check S9 tells
    "<img src='https://example.org/a.png' alt='' width='9'>",
    "<!--[if mso]><p style='position:absolute'>x</p><![endif]-->",
    "<!--[if !mso]><!--><p style='display:flex'>x</p><!--<![endif]-->",  # which Outlook on Windows never gets
)
LOST_STYLES = {
    "p:has(a) { color: #333333 }": ":has does not work for",
    ".a { --space: 4px }": "custom properties (--name) does not work for",
    ".a > .b { color: #333333 }": "Child combinator does not work for 5%",
}
KEPT_STYLES = (
    "@media (prefers-color-scheme: dark) { .a { color: #EEEEEE } }",
    "a:hover { color: #333333 }",
    "@supports (display: grid) { .a { display: grid } }",
)


def told(workspace: Workspace) -> list[Finding]:
    return sorted(
        (finding for finding in findings_of(workspace.subject()) if finding.rule == "S14"),
        key=lambda finding: finding.place.line or 0,
    )


def write_author_css(workspace: Workspace, *lines: str) -> None:
    """Author CSS whose lines begin on the second."""
    (workspace.root / CSS).write_text("\n".join([".prose p { margin: 0 0 16px; }", *lines, ""]))


def report_of(root: Path, issue: Path) -> ClientReport:
    config = load_config(root)
    theme = Theme(root)
    loaded = load_issue(config, issue, theme.section_types)
    return report_clients(read_context(subject_of(config, loaded, render_issue(loaded, config, theme))))


def assert_each_is_told_at_its_line(findings: list[Finding], path: str, first_line: int, words: Iterable[str]) -> None:
    expected = list(words)
    assert [str(each.place) for each in findings] == [f"{path}:{first_line + at}" for at in range(len(expected))]
    assert [each.what for each, what in zip(findings, expected, strict=True) if not each.what.startswith(what)] == []
    assert all(each.severity is Severity.WARNING for each in findings)
    assert all("; see https://www.caniemail.com/features/" in each.remedy for each in findings)


def test_author_css_that_some_do_not_know_is_told_at_its_line(workspace: Workspace) -> None:
    write_author_css(workspace, *LOST_CSS)
    assert_each_is_told_at_its_line(told(workspace), CSS, 2, LOST_CSS.values())


def test_author_css_that_nobody_misses_is_not_told(workspace: Workspace) -> None:
    write_author_css(workspace, *KEPT_CSS)
    assert told(workspace) == []


def test_markup_that_some_do_not_know_is_told_at_its_line(workspace: Workspace) -> None:
    workspace.edit("mjml", TEXT, "\n".join([TEXT.removesuffix("<h1>"), *LOST_MARKUP, "<h1>"]))
    assert_each_is_told_at_its_line(told(workspace), "templates/email.mjml.j2", MARKUP_LINE, LOST_MARKUP.values())


def test_markup_that_nobody_misses_is_not_told(workspace: Workspace) -> None:
    workspace.edit("mjml", TEXT, "\n".join([TEXT.removesuffix("<h1>"), *KEPT_MARKUP, "<h1>"]))
    assert told(workspace) == []


def test_a_style_element_is_told_at_its_line(workspace: Workspace) -> None:
    workspace.edit("mjml", "</mj-style>", "\n".join(["", *LOST_STYLES, "</mj-style>"]))
    assert_each_is_told_at_its_line(told(workspace), "templates/email.mjml.j2", STYLE_LINE, LOST_STYLES.values())


def test_a_style_element_that_nobody_misses_is_not_told(workspace: Workspace) -> None:
    workspace.edit("mjml", "</mj-style>", "\n".join(["", *KEPT_STYLES, "</mj-style>"]))
    assert told(workspace) == []


def test_a_background_that_is_drawn_for_word_too_is_not_told(workspace: Workspace) -> None:
    workspace.edit("mjml", TEXT, TEXT.replace("<mj-section", "<mj-section background-url='https://example.org/a.png'"))
    assert told(workspace) == []


def test_the_weights_of_the_settings_decide_who_loses_it(workspace: Workspace) -> None:
    write_author_css(workspace, ".prose p { display: grid }")

    workspace.edit("toml", "[segments]", '[checks.clients]\n"outlook.windows" = 31.6\ngmail = 20\n\n[segments]')
    assert "for 32% of your readers: Outlook on Windows" in told(workspace)[0].what

    workspace.edit("toml", '"outlook.windows" = 31.6\n', "")
    assert told(workspace) == []


def test_an_accepted_feature_is_not_told_and_its_reason_is_kept(workspace: Workspace) -> None:
    write_author_css(workspace, ".prose p { display: grid }")
    reason = "the paragraphs then stand as usual"
    workspace.edit("toml", "[segments]", f'[checks.accept]\ncss-display-grid = "{reason}"\n\n[segments]')

    report = report_of(workspace.root, workspace.root / "issues" / "2026-03")

    assert told(workspace) == []
    assert [loss.accepted for loss in report.losses if loss.feature.slug == "css-display-grid"] == [reason]


def test_further_lines_are_counted(workspace: Workspace) -> None:
    write_author_css(
        workspace, ".prose p { display: grid }", ".prose a { display: grid }", ".prose h2 { display: grid }"
    )
    (finding,) = told(workspace)
    assert str(finding.place) == f"{CSS}:2"
    assert "and 2 more lines of the theme" in finding.what


def test_the_built_in_theme_loses_nothing_that_is_not_accepted_in_any_mail_program(tmp_path: Path) -> None:
    for name in ("issues", "brand"):
        (tmp_path / name).symlink_to(REPOSITORY / name)
    settings = (REPOSITORY / "newsletter.toml").read_text(encoding="utf-8")
    weights = "".join(f'"{client}" = 1\n' for client in load_carried().clients)
    (tmp_path / "newsletter.toml").write_text(f"{settings}\n[checks.clients]\n{weights}", encoding="utf-8")

    report = report_of(tmp_path, tmp_path / "issues" / "2026-02")

    assert len(report.readers.shares) == len(load_carried().clients)
    assert [loss.feature.slug for loss in report.open] == []


@pytest.mark.parametrize("issue", ["everything", "long", "right-to-left"])
def test_the_kitchen_sink_loses_nothing_that_is_not_accepted(issue: str) -> None:
    kitchen_sink = REPOSITORY / "tests" / "kitchen_sink"
    assert [loss.feature.slug for loss in report_of(kitchen_sink, kitchen_sink / "issues" / issue).open] == []


def test_a_changed_line_of_the_built_in_theme_is_the_workspaces_own(workspace: Workspace) -> None:
    """`display: flex` is accepted where the built-in theme has it, and nowhere else."""
    (workspace.root / "templates" / "email.mjml.j2").unlink()
    built_in = (builtin_theme() / "head.css.j2").read_text(encoding="utf-8")
    (workspace.root / HEAD).write_text(f"{built_in}.title {{ display: flex; }}\n", encoding="utf-8")

    (finding,) = told(workspace)

    assert str(finding.place) == f"{HEAD}:{len(built_in.splitlines()) + 1}"
    assert finding.what.startswith("display: flex does not work for 5%")
