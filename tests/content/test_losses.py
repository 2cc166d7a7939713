"""What looks like Markdown and was not taken is an error at its line that says what to write."""

import pytest

from newsletter.content.markdown import parse_markdown


def losses(markdown: str) -> list[str]:
    found = parse_markdown(markdown, path="a.md").losses
    return [f"{loss.line}: {loss.what}; {loss.remedy}" for loss in found]


@pytest.mark.parametrize(
    ("markdown", "line", "remedy"),
    [
        # tags
        ("<b>bold</b>", 1, "write **bold**"),
        ("Words\n<em>so</em>", 2, "write *so*"),
        ('<a href="https://www.example.org/x">a link</a>', 1, "write [a link](https://www.example.org/x)"),
        ("<h2>News</h2>", 1, "write ## News"),
        ("| a |\n|---|\n| <u>b</u> |", 3, "delete the tag"),
        ("Dear <first_name>,", 1, "write a merge field such as {{ first_name }}"),
        ("<hr>", 1, "write `---` on a line of its own"),
        ("a <www.example.org> b", 1, "write <https://www.example.org>"),
        ("<!DOCTYPE html>", 1, "delete it"),
        # links and images
        ("[the plan](https://www.example.org/spring plan)", 1, "[the plan](https://www.example.org/spring%20plan)"),
        ("a\n[the other](www.example.org/x y)", 2, "[the other](www.example.org/x%20y)"),
        ("[our map(https://www.example.org/map)", 1, "write [our map](https://www.example.org/map)"),
        ("[ok] (https://www.example.org/a)", 1, "write [ok](https://www.example.org/a)"),
        ("(our page)[https://www.example.org/b]", 1, "write [our page](https://www.example.org/b)"),
        ("[our page][programme]", 1, "write [our page](https://…)"),
        ("[a link](", 1, "write [link text](https://…)"),
        ("[bad](javascript:alert(1))", 1, "write [link text](https://…)"),
        ("![the hall](images/our hall.jpg)", 1, "in angle brackets: ![the hall](<images/our hall.jpg>)"),
        ("![the hall", 1, "write ![what it shows](images/photo.jpg)"),
        ("a\n[x]: https://www.example.org", 2, "put an empty line above it"),
        ("[x]: https://www.example.org\n\nwords", 1, "write [link text][x] where the link belongs"),
        # emphasis, code and marks of other flavors
        ("of **three: **and", 1, "write **three:**"),
        ("and ** spaced ** ones", 1, "write **spaced**"),
        ("**never closed", 1, r"or \*\* to show the signs"),
        ("a __b", 1, r"or \_\_ to show the signs"),
        ("*word *", 1, "write *word*"),
        ("~~gone", 1, r"or \~\~ to show the signs"),
        ("it`s here", 1, "write ' for an apostrophe"),
        ("==marked==", 1, "write **marked**"),
        ("{.class} and", 1, "[Gracias]{lang=es}"),
        ("[Hola]{lang=spanish}", 1, "[Gracias]{lang=es}"),
        (":smile:", 1, "paste the emoji itself"),
        ("> [!NOTE]\n> words", 1, "begin with a word in bold"),
        ("[TOC]", 1, "delete it"),
        ("a &nbsp b", 1, "type the character itself"),
        ("a &foo; b", 1, "type the character itself"),
        # footnotes
        ("a footnote[^1].", 1, "`[^1]: …`"),
        ("a[^x]\n\n[^x]: one\n\n[^x]: two", 5, "give one of them another name"),
        ("words\n\n[^2]: alone", 3, "write [^2] where it belongs"),
        ("inline^[the note]", 1, "`[^1]: the note`"),
        # beginnings of lines
        ("## ", 1, "give it words or remove it"),
        ("#\n\na", 1, "give it words or remove it"),
        ("##News", 1, "write ## and a space"),
        ("#Heading without space", 1, "write `# ` before the words"),
        ("Bring:\n\n• a cushion", 3, "begin each line with a dash and a space"),
        ("\uf0b7 from Word", 1, "begin each line with a dash and a space"),
        ("o\tfrom Word", 1, "begin each line with a dash and a space"),
        ("-\u00a0one", 1, "delete the space, and type it again"),
        ("1.\u00a0one", 1, "delete the space, and type it again"),
        ("##\u00a0News", 1, "delete the space, and type it again"),
        ("- one\n-", 2, "give it words or remove it"),
        ("- [] tea", 1, "write `- [ ] words`"),
        ("[ ] box", 1, "write `- [ ] words`"),
        ("-[x] tea", 1, "write `- [ ] words`"),
        ("– one\n– two", 1, "begin each line with `- `"),
        ("🌱 one\n🌱 two", 1, "begin each line with `- `"),
        ("a) one\nb) two", 1, "begin each line with `- `"),
        ("-one\n-two", 1, "begin each line with `- `"),
        ("Term\n: Definition", 2, "**term**: meaning"),
        ("| a | b |\n| c | d |", 1, "write a line such as `|---|---|`"),
        ("::: note", 1, "delete it"),
        ("=====", 1, "write `---`"),
        ("**bold*", 1, "write the same signs before and after the words"),
        ("*bold**", 1, "write the same signs before and after the words"),
        ("a *word never closed", 1, "write the same signs before and after the words"),
        ("a _word never closed", 1, "write the same signs before and after the words"),
        ("a ~word~ b", 1, "write ~~word~~"),
        ("x^2^ and H~2~O", 1, "type the raised or lowered character itself"),
        ("[words]https://www.example.org", 1, "write [words](https://www.example.org)"),
        ("(words)(https://www.example.org)", 1, "write [words](https://www.example.org)"),
        ("<https://www.example.org is open", 1, "write both"),
        ("[red]{color=red}", 1, "delete it"),
        ("- [✓] tea", 1, "write `- [ ] words`"),
        ("####### seven", 1, "one to six of these signs"),
        ("\\newpage", 1, "delete it"),
        ("#A heading here\nand text", 1, "write `# ` before the words"),
        ("words\n2. two\n3. three", 2, "begin each line with `- `"),
        ("(1) one\n(2) two", 1, "begin each line with `- `"),
        ("Zoom | 8 pm\nHall | 9 pm", 1, "begin each line with `- `"),
        ("*one\n*two", 1, "begin each line with `- `"),
        ("Ana Lima\n--\nDirector", 2, "put an empty line above it"),
        # blocks that became something else
        ("    Dear friends, the director indents her text.", 1, "delete the spaces"),
        ("Warmly,\n---\nP.S. Come.", 1, "put an empty line above the dashes"),
        ("2026. A winter to remember.", 1, r"write 2026\. to show it as text"),
        ("words\n\n```\ncode", 3, "write a line with ``` where it ends"),
        ("| a |\n|---|\n| 1 | 2 |", 3, "delete cells"),
        ("``` these words are lost\ncode\n```", 1, "put it on a line of its own"),
    ],
)  # fmt: skip
def test_what_was_not_taken_is_found_at_its_line(markdown: str, line: int, remedy: str) -> None:
    found = losses(markdown)
    assert any(each.startswith(f"{line}: ") and remedy in each for each in found), found


