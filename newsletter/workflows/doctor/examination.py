"""The whole look: each section by itself, side by side where they wait for others."""

from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from newsletter.config import Config, find_workspace, load_config
from newsletter.errors import NewsletterError, ProviderError
from newsletter.model.diagnosis import Diagnosis, Health, Item, Section, from_words
from newsletter.providers.base import ProviderFacts
from newsletter.providers.registry import open_provider, with_known_provider
from newsletter.workflows.doctor.database import database_items
from newsletter.workflows.doctor.machine import machine_items
from newsletter.workflows.doctor.pages import examine_pages
from newsletter.workflows.doctor.sender import sender_items
from newsletter.workflows.doctor.workspace import settings_items, workspace_items

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
        machine = Section(title=_MACHINE, items=tuple(machine_items(None, (), now)))
        return Diagnosis(sections=(machine, Section(title=_WORKSPACE, items=tuple(settings_items(err)))))
    return _diagnose(config, environ, now=now, is_online=is_online, on_done=on_done)


def _diagnose(
    config: Config, environ: Mapping[str, str], *, now: datetime, is_online: bool, on_done: Callable[[str], None]
) -> Diagnosis:
    def carry() -> tuple[ProviderFacts, tuple[Item, ...]]:
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
            Section(title=_MACHINE, items=machine),
            Section(title=_WORKSPACE, items=workspace),
            Section(title=_DATABASE, items=database),
            Section(title=_PROVIDER, items=provider.items),
            Section(title=f"{_SENDER}: {domain}", items=sender),
            Section(title=_PAGES, items=pages.items),
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
