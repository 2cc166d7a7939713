"""One name for one thing: a class stands once in the package, a module once in a layer."""

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import newsletter
from newsletter.cli.app import COMMANDS, GROUPS

PACKAGE = Path(newsletter.__file__).parent
MODULES = sorted(path.relative_to(PACKAGE) for path in PACKAGE.rglob("*.py"))
TABLES = (*COMMANDS.values(), *GROUPS.values())
# `subscribers/add.py` and `suppressions/add.py` are each named after their command, in every layer.
NAMED_AFTER_A_COMMAND = {name for table in TABLES for name in table}
ENGINES = ("sqlite", "postgresql")  # they mirror each other


def repeated_modules() -> Iterator[str]:
    """Yield each module name that stands twice in a layer without a rule that allows it."""
    found: defaultdict[tuple[str, str], list[Path]] = defaultdict(list)
    for path in MODULES:
        if path.name != "__init__.py":
            found[path.parts[0], path.stem].append(path)
    for paths in found.values():
        is_command = all(".".join(path.with_suffix("").parts[1:]) in NAMED_AFTER_A_COMMAND for path in paths)
        is_engine = all(path.parent.name in ENGINES for path in paths)
        if len(paths) > 1 and not (is_command or is_engine):
            yield ", ".join(map(str, paths))


def repeated_classes() -> Iterator[str]:
    """Yield each class name that stands in several modules; a private one counts too, for people search for it."""
    found: defaultdict[str, list[Path]] = defaultdict(list)
    for path in MODULES:
        tree = ast.parse((PACKAGE / path).read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                found[node.name].append(path)
    yield from (f"{name}: {', '.join(map(str, paths))}" for name, paths in found.items() if len(paths) > 1)


def test_a_module_name_stands_once_in_a_layer() -> None:
    assert list(repeated_modules()) == []


def test_a_class_name_stands_once_in_the_package() -> None:
    assert list(repeated_classes()) == []