@pytest.mark.parametrize(
    "markdown",
    [
        r"\<b>, \*\*, \[x](y), \`, \#Word, \_\_init\_\_, \![, \~~ and \&nbsp;",
        "`<b>`, `**`, `[x](y`, ``it`s``, `__init__`, `{.class}`",
        "```\n<b>**\n• a\n#Word\n```",
        "x<y and z>w, a < b, 3 > 2, <3, R&D, AT&T; 5 * 3 * 2, snake_case_name, f(x) [sic] [1] and (see below)",
        "# A heading\n\n- a list\n  1. in a list\n\n> a quotation\n\n---\n\n| a |\n|---|\n| b |",
        "#MeToo is ten years old.\n\n#kindness #practice\n\n#5 of our series",
        "— Hello, she said.\n\n– One line only.\n\n-Ana",
        "A [page][1] and [another].\n\n[1]: https://www.example.org/a\n[another]: https://www.example.org/b",
        "Zoom • 8 pm | free | 10–12 · online",
        "Name: ________, f\\*\\*k, 5★ and ***bold and italic***",
        "**bold**, *it*, __strong__, ~~gone~~ and https://www.example.org/a__b",
        "Line one<br>line two<br />three\n\n| a |\n|---|\n| b<br>c |",
        "A note[^1].\n\n[^1]: Here it is.",
        "- [ ] to do\n- [x] done\n- [X] done too",
        "A heading\n=========\n\nAnother\n-------",
        "Meet at 8:30:15, ratio 1:2, 10:00–12:00; C:\\temp",
        "1986\\. A good year.\n\n1) one\n2) two",
        "&copy; 2026 &amp; &mdash; &#169;",
        "Price*: 20 €\n\n*without tax",
        "A. Lima and\nB. Noor",
        "Warmly\n\n---\n\nP.S. Come.",
        "",
    ],
)
def test_what_was_taken_or_is_meant_literally_is_fine(markdown: str) -> None:
    assert losses(markdown) == []


