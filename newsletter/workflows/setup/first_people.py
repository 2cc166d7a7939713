"""The question about the list: a file to import, or your own address to begin with."""

from datetime import UTC, datetime
from pathlib import Path
from shlex import quote

from newsletter.errors import FaultError
from newsletter.language.counts import count_of, people_of
from newsletter.model.imports import ImportReport
from newsletter.model.values import PLAIN_ADDRESS
from newsletter.store.opening import open_database
from newsletter.system.environment import forget_key
from newsletter.workflows.setup.asking import SetupQuestion, checked
from newsletter.workflows.setup.situation import Situation
from newsletter.workflows.subscribers.import_ import ImportRequest, import_list
from newsletter.workflows.subscribers.person import NewPerson, add_person

_SOURCE = "added themselves during setup"


def _add(situation: Situation, text: str) -> str:
    """Add one person or import a file. Return what was done. Raise FaultError or InputError if nothing was."""
    if not text:
        return ""
    config, now = situation.config, datetime.now(UTC)
    path = Path(text).expanduser()
    path = path if path.is_absolute() else config.root / path
    is_file = path.is_file()
    if not is_file and not PLAIN_ADDRESS.fullmatch(text):
        raise FaultError(
            f"{text!r} is neither a file nor an email address", "write the path of a CSV file, or your address"
        )
    if not is_file:
        checked(str, text)
    with open_database(config.database, workspace=config.root) as database:
        if not is_file:
            person = NewPerson(email=text, consent_source=_SOURCE)
            report = add_person(database, person, key=forget_key(), now=now)
            return f"{text} {'is on the list' if report.added else 'was already on the list'}."
        request = ImportRequest(path=path, mapping={}, topics=config.settings.topics)
        return _said(import_list(database, request, now=now), path)


def _said(report: ImportReport, path: Path) -> str:
    parts = [f"{people_of(report.added)} added", f"{report.updated:,} updated"]
    more = {
        "already there": report.unchanged,
        "blocked because they unsubscribed": report.blocked,
        "without consent, so they get no email": report.without_consent,
    }
    parts += [f"{count:,} {what}" for what, count in more.items() if count]
    if report.rejected:
        parts.append(f"{count_of(report.rejected, 'row')} rejected")
    told = f"{path.name}: {', '.join(parts)}."
    if report.rejected or report.without_consent:
        told += f" To see each row, run: newsletter subscribers import {quote(str(path))} --report report.csv"
    return told


LIST_QUESTIONS: tuple[SetupQuestion, ...] = (
    SetupQuestion(
        name="people",
        asks="A list to import, or your own address",
        about="The path of a CSV file or of an export from another tool. To begin with, your own address is enough.",
        current=lambda _: "",
        suggested=lambda situation: "" if situation.people else next(iter(situation.testers), situation.sender),
        apply=_add,
        is_optional=True,
    ),
)
