"""The complete examination, in sections. Those that wait for other machines run in parallel."""

from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from shlex import quote
from typing import TypeVar

from newsletter.config import CONFIG_FILE, TEMPLATES_FOLDER, Config, find_workspace, load_config
from newsletter.content.loader import issue_headings
from newsletter.errors import InputError, MistakesError, NewsletterError, ProviderError, StoreError
from newsletter.language.counts import count_of
from newsletter.model.diagnosis import Diagnosis, Health, HealthItem, HealthSection, error, from_words, ok, warning
from newsletter.model.finding import Means
from newsletter.providers.base import ProviderFacts
from newsletter.providers.registry import open_provider, with_known_provider
from newsletter.store.database import DatabaseFacts
from newsletter.store.opening import examine_database, open_database
from newsletter.system.environment import proof_key
from newsletter.system.file_errors import explained
from newsletter.system.parallel import begun
from newsletter.workflows.doctor.machine import browser_item, machine_items
from newsletter.workflows.doctor.network import examine_pages, sender_items
from newsletter.workflows.proof.encoding import as_text
from newsletter.workflows.proof.signing import fingerprint_of, public_key_of
from newsletter.workflows.send.lost_records import lost_records
from newsletter.workflows.send.told import changed_events

Found = TypeVar("Found")

_MACHINE, _WORKSPACE, _DATABASE = "This machine", "Workspace", "Database"
_PROVIDER, _SENDER, _PAGES = "Provider", "Sender's domain", "Subscribers' pages"
PARTS = (_MACHINE, _WORKSPACE, _DATABASE, _PROVIDER, _SENDER, _PAGES)


def diagnose(
    start: Path,
    environ: Mapping[str, str],
    *,
    now: datetime,
    without: frozenset[Means] = frozenset(),
    on_done: Callable[[str], None] = lambda _: None,
) -> Diagnosis:
    """Examine the workspace that contains the `start` folder, and everything that the workspace depends on.

    Nothing is changed. The tools in `without` are not used. `on_done` is called with the name of each
    section in `PARTS` when it is finished. Raise InputError if there is no workspace.
    """
    root = find_workspace(start)
    try:
        config = with_known_provider(load_config(root))
    except NewsletterError as err:
        machine = HealthSection(title=_MACHINE, items=tuple(machine_items(None, (), now)))
        return Diagnosis(sections=(machine, HealthSection(title=_WORKSPACE, items=tuple(settings_items(err)))))
    return _diagnose(config, environ, now=now, without=without, on_done=on_done)


def _diagnose(
    config: Config,
    environ: Mapping[str, str],
    *,
    now: datetime,
    without: frozenset[Means],
    on_done: Callable[[str], None],
) -> Diagnosis:
    is_online = Means.NETWORK not in without

    def carry() -> tuple[ProviderFacts, tuple[HealthItem, ...]]:
        provider = provider_facts(config, environ, is_online=is_online)
        on_done(_PROVIDER)
        return provider, tuple(sender_items(config, provider, is_online=is_online))

    browsing = None if Means.BROWSER in without else begun(browser_item)
    carrying = _begun(carry, _SENDER, on_done)
    keeping = _begun(lambda: tuple(database_items(config, now)), _DATABASE, on_done)
    showing = _begun(lambda: examine_pages(config, now, is_online=is_online), _PAGES, on_done)
    workspace = (*workspace_items(config), *signing_items(environ))
    on_done(_WORKSPACE)
    (provider, sender), database, pages = carrying(), keeping(), showing()
    browser = () if browsing is None else (browsing(),)
    clocks = tuple(clock for clock in (provider.clock, pages.clock) if clock is not None)
    machine = (*machine_items(config, clocks, now), *browser)
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


def provider_facts(config: Config, environ: Mapping[str, str], *, is_online: bool) -> ProviderFacts:
    """Examine the provider. If it cannot be opened, for example because its key is missing, return that as an error."""
    try:
        return open_provider(config, environ).examine(is_online=is_online)
    except ProviderError as err:
        return ProviderFacts(items=(from_words("key", Health.ERROR, err),))


def _begun(examine: Callable[[], Found], part: str, on_done: Callable[[str], None]) -> Callable[[], Found]:
    """Start examining a part. Return what waits for the result. `on_done` is called when the part is finished."""

    def work() -> Found:
        found = examine()
        on_done(part)
        return found

    return begun(work)


