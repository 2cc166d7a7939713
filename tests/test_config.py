"""The lines of `newsletter.toml` that findings point to, and the former names of keys."""

from pathlib import Path

import pytest

from newsletter import config
from newsletter.cli.workspace import current_config
from newsletter.config import line_of_key, load_config
from newsletter.errors import MistakesError

TEXT = """\
[newsletter]
name = "Harbour Letters"
organization = "Harbour House"
from = "Harbour House <letters@example.org>"
address = "7 Quay Street, Galway, Ireland"
website = "https://example.org"
reason = "You asked for it."
timezone = "Europe/Dublin"

[[brand.social]]
name = "One"
url = "https://example.org/one"

[[brand.social]]
name = "Two"
url = "https://example.org/two"

[brand]
logo_width = 80

[brand.light]
accent = "#9C3353"

[service]
url = "https://news.example.org"
"""


@pytest.mark.parametrize(
    ("keys", "line"),
    [
        (("newsletter", "from"), 4),
        (("newsletter", "list_id"), 1),  # which is not written: the table around it
        (("brand", "light", "accent"), 22),
        (("brand", "light", "ink"), 21),
        (("brand", "dark", "ink"), 18),
        (("brand", "social", 0, "url"), 12),
        (("brand", "social", 1, "url"), 16),
        (("service", "url"), 25),
        (("archive", "url"), None),
    ],
)
def test_a_key_is_found_on_its_line_or_that_of_the_table_around_it(
    tmp_path: Path, keys: tuple[str | int, ...], line: int | None
) -> None:
    (tmp_path / "newsletter.toml").write_text(TEXT)

    assert line_of_key(load_config(tmp_path), *keys) == line


NOTE = "newsletter.toml:3: `organisation` is now called `organization`; rename the key. The old name still works."


def test_the_old_name_of_a_key_is_accepted_and_noted(tmp_path: Path) -> None:
    file = tmp_path / "newsletter.toml"
    file.write_text(text := TEXT.replace("organization =", "organisation   =").replace('"One"', '"One"  # the first'))

    config = load_config(tmp_path)

    assert config.settings.newsletter.organization == "Harbour House"
    assert config.settings.newsletter.organisation == "Harbour House"  # in templates of the workspace
    assert config.notes == (NOTE,)
    assert line_of_key(config, "newsletter", "organization") == 3
    assert file.read_text() == text


def test_the_name_of_today_needs_no_note(tmp_path: Path) -> None:
    (tmp_path / "newsletter.toml").write_text(TEXT)

    assert load_config(tmp_path).notes == ()


@pytest.mark.parametrize("first", ["organization", "organisation"])
def test_a_key_under_both_names_is_a_mistake(tmp_path: Path, first: str) -> None:
    second = {"organization": "organisation", "organisation": "organization"}[first]
    both = f'{first} = "Harbour House"\n{second} = "Harbour House"'
    (tmp_path / "newsletter.toml").write_text(TEXT.replace('organization = "Harbour House"', both))

    with pytest.raises(MistakesError) as raised:
        load_config(tmp_path)

    (mistake,) = raised.value.mistakes
    assert mistake.line == {"organisation": 3, "organization": 4}[first]
    assert "`organisation`" in mistake.what
    assert mistake.remedy == "delete the line with `organisation`"


def test_a_mistake_under_the_old_name_is_reported_on_its_line(tmp_path: Path) -> None:
    (tmp_path / "newsletter.toml").write_text(TEXT.replace('organization = "Harbour House"', 'organisation = " "'))

    with pytest.raises(MistakesError, match=r"newsletter\.toml:3: newsletter › organisation"):
        load_config(tmp_path)


def test_a_command_tells_the_old_name_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "newsletter.toml").write_text(TEXT.replace("organization =", "organisation ="))
    monkeypatch.chdir(tmp_path)

    current_config()
    told = capsys.readouterr()
    current_config(prints_notes=False)

    assert (told.out, told.err) == ("", f"{NOTE}\n")
    assert capsys.readouterr().err == ""


SPACES = f'reason = """\n[{" " * 200_000}"""\n'
KEYS_WITH_DOTS = "".join(f"k{number}.{'a.' * 90}b = 1\n" for number in range(900))


@pytest.mark.parametrize(
    "text",
    [
        SPACES[:190_000] + '"""\n',
        KEYS_WITH_DOTS,
        "".join(f"[a{number}]\n" for number in range(20_000)),
        "[[a]]\n[[a.b]]\n" * 12_000,
        "a = " + "[" * 90_000 + "]" * 90_000,
        "a = " + "9" * 190_000,
        "[brand]\nlogo_width = 0x" + "f" * 190_000,
        '[brand]\nlogo = "' + "a" * 190_000 + '"',
        "[" + " " * 190_000,
        "a" + " " * 190_000,
        "a = " + '"b" "c" ' * 20_000,
    ],
)
def test_no_file_can_hold_up_the_reader_or_flood_the_terminal(tmp_path: Path, text: str) -> None:
    (tmp_path / "newsletter.toml").write_text(text)

    with pytest.raises(MistakesError) as caught:
        load_config(tmp_path)

    assert len(str(caught.value)) < 50_000
    lines = text.count("\n") + 1
    assert all(0 < (mistake.line or 0) <= lines for mistake in caught.value.mistakes)


@pytest.mark.parametrize("lines", [2_000, 4_000])
def test_finding_lines_reads_each_line_once(monkeypatch: pytest.MonkeyPatch, lines: int) -> None:
    text = "".join(f"k{number} = 1\n" for number in range(lines))
    reads = 0

    class Counted:
        def match(self, line: str) -> None:
            nonlocal reads
            reads += 1

    monkeypatch.setattr("newsletter.config._TABLE", Counted())
    for number in range(0, lines, 100):
        assert config._line_of(text, (f"k{number}",)) == number + 1
    assert reads == lines + 1


def test_a_settings_file_is_measured_before_it_is_read(tmp_path: Path) -> None:
    with (tmp_path / "newsletter.toml").open("wb") as file:
        file.truncate(5_000_000_000)  # takes no space on the disk

    with pytest.raises(
        MistakesError, match=r"^newsletter\.toml: the file is larger than 200 KB \(5,000,000,000 bytes\);"
    ):
        load_config(tmp_path)


def test_text_of_several_lines_holds_no_tables_or_keys(tmp_path: Path) -> None:
    text = TEXT.replace(
        'reason = "You asked for it."',
        "reason = '''\n[brand]\nlogo = 1\n'''\ncolor = 1",
    )
    (tmp_path / "newsletter.toml").write_text(text)

    with pytest.raises(MistakesError) as caught:
        load_config(tmp_path)

    (told,) = [mistake for mistake in caught.value.mistakes if "color" in mistake.what]
    assert told.line == text.split("\n").index("color = 1") + 1
