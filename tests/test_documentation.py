"""The pages name every key that there is, and only commands, options and pages that there are."""

import importlib
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from pydantic import BaseModel
from typer.testing import CliRunner

from newsletter.cli.app import COMMANDS, GROUPS, app, name_of
from newsletter.errors import MachineError, NewsletterError
from newsletter.model.columns import COLUMNS, SubscriberColumn
from newsletter.model.issue_fields import SECTION_TYPES, EventFields, IssueFields
from newsletter.settings.workspace import RENAMED_KEYS, Settings
from newsletter.system.report import FAULT_EXIT_CODE, MACHINE_EXIT_CODE

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = (*ROOT.glob("*.md"), *DOCS.rglob("*.md"))
RECIPES = DOCS / "extending"  # tests/extending follows them; they name commands that they add
STARTER = ROOT / "newsletter" / "starter"
# Data about people, by the way its file is named, and two files that hold none.
DATA_FILE = re.compile(r"(?<![\w/.{-])[\w-][\w./-]*\.(?:db|csv|json|log|eml)(?:[.-]\w+)?(?![\w/])")
WITHOUT_PEOPLE = {"archive/changes.json", "recipients.example.csv", "caniemail.json"}


def keys_of(model: type[BaseModel]) -> Iterator[str]:
    """Every key of a record and of the records in it."""
    for name, info in model.model_fields.items():
        yield info.alias or name
        for inner in records_in(info.annotation):
            yield from keys_of(inner)