def database_items(config: Config, now: datetime) -> Iterator[HealthItem]:
    """Yield the state of the database, which is neither created nor migrated."""
    location = config.database
    if isinstance(location, Path) and not location.exists():
        yield ok("database", f"{config.shown(location)} does not exist yet; the first import creates it")
        yield from _record_items(config, frozenset())
        return
    try:
        facts = examine_database(location)
    except StoreError as err:
        yield from_words("database", Health.ERROR, err)
        return
    yield ok("database", f"{facts.engine}, {facts.size_bytes / (1 << 20):,.1f} MB")
    yield from _state_items(facts)
    yield from _record_items(config, facts.mailings)
    is_current = facts.schema == facts.newest_schema and not facts.damages
    if is_current and not facts.open_to and facts.journal in {"", "wal"}:  # opening it changes nothing then
        yield from _told_items(config, now)
    if isinstance(location, Path):
        yield from _file_items(facts, config.shown(location))


def _record_items(config: Config, mailings: Collection[str]) -> Iterator[HealthItem]:
    if lost := lost_records(config, mailings):
        yield warning("records", *lost)


def _told_items(config: Config, now: datetime) -> Iterator[HealthItem]:
    """Yield the events to come that were told at another time than the time zone database in use says."""
    with open_database(config.database) as database:
        for changed in changed_events(database, now=now):
            yield warning("event times", changed.what, changed.remedy)


def _state_items(facts: DatabaseFacts) -> Iterator[HealthItem]:
    if behind := facts.newest_schema - facts.schema:
        remedy = "make a copy of the database, because the next command that uses it updates the tables"
        yield warning("schema", f"the database's tables are {count_of(behind, 'version')} behind", remedy)
    else:
        yield ok("schema", "the database's tables are up to date")
    if facts.damages:
        what = f"the database is damaged: {facts.damages[0]}"
        yield error("integrity", what, "stop all programs that use it, then restore a backup")
    else:
        yield ok("integrity", "the database is intact")


def _file_items(facts: DatabaseFacts, shown: str) -> Iterator[HealthItem]:
    if facts.open_to:
        what = f"other users of this machine can read the database file ({facts.open_to})"
        yield error("privacy", what, f"run: chmod 600 {quote(shown)}")
    else:
        yield ok("privacy", "only you can read the database file")
    if facts.journal == "wal":
        yield ok("journal", "reading does not delay sending (WAL mode is on)")
    else:
        what = "reading and sending must wait for each other (the database is not in WAL mode)"
        yield warning("journal", what, "the next command that uses it turns WAL mode on if the file is on a local disk")


def workspace_items(config: Config) -> Iterator[HealthItem]:
    """Yield the state of the settings, issues and templates of a workspace whose settings could be read."""
    yield ok("settings", f"{CONFIG_FILE} is valid")
    if issues := issue_headings(config):
        yield ok("issues", f"{count_of(len(issues), 'issue')}, the newest is {issues[-1].name}")
    else:
        yield warning("issues", "there is no issue yet", "create one with `newsletter new`")
    yield _templates(config)


def signing_items(environ: Mapping[str, str]) -> Iterator[HealthItem]:
    """Yield the key that signs proofs, if the secret from which it is made is set."""
    try:
        secret = proof_key(environ)
    except InputError as err:
        yield from_words("proofs", Health.ERROR, err)
        return
    if secret is not None:
        key = public_key_of(secret)
        yield ok("proofs", f"proofs are signed with the key {fingerprint_of(key)} (public key {as_text(key)})")


def settings_items(problem: NewsletterError) -> Iterator[HealthItem]:
    """Yield one error for each reason why the settings cannot be used."""
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
        remedy = "rename the file, or replace it with a folder of templates"
        return error("templates", f"{TEMPLATES_FOLDER} is a file, not a folder", remedy)
    try:
        templates = [path for path in folder.rglob("[!.]*.j2") if path.is_file()]
        for path in templates:
            path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return error("templates", f"{config.shown(path)} is not UTF-8 text", "save it with UTF-8 encoding")
    except OSError as err:
        place = Path(err.filename or folder)
        fault = explained(err, place, deed="read", elsewhere="", shown=config.shown)
        return error("templates", fault.what, fault.remedy)
    return ok(
        "templates",
        f"{TEMPLATES_FOLDER}/ has {count_of(len(templates), 'template')}; the built-in theme supplies the rest",
    )
