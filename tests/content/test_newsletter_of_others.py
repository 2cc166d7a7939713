"""A newsletter written for another program: every loss is named at its line, and then it builds."""

from pathlib import Path

from newsletter.content.comments import without_comments
from newsletter.content.markdown import ParsedProse, parse_markdown
from newsletter.content.source import Reading, replace_merge_fields
from newsletter.render.plaintext import prose_text

THEIRS = (Path(__file__).parent / "newsletter_of_others.md").read_text("utf-8")
# What to write instead of what each loss names.
MENDED = (
    ("# The Harbour Weekly {#top}", "# The Harbour Weekly"),
    ("**so much ** has happened <em>since</em>", "**so much** has happened *since*"),
    ("[[toc]]\n\n", ""),
    ("##What", "## What"),
    ("path with heart)", "path%20with%20heart)"),
    ("[Radical Acceptance][tara]", "[Radical Acceptance](https://www.example.org/tara)"),
    ("==New==", "**New**"),
    ("<www.example.org/list>", "<https://www.example.org/list>"),
    ("[!TIP]", "**Tip**"),
    (" :books:", " 📚"),
    ("(https://www.example.org/cover image.png)", "(images/cover.png)"),
    ("| Monday", "|---|---|\n| Monday"),
    ("What to bring:\n• a cushion\n• tea", "What to bring:\n- a cushion\n- tea"),
    (
        '<div class="button"><a href="https://www.example.org/join">Join us</a></div>',
        "[Join us](https://www.example.org/join)",
    ),
    ("Ana\n---\n", "Ana\n\n---\n\n"),
    ("[^2]: Nobody", "[^1]: Nobody"),
)


def parsed(text: str) -> ParsedProse:
    plain = without_comments(text, first_line=1)
    body = replace_merge_fields(plain.text, path="a.md", lines=plain.lines, reading=Reading())
    return parse_markdown(body, path="a.md", lines=plain.lines)


def lines_with_losses(text: str) -> list[int]:
    return sorted({loss.line for loss in parsed(text).losses})


def test_every_loss_is_named_at_its_line() -> None:
    wanted = {1 + THEIRS[: THEIRS.index(theirs.strip())].count("\n") for theirs, _ in MENDED if "[toc]" not in theirs}
    found = lines_with_losses(THEIRS)
    assert {line for line in wanted if not {line + more for more in range(-1, 3)} & set(found)} == set()
    assert set(found) <= {line + more for line in wanted for more in range(-1, 3)}


def test_it_is_read_when_the_remedies_are_followed() -> None:
    text = THEIRS
    for theirs, ours in MENDED:
        assert theirs in text
        text = text.replace(theirs, ours)
    assert lines_with_losses(text) == []
    shown = prose_text(parsed(text).prose, language="en")
    assert "template: weekly" not in shown
    assert "[1] Nobody refers to this." in shown
