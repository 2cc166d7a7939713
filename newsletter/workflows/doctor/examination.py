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
from newsletter.store.examination import DatabaseFacts, examine_database
from newsletter.workflows.doctor.machine import machine_items
from newsletter.workflows.doctor.pages import examine_pages
from newsletter.workflows.doctor.sender import sender_items

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
    """Looks at the workspace around a folder, and at all that it depends on; changes nothing.

    Without `is_online` nothing is asked of the network. `on_done` is called with each of `PARTS` that has ended.
    Raises InputError where there is no workspace.
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
    domain = config.settings.newsletter.from_email.rpartition("@")[2].lower()
    on_done(_MACHINE)
    return Diagnosis(
        sections=(
            HealthSection(title=_MACHINE, items=machine),
            HealthSection(title=_WORKSPACE, items=workspace),
            HealthSection(title=_DATABASE, items=database),
            HealthSection(title=_PROVIDER, items=provider.items),
            HealthSection(title=f"{_SENDER}: {domain}", items=sender),
            HealthSection(title=_PAGES, items=pages.items),
        )
    )


def _provider_facts(config: Config, environ: Mapping[str, str], *, is_online: bool) -> ProviderFacts:
    """Ask the provider. One that cannot be opened lacks its secret."""
    try:
        return open_provider(config, environ).examine(is_online=is_online)
    except ProviderError as err:
        return ProviderFacts(items=(from_words("key", Health.ERROR, err),))


def _submitted(
    pool: ThreadPoolExecutor, examine: Callable[[], Found], part: str, on_done: Callable[[str], None]
) -> Future[Found]:
    """A part that is under way, and is told when it has ended."""
    under_way = pool.submit(examine)
    under_way.add_done_callback(lambda _: on_done(part))
    return under_way


_WORDS_OF_SIZE = 1 << 20


def database_items(config: Config) -> Iterator[HealthItem]:
    """What the database is like; it is neither made nor migrated."""
    location = config.database
    if isinstance(location, Path) and not location.exists():
        yield ok("database", f"{config.shown(location)} is made by the first import")
        return
    try:
        facts = examine_database(location)
    except StoreError as err:
        yield from_words("database", Health.ERROR, err)
        return
    yield ok("database", f"{facts.engine}, {facts.size_bytes / _WORDS_OF_SIZE:,.1f} MB")
    yield _schema(facts)
    yield _integrity(facts)
    if isinstance(location, Path):
        yield _privacy(facts, config.shown(location))
        yield _journal(facts)


def _schema(facts: DatabaseFacts) -> HealthItem:
    if facts.schema == facts.newest_schema:
        return ok("schema", "its tables are of this version")
    what = f"its tables are {facts.newest_schema - facts.schema} versions behind"
    remedy = "keep a copy of it; the next command that uses it brings them up to date"
    return warning("schema", what, remedy)


def _integrity(facts: DatabaseFacts) -> HealthItem:
    if not facts.damages:
        return ok("integrity", "it is whole")
    return error("integrity", f"it is damaged: {facts.damages[0]}", "stop all programs, and restore it from a backup")


def _privacy(facts: DatabaseFacts, shown: str) -> HealthItem:
    if not facts.open_to:
        return ok("privacy", "nobody but you may read its file")
    what = f"others on this machine may read it ({facts.open_to})"
    return error("privacy", what, f"run: chmod 600 {shown}")


def _journal(facts: DatabaseFacts) -> HealthItem:
    if facts.journal == "wal":
        return ok("journal", "readers do not hold up a broadcast (WAL)")
    what = "its journal makes readers wait for a broadcast, and the other way round (no WAL)"
    return warning("journal", what, "the next command that uses it sets that right, if the disk is of this machine")


def workspace_items(config: Config) -> Iterator[HealthItem]:
    """What the folders of a workspace hold, whose settings could be read."""
    yield ok("settings", f"{CONFIG_FILE} is valid")
    issues = issue_names(config)
    if issues:
        yield ok("issues", f"{len(issues)} {'issue' if len(issues) == 1 else 'issues'}, the newest is {issues[-1]}")
    else:
        yield warning("issues", "there is no issue yet", "make one with `newsletter new`")
    yield _templates(config)


def settings_items(problem: NewsletterError) -> Iterator[HealthItem]:
    """Why the settings cannot be used: an item for each mistake."""
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
