"""The whole look: each section by itself, side by side where they wait for others."""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from newsletter.config import CONFIG_FILE, TEMPLATES_FOLDER, Config, find_workspace, load_config
from newsletter.content.loader import issue_names
from newsletter.errors import MistakesError, NewsletterError, ProviderError, StoreError
from newsletter.model.diagnosis import Diagnosis, Health, HealthItem, HealthSection, error, from_words, ok, warning
from newsletter.providers.base import ProviderFacts
from newsletter.providers.registry import open_provider, with_known_provider
from newsletter.store.database import DatabaseFacts
from newsletter.store.opening import examine_database
from newsletter.workflows.doctor.machine import machine_items
from newsletter.workflows.doctor.network import examine_pages, sender_items

Found = TypeVar("Found")

_MACHINE, _WORKSPACE, _DATABASE = "This machine", "Workspace", "Database"
_PROVIDER, _SENDER, _PAGES = "Provider", "Sender's domain", "Subscribers' pages"
PARTS = (_MACHINE, _WORKSPACE, _DATABASE, _PROVIDER, _SENDER, _PAGES)


def diagnose(
    start: Path,
    environ: Mapping[str, str],
    *,
    now: datetime,
    is_online: bool = True,
    on_done: Callable[[str], None] = lambda _: None,
) -> Diagnosis:
    """Look at the workspace around a folder, and at all that it depends on; change nothing.

    Without `is_online` nothing is asked of the network. `on_done` is called with each of `PARTS` that has ended.
    Raise InputError where there is no workspace.
    """
    root = find_workspace(start)
    try:
        config = with_known_provider(load_config(root))
    except NewsletterError as err:
        machine = HealthSection(title=_MACHINE, items=tuple(machine_items(None, (), now)))
        return Diagnosis(sections=(machine, HealthSection(title=_WORKSPACE, items=tuple(settings_items(err)))))
    return _diagnose(config, environ, now=now, is_online=is_online, on_done=on_done)


def _diagnose(
    config: Config, environ: Mapping[str, str], *, now: datetime, is_online: bool, on_done: Callable[[str], None]
) -> Diagnosis:
    def carry() -> tuple[ProviderFacts, tuple[HealthItem, ...]]:
        provider = _provider_facts(config, environ, is_online=is_online)
        on_done(_PROVIDER)
        return provider, tuple(sender_items(config, provider, is_online=is_online))

    with ThreadPoolExecutor(max_workers=3, thread_name_prefix="doctor") as pool:
        carrying = _submitted(pool, carry, _SENDER, on_done)
        keeping = _submitted(pool, lambda: tuple(database_items(config)), _DATABASE, on_done)
        showing = _submitted(pool, lambda: examine_pages(config, now, is_online=is_online), _PAGES, on_done)
        workspace = tuple(workspace_items(config))
        on_done(_WORKSPACE)
        (provider, sender), database, pages = carrying.result(), keeping.result(), showing.result()
    clocks = tuple(clock for clock in (provider.clock, pages.clock) if clock is not None)
    machine = tuple(machine_items(config, clocks, now))
    on_done(_MACHINE)
    domain = config.settings.newsletter.from_email.rpartition("@")[2].lower()
    sections = {
        _MACHINE: machine,
        _WORKSPACE: workspace,
        _DATABASE: database,
        _PROVIDER: provider.items,
        f"{_SENDER}: {domain}": sender,
        _PAGES: pages.items,
    }
    return Diagnosis(sections=tuple(HealthSection(title=title, items=items) for title, items in sections.items()))


def _provider_facts(config: Config, environ: Mapping[str, str], *, is_online: bool) -> ProviderFacts:
    """Ask the provider. One that cannot be opened lacks its secret."""
    try:
        return open_provider(config, environ).examine(is_online=is_online)
    except ProviderError as err:
        return ProviderFacts(items=(from_words("key", Health.ERROR, err),))


def _submitted(
    pool: ThreadPoolExecutor, examine: Callable[[], Found], part: str, on_done: Callable[[str], None]
) -> Future[Found]:
    """Start a part, which is told when it has ended."""
    under_way = pool.submit(examine)
    under_way.add_done_callback(lambda _: on_done(part))
    return under_way


def database_items(config: Config) -> Iterator[HealthItem]:
    """Yield what the database is like; it is neither made nor migrated."""
    location = config.database
    if isinstance(location, Path) and not location.exists():
        yield ok("database", f"{config.shown(location)} is made by the first import")
        return
    try:
        facts = examine_database(location)
    except StoreError as err:
        yield from_words("database", Health.ERROR, err)
        return
    yield ok("database", f"{facts.engine}, {facts.size_bytes / (1 << 20):,.1f} MB")
    yield from _state_items(facts)
    if isinstance(location, Path):
        yield from _file_items(facts, config.shown(location))


def _state_items(facts: DatabaseFacts) -> Iterator[HealthItem]:
    if behind := facts.newest_schema - facts.schema:
        remedy = "keep a copy of it; the next command that uses it brings them up to date"
        yield warning("schema", f"its tables are {behind} versions behind", remedy)
    else:
        yield ok("schema", "its tables are of this version")
    if facts.damages:
        what = f"it is damaged: {facts.damages[0]}"
        yield error("integrity", what, "stop all programs, and restore it from a backup")
    else:
        yield ok("integrity", "it is whole")


def _file_items(facts: DatabaseFacts, shown: str) -> Iterator[HealthItem]:
    if facts.open_to:
        yield error("privacy", f"others on this machine may read it ({facts.open_to})", f"run: chmod 600 {shown}")
    else:
        yield ok("privacy", "nobody but you may read its file")
    if facts.journal == "wal":
        yield ok("journal", "readers do not hold up a broadcast (WAL)")
    else:
        what = "its journal makes readers wait for a broadcast, and the other way round (no WAL)"
        yield warning("journal", what, "the next command that uses it sets that right, if the disk is of this machine")


def workspace_items(config: Config) -> Iterator[HealthItem]:
    """Yield what the folders of a workspace hold, whose settings could be read."""
    yield ok("settings", f"{CONFIG_FILE} is valid")
    if issues := issue_names(config):
        yield ok("issues", f"{len(issues)} {'issue' if len(issues) == 1 else 'issues'}, the newest is {issues[-1]}")
    else:
        yield warning("issues", "there is no issue yet", "make one with `newsletter new`")
    yield _templates(config)


def settings_items(problem: NewsletterError) -> Iterator[HealthItem]:
    """Yield why the settings cannot be used: an item for each mistake."""
    if not isinstance(problem, MistakesError):
        yield from_words("settings", Health.ERROR, problem)
        return
    for mistake in problem.mistakes:
        yield error("settings", f"{mistake.place}: {mistake.what}", mistake.remedy)


def _templates(config: Config) -> HealthItem:
    folder = config.root / TEMPLATES_FOLDER
    if not folder.exists():
        return ok("templates", "the built-in theme is used")
    if not folder.is_dir():
        return error("templates", f"{TEMPLATES_FOLDER} is no folder", "rename it, or make it a folder of templates")
    try:
        templates = [path for path in folder.rglob("[!.]*.j2") if path.is_file()]
        for path in templates:
            path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as err:
        return error("templates", f"{TEMPLATES_FOLDER}/ cannot be read ({err})", "check its files' permissions")
    return ok("templates", f"{TEMPLATES_FOLDER}/ has {len(templates)} templates; the built-in theme has the rest")
