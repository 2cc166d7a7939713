"""Build an issue into files that a person can open: HTML with its images, plain text, an email and a report."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from msgspec import Struct

from newsletter.config import Config
from newsletter.errors import InputError
from newsletter.model.axes import plainest_readership
from newsletter.model.finding import Severity
from newsletter.model.issue import Issue
from newsletter.model.readership import Reader
from newsletter.model.rendered import RenderedIssue, RenderedVariant, with_local_pictures
from newsletter.system.file_errors import explained
from newsletter.system.files import whole_folder
from newsletter.workflows.compose.compose import BUILD_FOLDER, Composed, Fields, compose_issue, open_theme
from newsletter.workflows.compose.sample import mail_of, message_of, sample_mail, sample_reader

PICTURES_FOLDER = "pictures"
READER_FILE = "subscriber"
ReaderFor = Callable[[Issue], Reader]


class Build(Struct, frozen=True, kw_only=True):
    """A built issue and the files that were written."""

    composed: Composed
    files: tuple[Path, ...]


def build_issue(
    config: Config, folder: Path, now: datetime, *, known_fields: Fields = None, reader_for: ReaderFor | None = None
) -> Build:
    """Compose an issue and replace `build/ISSUE/`, completely or not at all.

    The variant for everyone else, for whom the issue has nothing special, is written to `email.*`. The file names of
    the other variants contain their segments. With `reader_for`, that reader's email is written to `subscriber.*`,
    which only the current user can read. Earlier `subscriber.*` files are deleted first, even if the build fails.
    `known_fields` are the merge fields of the list, if there is one.
    Raise MistakesError for mistakes in the issue, or InputError if the files cannot be written.
    """
    target = config.root / BUILD_FOLDER / folder.name
    with _writing_to(config, target):
        for earlier in target.glob(f"{READER_FILE}.*"):
            earlier.unlink()
    theme = open_theme(config)
    composed = compose_issue(config, folder, known_fields=known_fields, theme=theme)
    files = _write(config, composed, reader_for(composed.issue) if reader_for else None, now)
    theme.memory.forget_unused()
    return Build(composed=composed, files=files)


def _write(config: Config, composed: Composed, reader: Reader | None, now: datetime) -> tuple[Path, ...]:
    target = config.root / BUILD_FOLDER / composed.issue.name
    with _writing_to(config, target):
        target.parent.mkdir(exist_ok=True)
        with whole_folder(target, overwrite=True) as staging:
            _write_all(staging, config, composed, reader, now)
    return tuple(sorted(target.glob("*.*")))


@contextmanager
def _writing_to(config: Config, target: Path) -> Iterator[None]:
    """Raise InputError if the folder, or a file in it, cannot be written or deleted."""
    try:
        yield
    except OSError as err:
        place = Path(err.filename or target)
        raise InputError(str(explained(err, place, elsewhere="", shown=config.shown))) from err


def _write_all(folder: Path, config: Config, composed: Composed, reader: Reader | None, now: datetime) -> None:
    rendered = composed.rendered
    mails = [(_file_name(variant, rendered), variant, sample_reader(config)) for variant in rendered.variants]
    if reader is not None:
        mails.append((READER_FILE, rendered.variant_of(reader), reader))
    for name, variant, whose in mails:
        mail = mail_of(config, variant, whose, made_at=now)
        html = with_local_pictures(mail.html, rendered.pictures, f"{PICTURES_FOLDER}/")
        (folder / f"{name}.html").write_text(html, encoding="utf-8")
        (folder / f"{name}.txt").write_text(mail.text, encoding="utf-8")
        (folder / f"{name}.eml").write_bytes(message_of(config, variant, whose, now=now))
    for path in folder.glob(f"{READER_FILE}.*"):  # private, because they contain the subscriber's personal links
        path.chmod(0o600)
    pictures = folder / PICTURES_FOLDER
    pictures.mkdir()
    for picture in rendered.pictures:
        (pictures / picture.name).write_bytes(picture.content)
    (folder / "report.txt").write_text("\n".join(_report(config, composed)) + "\n", encoding="utf-8")


def _file_name(variant: RenderedVariant, rendered: RenderedIssue) -> str:
    plainest = plainest_readership(rendered.axes)
    names = variant.readership.names
    if variant.readership.language == plainest.language:  # only the other languages are named
        names = tuple(name for name in names if name != plainest.language)
    return "email" if variant.readership == plainest or not names else f"email.{'+'.join(names)}"


def _report(config: Config, composed: Composed) -> Iterator[str]:
    fullest = composed.rendered.fullest
    mail = sample_mail(config, fullest)
    yield f"{composed.issue.name}: {composed.issue.shown_title}"
    yield ""
    yield f"Subject    {mail.subject}"
    yield f"Preheader  {mail.preheader}"
    yield f"HTML       {_kilobytes(mail.html)} (Gmail clips an email above 102 KB)"
    yield f"Text       {_kilobytes(mail.text)}"
    picture_bytes = sum(len(picture.content) for picture in composed.rendered.pictures)
    yield f"Images     {len(composed.rendered.pictures)}, {picture_bytes / 1000:.0f} KB"
    yield f"Content    {composed.rendered.content_hash[:16]}"
    if len(composed.rendered.variants) > 1:
        yield f"Variants   {len(composed.rendered.variants)}"
        for variant in composed.rendered.variants:
            size = _kilobytes(sample_mail(config, variant).html)
            yield f"  {variant.readership.label or 'everyone else'}: {size} of HTML"
    fields = sorted({str(use.field) for use in composed.issue.merge_fields})
    yield f"Merge fields: {', '.join(fields) if fields else 'none'}"
    yield ""
    yield from _found(composed)


def _found(composed: Composed) -> Iterator[str]:
    """Yield the problems that the checks found, the overridden problems with their reasons, and the skipped checks."""
    standing = [finding for finding in composed.findings if not finding.waived]
    for severity, title in ((Severity.ERROR, "Errors"), (Severity.WARNING, "Warnings")):
        found = [finding for finding in standing if finding.severity is severity]
        yield f"{title}: {len(found) or 'none'}"
        yield from (f"  {finding}" for finding in found)
    if waived := [finding for finding in composed.findings if finding.waived]:
        yield f"Overridden: {len(waived)}"
        yield from (f"  {each.place}: {each.what}; because {each.waived} [{each.rule}]" for each in waived)
    if composed.not_run:
        yield f"Skipped: {', '.join(left_out.rule for left_out in composed.not_run)}"


def _kilobytes(text: str) -> str:
    return f"{len(text.encode()) / 1000:.1f} KB"
