"""Serve the archive from its folder, if it is published to one: at the path of `[archive] url`, or on its own host."""

from pathlib import Path
from urllib.parse import quote, urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Host, Mount, Route, Router

from newsletter.destinations.site_kinds import headers_of
from newsletter.errors import InputError
from newsletter.model.site_addresses import NOT_FOUND
from newsletter.system.contained import plain_parts
from newsletter.web.public.service import Service

# Unlike the pages for subscribers, these have scripts: the search, which is WebAssembly, and the times of events.
_POLICY = (
    "default-src 'self'; img-src 'self' https: data:; script-src 'self' 'unsafe-inline' 'wasm-unsafe-eval'; "
    "style-src 'self' 'unsafe-inline'; worker-src 'self' blob:; form-action https:; base-uri 'none'; "
    "frame-ancestors 'none'"
)


def archive_host(service: Service) -> str:
    """Return the host of the archive if the service serves it, or an empty string."""
    archive = service.config.settings.archive
    if archive is None or archive.to is None or "://" in archive.to:
        return ""
    return urlsplit(archive.url).hostname or ""


def routes(service: Service) -> list[BaseRoute]:
    """Return the routes of the archive. On the host of the service, its address needs a path of its own."""
    archive, host = service.config.settings.archive, archive_host(service)
    if archive is None or archive.to is None or not host:
        return []
    path = urlsplit(archive.url).path
    pages = _Files(service.config.root / archive.to)
    files = Route("/{path:path}", pages.show)
    if host != urlsplit(service.origin).hostname:
        router = Router([Mount(path, routes=[files])] if path else [files], redirect_slashes=False)
        return [Host(host, app=router)]
    return [Mount(path, routes=[files])] if path else []


class _Files:
    """The published files."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def show(self, request: Request) -> Response:
        """Answer with a file, a redirect to the address of a page with its slash, or the page for wrong addresses."""
        return await run_in_threadpool(self._answer, request)

    def _answer(self, request: Request) -> Response:
        path = str(request.path_params["path"]).rstrip("/")
        # The service takes a slash from the end of each path (`ProtectiveHeaders`), which here means a page.
        is_page = request.scope.get("raw_path", b"").partition(b"?")[0].endswith(b"/")
        name = f"{path}/index.html".removeprefix("/") if is_page or not path else path
        if (file := self._file(name)) is not None:
            return _response(request, file, name)
        if self._file(f"{name}/index.html") is not None:
            return Response(status_code=301, headers={"Location": f"{quote(path.rpartition('/')[2])}/"})
        missing = self._file(NOT_FOUND)
        content = missing.read_bytes() if missing else b""
        return Response(content, status_code=404, headers={"Content-Type": headers_of(NOT_FOUND).content_type})

    def _file(self, name: str) -> Path | None:
        """Return a file of the archive, or None if there is none. Hidden files and links are not served."""
        try:
            parts = plain_parts(name)
        except InputError:
            return None
        path = self._folder.joinpath(*parts)
        is_plain = not any(part.startswith(".") for part in parts)
        inside = is_plain and path.is_file() and path.resolve().is_relative_to(self._folder.resolve())
        return path if inside else None


def _response(request: Request, file: Path, name: str) -> Response:
    headers = headers_of(name)
    response = FileResponse(
        file,
        headers={
            "Content-Type": headers.content_type,
            "Cache-Control": headers.cache_control,
            "Content-Security-Policy": _POLICY,
        },
        stat_result=file.stat(),
    )
    if request.headers.get("if-none-match") == response.headers["etag"]:
        kept = {key: response.headers[key] for key in ("etag", "cache-control")}
        return Response(status_code=304, headers=kept)
    return response
