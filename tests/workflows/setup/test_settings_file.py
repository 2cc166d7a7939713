"""Answers land in newsletter.toml, and everything else in it stays as it was."""

import os
import stat
import tomllib
from pathlib import Path

import pytest

from newsletter.config import CONFIG_FILE, load_config
from newsletter.errors import InputError, MistakesError
from newsletter.workflows.setup.settings_file import Changes, changed_text, save_settings
from tests.workspaces import CONFIG, write_workspace

STARTER = (Path(__file__).parents[3] / "newsletter/starter/newsletter.toml").read_text(encoding="utf-8")
ODD = """\
# first
[newsletter]   # who
  name   =   'Old'      # keep me
"organization" = "A" # quoted
from="a <a@example.org>"
address = \"\"\"
One line \\
   and more\"\"\"
# a remark at the end

[ brand ]
social = [ { name = "X", url = "https://example.org/x" }, # one
]
[brand.light]
ink = "#000000"


[service]
url = "https://news.example.org"
"""


def lines_changed(old: str, new: str) -> tuple[list[str], list[str]]:
    """Return the lines that only the old text has, and those that only the new one has."""
    before, after = old.splitlines(), new.splitlines()
    return [line for line in before if line not in after], [line for line in after if line not in before]


@pytest.mark.parametrize(
    ("changes", "gone", "come"),
    [
        (
            {("newsletter", "name"): "New"},
            ["  name   =   'Old'      # keep me"],
            ['  name   =   "New"      # keep me'],
        ),
        ({("newsletter", "organization"): "B"}, ['"organization" = "A" # quoted'], ['"organization" = "B" # quoted']),
        ({("newsletter", "from"): 'x "y" <z@example.org>'}, ['from="a <a@example.org>"'], None),
        ({("newsletter", "reply_to"): "r@example.org"}, [], ['reply_to = "r@example.org"']),
        ({("brand", "logo"): "brand/logo.png"}, [], ['logo = "brand/logo.png"']),
        ({("brand", "dark", "accent"): "#FFFFFF"}, [], ["[brand.dark]", 'accent = "#FFFFFF"']),
        ({("provider", "smtp", "port"): 25}, [], ["[provider.smtp]", "port = 25"]),
        ({("newsletter", "organization"): None}, ['"organization" = "A" # quoted'], []),
        ({("newsletter", "nothing"): None, ("no", "table"): None}, [], []),
        ({("reviewers", "reviewers"): ("a@example.org", "b@example.org")}, [], None),
    ],
)
def test_only_the_lines_of_the_changed_keys_change(changes: Changes, gone: list[str], come: list[str] | None) -> None:
    new = changed_text(ODD, changes)

    lost, won = lines_changed(ODD, new)
    assert lost == gone
    assert come is None or won == come
    assert [line for line in new.splitlines() if "#" in line and line not in won] == [
        line for line in ODD.splitlines() if "#" in line and line not in gone
    ]


def test_samples_in_comments_are_filled_in_at_their_place() -> None:
    smtp = ("provider", "smtp")
    changes: Changes = {("provider", "use"): "smtp", (*smtp, "host"): "mail.example.org", (*smtp, "port"): 2525}

    new = changed_text(changed_text(STARTER, {("brand", "logo"): "brand/a.svg"}), changes)

    assert 'logo = "brand/a.svg"                # an image in this folder' in new
    end = new.partition("use = ")[2]
    assert end.splitlines()[2:5] == [
        "[provider.smtp]                     # set the password as NEWSLETTER_SMTP_PASSWORD",
        'host = "mail.example.org"',
        "port = 2525",
    ]
    assert end.count("host") == 1


def test_repeating_a_change_changes_nothing_more() -> None:
    changes: Changes = {
        **{("provider", "smtp", name): value for name, value in {"host": "h.example.org", "username": "u"}.items()},
        ("brand", "dark", "accent"): "#FFFFFF",
        ("newsletter", "reply_to"): None,
    }
    once = changed_text(STARTER, changes)

    assert changed_text(once, changes) == once
    assert tomllib.loads(once)["provider"]["smtp"] == {"host": "h.example.org", "username": "u"}


@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_line_ends_and_the_mark_of_utf_8_stay(mark: str) -> None:
    old = mark + ODD.replace("\n", "\r\n")

    new = changed_text(old, {("newsletter", "reply_to"): "r@example.org", ("archive", "url"): "https://example.org"})

    assert new.startswith(mark + "# first\r\n")
    assert "\n" not in new.replace("\r\n", "")


@pytest.mark.parametrize(
    "text", ["newsletter.name = 'x'\n", "[newsletter]\nname = 1\n", '["newsletter"]\nname = "x"\n']
)
def test_other_ways_to_write_a_table_are_changed_too(text: str) -> None:
    new = changed_text(text, {("newsletter", "name"): "y", ("newsletter", "website"): "https://example.org"})

    assert tomllib.loads(new)["newsletter"] == {"name": "y", "website": "https://example.org"}


@pytest.mark.parametrize("text", ["newsletter = 1\n", "[[newsletter]]\nname = 'x'\n"])
def test_what_cannot_be_changed_is_left_to_a_text_editor(text: str) -> None:
    with pytest.raises(InputError, match=r"set newsletter\.name in your text editor"):
        changed_text(text, {("newsletter", "name"): "y"})


def test_a_wrong_answer_changes_nothing(tmp_path: Path) -> None:
    root = write_workspace(tmp_path)
    before = (root / CONFIG_FILE).read_bytes()

    with pytest.raises(MistakesError, match="starttls"):
        save_settings(root, {("provider", "smtp", "host"): "h.example.org", ("provider", "smtp", "security"): "none"})
    assert (root / CONFIG_FILE).read_bytes() == before


def test_a_file_with_mistakes_is_left_alone_and_named(tmp_path: Path) -> None:
    root = write_workspace(tmp_path, {CONFIG_FILE: CONFIG.replace("name =", "nam =", 1)})

    with pytest.raises(MistakesError, match=r"newsletter\.toml:\d+"):
        save_settings(root, {("newsletter", "name"): "x"})


def test_a_read_only_file_is_not_replaced(tmp_path: Path) -> None:
    root = write_workspace(tmp_path)
    (root / CONFIG_FILE).chmod(0o444)

    with pytest.raises(InputError, match=r"read-only.*chmod u\+w"):
        save_settings(root, {("newsletter", "name"): "Other"})
    assert load_config(root).settings.newsletter.name == "Small Letter"


def test_permissions_and_links_stay(tmp_path: Path) -> None:
    root = write_workspace(tmp_path / "news")
    shared = tmp_path / "shared.toml"
    (root / CONFIG_FILE).rename(shared)
    (root / CONFIG_FILE).symlink_to(shared)
    shared.chmod(0o640)
    old_umask = os.umask(0o022)
    try:
        config = save_settings(root, {("newsletter", "name"): "Other"})
    finally:
        os.umask(old_umask)

    assert config.settings.newsletter.name == "Other"
    assert (root / CONFIG_FILE).is_symlink()
    assert stat.S_IMODE(shared.stat().st_mode) == 0o640
    assert [path.name for path in tmp_path.iterdir()] in (["news", "shared.toml"], ["shared.toml", "news"])
