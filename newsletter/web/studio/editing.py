"""The sheet beside a block: its Markdown and its keys, saved to the file, with undo, fixes and images."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode
from zoneinfo import available_timezones

from msgspec.structs import replace
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from newsletter.errors import ConflictError, Fix, InputError
from newsletter.model.issue_fields import SectionType
from newsletter.system.editor import open_in_editor
from newsletter.web.studio.proofs import IssueProof
from newsletter.web.studio.sheet import ListedBlock, Sheet, differing_lines, listed_files, title_of, visible
from newsletter.web.studio.studio import Studio
from newsletter.web.studio.templates import page
from newsletter.workflows.compose.edit_history import count_steps
from newsletter.workflows.compose.editing import (
    EditableFile,
    edited_text,
    fixed_text,
    open_file,
    save_file,
    undo_edit,
    with_text,
)
from newsletter.workflows.compose.form_fields import Control, FormChoices, every_field
from newsletter.workflows.compose.new_pictures import add_picture, issue_pictures
from newsletter.workflows.compose.placed import place_blocks

_NOTES: Mapping[str, str] = {
    "saved": "Saved.",
    "fixed": "Changed and saved.",
    "undone": "The last change was undone.",
    "opened": "Opened in your editor.",
    "nothing": "There is no change to undo.",
}
_NOT_AS_SHOWN = "The file has changed in the meantime. This is how it is now; nothing was written."
_CONFLICT = 409
_REFUSED = 422
_KEY = "key:"  # before the name of a field for a key
Form = Mapping[str, Sequence[str]]


def routes(studio: Studio) -> list[BaseRoute]:
    """Return the routes of the sheet."""
    pages = _EditingPages(studio)
    return [
        Route("/{issue}/edit", pages.sheet),
        Route("/{issue}/edit", _posted(pages.save), methods=["POST"]),
        Route("/{issue}/undo", _posted(pages.undo), methods=["POST"]),
        Route("/{issue}/fix", pages.show_fix),
        Route("/{issue}/fix", _posted(pages.make_fix), methods=["POST"]),
        Route("/{issue}/editor", _posted(pages.open_editor), methods=["POST"]),
        Route("/{issue}/images", pages.add_image, methods=["POST"]),
    ]


def _posted(answer: Callable[[Request, Form], Response]) -> Callable[[Request], Awaitable[Response]]:
    """Return a handler that reads the form, and answers in a thread."""

    async def handler(request: Request) -> Response:
        form = parse_qs((await request.body()).decode(errors="replace"), keep_blank_values=True)
        return await run_in_threadpool(answer, request, form)

    return handler


class _EditingPages:
    """The request handlers. Names of files come from the request, and are looked up among the files of the issue."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    def sheet(self, request: Request) -> Response:
        """Return the sheet for a place, or the list of all blocks if there is none in the query."""
        if "at" not in request.query_params:
            return self._blocks(request)
        file, line = self._opened(request, request.query_params["at"])
        note = _NOTES.get(request.query_params.get("done", ""), "")
        return self._page(request, file, line, note=note, is_whole="whole" in request.query_params)

    def save(self, request: Request, form: Form) -> Response:
        """Write the file, and redirect to the sheet. If someone else changed the file, show both versions."""
        at, was = _first(form, "at"), _first(form, "was")
        text = _text_in(form, "text")
        try:
            file, line = self._opened(request, at)
        except HTTPException as err:
            return self._lost(request, form, str(err.detail))
        is_whole = text is not None
        if text is None:
            base = with_text(file, _text_in(form, "base") or "", self._section_types())
            base = file if was == file.fingerprint else base
            values = _values_in(form, base)
            try:
                text = edited_text(base, values, _text_in(form, "body"))
            except InputError as err:
                return self._page(request, file, line, status=_REFUSED, problem=str(err), body=_text_in(form, "body"))
        try:
            save_file(self._studio.config, self._folder(request), file, text, replaces=was)
        except ConflictError:
            return self._conflict(request, at, text)
        except InputError as err:
            return self._page(request, file, line, status=_REFUSED, problem=str(err), is_whole=True, text=text)
        return self._done(request, file, line, "saved", is_whole=is_whole)

    def undo(self, request: Request, form: Form) -> Response:
        """Undo the last edit of a file, if the file is still what the page showed. So a double click is one."""
        file, line = self._opened(request, _first(form, "at"))
        if _first(form, "was") != file.fingerprint:
            return self._page(request, file, line, status=_CONFLICT, problem=_NOT_AS_SHOWN)
        try:
            is_undone = undo_edit(self._studio.config, self._folder(request), file)
        except ConflictError:
            problem = "The file was changed elsewhere after your last edit here, so that edit cannot be undone."
            return self._page(request, file, line, status=_CONFLICT, problem=problem)
        except InputError as err:
            return self._page(request, file, line, status=_REFUSED, problem=str(err))
        return self._done(request, file, line, "undone" if is_undone else "nothing")

    def show_fix(self, request: Request) -> Response:
        """Return the sheet with a preview of a fix."""
        key = request.query_params.get("fix", "")
        file, line, fix = self._fix(request, request.query_params.get("at", ""), key)
        around = fix.around_in(file.text.split("\n")[line - 1])
        if around is None:
            raise HTTPException(404, "This problem no longer exists. Reload the page.\n")
        shown = Fix(old=visible(fix.old), new=visible(fix.new))
        return self._page(request, file, line, fix=shown, fix_key=key, around=around)

    def make_fix(self, request: Request, form: Form) -> Response:
        """Make a fix. The line must still be what the preview showed."""
        file, line, fix = self._fix(request, _first(form, "at"), _first(form, "fix"))
        try:
            text = fixed_text(file, line, fix)
            save_file(self._studio.config, self._folder(request), file, text, replaces=_first(form, "was"))
        except ConflictError:
            return self._page(request, file, line, status=_CONFLICT, problem=_NOT_AS_SHOWN)
        except InputError as err:
            return self._page(request, file, line, status=_REFUSED, problem=str(err))
        return self._done(request, file, line, "fixed")

    def open_editor(self, request: Request, form: Form) -> Response:
        """Open the file in the user's own editor."""
        file, line = self._opened(request, _first(form, "at"))
        try:
            open_in_editor(file.path.resolve(), line)
        except InputError as err:
            return self._page(request, file, line, status=_REFUSED, problem=f"{err}: {file.shown}:{line}")
        return self._done(request, file, line, "opened")

    async def add_image(self, request: Request) -> Response:
        """Save the image in the body. Return its name for the Markdown."""
        content = await request.body()
        folder = await run_in_threadpool(self._folder, request)
        try:
            name = await run_in_threadpool(add_picture, folder, request.query_params.get("name", ""), content)
        except InputError as err:
            return PlainTextResponse(f"{err}\n", status_code=_REFUSED)
        return PlainTextResponse(name)

    def _folder(self, request: Request) -> Path:
        folder = self._studio.proofs.issues().get(request.path_params["issue"])
        if folder is None:
            raise HTTPException(404, "There is no such issue.\n")
        return folder

    def _proof(self, request: Request) -> IssueProof:
        self._folder(request)
        return self._studio.proofs.proof(request.path_params["issue"])

    def _section_types(self) -> Mapping[str, SectionType]:
        return self._studio.proofs.theme.section_types

    def _opened(self, request: Request, at: str) -> tuple[EditableFile, int]:
        """Return the file at a place, and the line. Raise HTTPException if the issue has no such file."""
        folder, (shown, line) = self._folder(request), _place_in(at)
        config = self._studio.config
        choices = FormChoices(pictures=issue_pictures(folder), topics=config.settings.topics)
        try:
            file = open_file(config, folder, shown, section_types=self._section_types(), choices=choices)
        except InputError as err:
            raise HTTPException(404, f"{err}\n") from err
        return file, min(max(line, 1), file.text.count("\n") + 1)

    def _fix(self, request: Request, at: str, key: str) -> tuple[EditableFile, int, Fix]:
        """Return the fix of a problem that the issue has now. Raise HTTPException if it has no such problem."""
        file, line = self._opened(request, at)
        proof = self._proof(request)
        findings = proof.composed.findings if proof.composed else ()
        problems = [(mistake.place, mistake.fix) for mistake in proof.mistakes]
        problems += [(str(finding.place), finding.fix) for finding in findings]
        for place, fix in problems:
            if fix is not None and fix.key == key and place == f"{file.shown}:{line}":
                return file, line, fix
        raise HTTPException(404, "This problem no longer exists. Reload the page.\n")

    def _page(self, request: Request, file: EditableFile, line: int, *, status: int = 200, **shown: object) -> Response:
        """Return the page with the sheet. `shown` are the other fields of the `Sheet`."""
        steps = count_steps(self._studio.config, file.shown)
        sheet = replace(Sheet(file=file, line=line, title=title_of(file), steps=steps), **shown)
        issue = request.path_params["issue"]
        has_zone = any(field.control is Control.ZONE for field in every_field(file.fields))
        zones = sorted(available_timezones()) if has_zone else ()
        return page(self._studio, "editing.html.j2", status=status, issue=issue, sheet=sheet, zones=zones)

    def _conflict(self, request: Request, at: str, mine: str) -> Response:
        file, line = self._opened(request, at)
        theirs = differing_lines(file.text, mine)
        return self._page(request, file, line, status=_CONFLICT, is_whole=True, text=mine, theirs=theirs)

    def _lost(self, request: Request, form: Form, problem: str) -> Response:
        """Return the text of a form whose file no longer exists, so that it can be copied."""
        text = next((given for name in ("text", "body") if (given := _text_in(form, name)) is not None), "")
        values = {"issue": request.path_params["issue"], "problem": problem, "text": text}
        return page(self._studio, "editing_lost.html.j2", status=404, **values)

    def _done(self, request: Request, file: EditableFile, line: int, done: str, *, is_whole: bool = False) -> Response:
        query = {"at": f"{file.shown}:{line}", "done": done, **({"whole": "1"} if is_whole else {})}
        return RedirectResponse(f"edit?{urlencode(query)}", status_code=303)

    def _blocks(self, request: Request) -> Response:
        """Return the list of the blocks of an issue, each with a link to its sheet."""
        proof = self._proof(request)
        files = listed_files(proof)
        blocks: dict[str, list[ListedBlock]] = {shown: [] for shown in files}
        issue = proof.composed.issue if proof.composed else None
        if proof.composed is not None:
            for block in place_blocks(proof.composed, proof.composed.rendered.fullest).blocks:
                if block.place.path in blocks and block.words:
                    blocks[block.place.path].append(ListedBlock(words=block.words, place=str(block.place)))
        subject = issue.readable(issue.fields.subject) if issue else proof.issue
        values: dict[str, Any] = {"subject": subject, "files": files.values(), "blocks": blocks}
        return page(self._studio, "editing_blocks.html.j2", issue=proof.issue, **values)