def records_in(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in getattr(annotation, "__args__", ()):
        yield from records_in(inner)


SECTION_FIELDS = tuple(dict.fromkeys(kind.fields for kind in SECTION_TYPES.values()))


@pytest.mark.parametrize("model", [IssueFields, EventFields, *SECTION_FIELDS])
def test_every_key_of_an_issue_is_explained(model: type[BaseModel]) -> None:
    page = (DOCS / "issue-files.md").read_text(encoding="utf-8")
    assert [key for key in keys_of(model) if f"`{key}" not in page] == []


def test_every_section_type_is_explained() -> None:
    page = (DOCS / "issue-files.md").read_text(encoding="utf-8")
    assert [name for name in SECTION_TYPES if f"`{name}`" not in page] == []


def test_every_key_of_the_settings_is_explained() -> None:
    page = (DOCS / "settings.md").read_text(encoding="utf-8")
    assert [key for key in keys_of(Settings) if f"`{key}" not in page and f"{key}]" not in page] == []


@pytest.mark.parametrize("model", [Settings, IssueFields, EventFields, *SECTION_FIELDS])
def test_no_key_has_a_british_spelling_except_as_an_older_name(model: type[BaseModel]) -> None:
    british = re.compile(
        r"(?:organ|personal|custom|recogn|summar)is|colour|centre|grey|behaviour|favourite|licence|cancelled"
    )
    assert [key for key in keys_of(model) if british.search(key)] == []


def test_every_older_name_of_a_key_is_explained() -> None:
    page = (DOCS / "settings.md").read_text(encoding="utf-8")
    for (*_, old), (*_, new) in RENAMED_KEYS.items():
        assert re.search(rf"^\| `{new}` \|.* The older key `{old}` still works \|$", page, re.MULTILINE)


@pytest.mark.parametrize("column", COLUMNS, ids=lambda column: column.name)
def test_every_column_of_a_subscriber_is_explained(column: SubscriberColumn) -> None:
    importing, privacy = ((DOCS / page).read_text(encoding="utf-8") for page in ("importing.md", "privacy.md"))
    assert f"`{column.name}`" in importing or not column.in_lists
    assert f"`{column.key}`" in privacy


def test_every_file_that_the_architecture_names_exists() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    named = {each.rstrip("/") for each in re.findall(r"`([\w./-]+(?:/|\.(?:py|toml|sql|md|j2)))`", text)}
    folders = [ROOT / name for name in ("newsletter", "templates", "tests", "docs", "deploy", "benchmarks")]
    places = [*folders, *(path for folder in folders for path in folder.rglob("*")), *ROOT.glob("*.*")]
    known = "\n".join(f"/{path.relative_to(ROOT)}" for path in places) + "\n"

    assert len(named) > 60
    assert sorted(each for each in named if f"/{each}\n" not in known) == []


def named_commands(page: Path) -> Iterator[tuple[str, ...]]:
    """Yield the words of each command of the program in a page's code, up to a comment or another command."""
    text = page.read_text(encoding="utf-8")
    fenced = re.findall(r"^```.*?\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    inline = re.findall(r"(?<!`)`([^`]+)`(?!`)", re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL))
    for line in (*re.sub(r"(^| )#.*", "", "\n".join(fenced), flags=re.MULTILINE).splitlines(), *inline):
        for found in re.findall(r"\bnewsletter ([a-z][^&;]*)", line):
            yield tuple(found.split())


WITH_A_FIRST_COMMAND = {"proof", "translations"}  # whose name may be left out


@cache
def help_of(*words: str) -> str:
    return CliRunner().invoke(app, [*words, "--help"], env={"COLUMNS": "200"}).output


def wrong_words(typed: tuple[str, ...]) -> Iterator[str]:
    """Yield what a command line has that the program does not know."""
    name, *rest = typed
    commands = [name]
    if name in GROUPS and rest:
        first, *others = map(name_of, GROUPS[name])
        is_short = name in WITH_A_FIRST_COMMAND and not {*rest[0].split("|")} & {first, *others}
        commands = [f"{name} {each}" for each in (first if is_short else rest.pop(0)).split("|")]
    for command in commands:
        group, _, member = command.partition(" ")
        known = GROUPS[group] if member else [module for panel in COMMANDS.values() for module in panel]
        if (member or group) not in {*map(name_of, known), *GROUPS}:
            yield command
            continue
        shown = set(re.findall(r"--?[a-z][a-z-]*", help_of(*command.split())))
        yield from (
            f"{command} {word}" for word in rest if re.fullmatch(r"--?[a-z][a-z-]*", word) and word not in shown
        )


@pytest.mark.parametrize("page", [page for page in PAGES if RECIPES not in page.parents], ids=lambda page: page.name)
def test_every_command_and_option_of_a_page_exists(page: Path) -> None:
    assert [wrong for typed in named_commands(page) for wrong in wrong_words(typed)] == []


def test_a_command_that_does_not_exist_is_noticed(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "`newsletter sed 1` and `newsletter subscribers ad|show`\n\n"
        "```sh\n# a newsletter folder\ncd x && newsletter send 1 --too all  # --no\n```\n"
    )
    assert [wrong for typed in named_commands(page) for wrong in wrong_words(typed)] == [
        *("send --too", "sed", "subscribers ad"),
    ]


def anchors(page: Path) -> set[str]:
    """Return the anchors that headings have on GitHub."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_of_a_page_leads_to_a_page_and_a_heading(page: Path) -> None:
    prose = re.sub(r"^```.*?^```$|`[^`\n]+`", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    targets = [target for target in re.findall(r"\]\(([^)\s]+)\)", prose) if not re.match(r"https?:", target)]
    for target in targets:
        path, _, anchor = target.partition("#")
        place = page.parent / path if path else page
        assert place.exists(), target
        assert not anchor or anchor in anchors(place), target


def test_every_page_is_in_the_index() -> None:
    index = (DOCS / "README.md").read_text(encoding="utf-8")
    assert [
        page.name for page in DOCS.glob("*.md") if page.name != "README.md" and f"]({page.name})" not in index
    ] == []


def code_of(page: Path) -> str:
    """Return the code of a page, both its blocks and its words in a line."""
    text = page.read_text(encoding="utf-8")
    blocks = re.findall(r"^```.*?^```$", text, re.MULTILINE | re.DOTALL)
    return "\n".join([*blocks, *re.findall(r"`([^`\n]+)`", text)])


def data_files() -> set[str]:
    """Return the name of every file in the README and in docs/ that may hold data about people."""
    pages = (ROOT / "README.md", *DOCS.glob("*.md"))
    return {name for page in pages for name in DATA_FILE.findall(code_of(page))}


@pytest.mark.parametrize("name", sorted(data_files()))
def test_git_ignores_every_file_of_data_that_a_page_names(name: str, tmp_path: Path) -> None:
    CliRunner().invoke(app, ["init", str(tmp_path / "news")], catch_exceptions=False)
    subprocess.run(["git", "init", "--quiet", "news"], cwd=tmp_path, check=True)

    asked = subprocess.run(["git", "check-ignore", "--quiet", name], cwd=tmp_path / "news", check=False)

    assert (asked.returncode == 0) == (name not in WITHOUT_PEOPLE)


def test_pages_name_the_files_that_git_must_ignore() -> None:
    assert {
        "saved-2026-02-19.db",
        "newsletter.db-wal",
        "newsletter.db.runners",
        "account.csv",
        "ana.json",
    } <= data_files()


def test_an_older_folder_gets_the_rules_of_a_new_one() -> None:
    rules = (STARTER / "gitignore").read_text(encoding="utf-8").splitlines()
    shown = re.findall(
        r"^```gitignore\n(.*?)^```$", (DOCS / "backup.md").read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    assert set(shown[0].splitlines()) <= set(rules)
    assert {rule for rule in rules if not rule.startswith("#")} <= set((ROOT / ".gitignore").read_text().splitlines())


def test_the_event_in_the_readme_is_one_of_the_repository() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    shown = re.search(r"^```\n(---\n.*?)…\n```$", readme, re.MULTILINE | re.DOTALL)
    assert shown is not None
    assert (ROOT / "issues/2026-02/events/self-forgiveness.md").read_text(encoding="utf-8").startswith(shown[1])


def test_the_exit_codes_of_the_program_are_those_of_the_page() -> None:
    page = (DOCS / "exit-codes.md").read_text(encoding="utf-8")
    table = {int(code): meaning for code, meaning in re.findall(r"^\| (\d+) \| (.+) \|$", page, re.MULTILINE)}
    entry = importlib.import_module("newsletter.__main__")
    errors = {each.exit_code for each in subclasses_of(NewsletterError)} | {NewsletterError.exit_code}
    by_name = {value for name, value in vars(entry).items() if name in {"_INTERRUPTED", "_READER_IS_GONE"}}

    assert table.keys() == errors | by_name | {0, FAULT_EXIT_CODE, MACHINE_EXIT_CODE}
    assert MachineError.exit_code == MACHINE_EXIT_CODE
    words = {0: "done", 1: "part", 2: "your input", 3: "provider", 4: "computer", 70: "bug", 130: "Ctrl-C", 141: "pipe"}
    assert {code: word for code, word in words.items() if word not in table[code]} == {}


def test_no_command_ends_with_a_code_that_the_page_does_not_have() -> None:
    page = (DOCS / "exit-codes.md").read_text(encoding="utf-8")
    known = set(re.findall(r"^\| (\d+) \|", page, re.MULTILINE))
    code = re.compile(r"(?:typer\.Exit|sys\.exit)\((?:code=)?(\d+)\)|exit_code(?:: ClassVar\[int\])? = (\d+)")
    source = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "newsletter").rglob("*.py"))
    used = {one or other for one, other in code.findall(source)}
    assert {"1", "2", "3"} <= used <= known


def subclasses_of(kind: type[NewsletterError]) -> Iterator[type[NewsletterError]]:
    """Every kind of error below this one."""
    for each in kind.__subclasses__():
        yield each
        yield from subclasses_of(each)