def test_a_pair_of_tags_is_reported_once_and_each_other_loss_by_itself() -> None:
    assert len(losses("<b>bold</b> and <i>it</i>, **x")) == 3


def test_lines_count_past_comments_code_and_addresses_of_several_lines() -> None:
    parsed = parse_markdown("`a\nb` [c](\nhttps://www.example.org)\n<b>", path="a.md", lines=(7, 8, 12, 13))
    assert [loss.line for loss in parsed.losses] == [13]
    assert [link.place.line for link in parsed.prose.links] == [8]


def test_a_message_never_contains_our_stand_ins() -> None:
    found = losses(r"\*• [a](b c) **\* `c` https://www.example.org/x" + "\n\n• https://www.example.org/y `z`")
    assert found
    assert not any("\ue000" <= sign <= "\uf8ff" for each in found for sign in each)
    assert any("https://www.example.org/y" in each for each in found)


@pytest.mark.parametrize(
    "written",
    [
        "## &nbsp;",
        "### &nbsp;",
        "## ` `",
        "## <br>",
        "## []{lang=es}",
        '## ![](images/a.jpg "decorative")',
        "&nbsp;\n===",
    ],
)
def test_a_heading_of_which_nothing_is_seen_is_empty(written: str) -> None:
    assert "an empty heading" in [loss.what for loss in parse_markdown(written, path="letter.md").losses]


@pytest.mark.parametrize("written", ["## `code`", "## &amp;", "## ![a cup](images/a.jpg)", "## 7"])
def test_a_heading_of_which_something_is_seen_is_none(written: str) -> None:
    assert parse_markdown(written, path="letter.md").losses == ()


@pytest.mark.parametrize(
    ("written", "what"),
    [
        ("the [b]ten weeks[/b] of it", "“[b]ten weeks[/b]” is the markup of a forum"),
        ("[url=x]our page[/url] is here", "“[url=x]our page[/url]” is the markup of a forum"),
        ("Gabor Mat&eacute, MD", "readers would see “&eacute”"),
        ("A&Ouml and more", "readers would see “&Ouml”"),
        ("{lang: es}\nMuchas gracias", "“{lang: es}” is not taken here"),
        ("{ lang = es }\nMuchas gracias", "“{ lang = es }” is not taken here"),
        ("##\N{NO-BREAK SPACE}Words", "the space after ##"),
    ],
)
def test_what_other_programs_write_is_told(written: str, what: str) -> None:
    assert any(loss.what.startswith(what) for loss in parse_markdown(written, path="letter.md").losses)


@pytest.mark.parametrize("written", ["AT&T and R&D", "answer [b] is right", "q&a; b&b", "a set {x: y}"])
def test_what_only_looks_a_little_like_it_is_fine(written: str) -> None:
    assert parse_markdown(written, path="letter.md").losses == ()