def _first(form: Form, name: str) -> str:
    return form.get(name, ("",))[0]


def _text_in(form: Form, name: str) -> str | None:
    """Return a text with `\\n` at the end of each line, or None if the form has no such field."""
    if name not in form:
        return None
    return form[name][0].replace("\r\n", "\n").replace("\r", "\n")


def _values_in(form: Form, file: EditableFile) -> dict[str, Sequence[str]]:
    """Return the values of the fields by name. Boxes without a tick are empty."""
    values: dict[str, Sequence[str]] = {}
    for field in every_field(file.fields):
        name = f"{_KEY}{field.name}"
        given = form.get(name, ())
        if f"{_KEY}shown" not in form:
            continue
        if field.control is Control.MOMENT and f"{name}:day" in form:
            day, time = _first(form, f"{name}:day"), _first(form, f"{name}:time")
            given = [f"{day} {time}".strip()] if day else [""]
        if given or field.control in {Control.YES, Control.CHOICES}:
            values[field.name] = given
    return values


def _place_in(at: str) -> tuple[str, int]:
    """Return the path and the line of a place such as `letter.md:12`. Without a line, return the first."""
    path, _, line = at.rpartition(":")
    if path and line.isascii() and line.isdigit():
        return path, int(line[:9])
    return at, 1
