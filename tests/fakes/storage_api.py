"""Google Cloud Storage's JSON API, as far as its documentation describes uploads, downloads, lists and deletions.

It enforces the documented rules: a multipart upload has two parts, of which the first is the resource in JSON and the
second has its media type; `ifGenerationMatch=0` fails with 412 if the object exists; what is unknown is 404; lists come
in pages. https://cloud.google.com/storage/docs/json_api/v1/objects
"""

import base64
import hashlib
import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

_PAGE = 4  # objects in a page of a list; the API's own limit is 1,000


@dataclass(frozen=True, kw_only=True)
class StoredObject:
    """An object of a bucket."""

    content: bytes
    content_type: str
    cache_control: str | None
    generation: int


@dataclass
class StorageApi:
    """The server, for the length of a `with` block."""

    buckets: dict[str, dict[str, StoredObject]] = field(default_factory=dict)
    requests: list[tuple[str, str]] = field(default_factory=list)  # methods and paths
    generation: int = 1
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __enter__(self) -> "StorageApi":
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.api = self
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        """Its address, without a slash at the end."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    api: StorageApi

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes away is part of the tests."""


class _RefusedError(Exception):
    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def do_DELETE(self) -> None:
        self._answer()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Keeps quiet."""

    def _answer(self) -> None:
        api = self.server.api
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        url = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        with api.lock:
            api.requests.append((self.command, url.path))
            try:
                status, kind, content = self._result(url.path, query, body)
            except _RefusedError as err:
                error = {"error": {"code": err.status, "message": str(err)}}
                status, kind, content = err.status, "application/json", json.dumps(error).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _result(self, path: str, query: Mapping[str, str], body: bytes) -> tuple[int, str, bytes]:
        if self.command == "POST" and path.startswith("/upload/storage/v1/b/") and path.endswith("/o"):
            bucket = unquote(path.removeprefix("/upload/storage/v1/b/").removesuffix("/o"))
            return 200, "application/json", json.dumps(self._uploaded(bucket, query, body)).encode()
        _, _, rest = path.partition("/storage/v1/b/")
        bucket, found, name = rest.partition("/o")
        objects, name = self._bucket(unquote(bucket)), unquote(name.removeprefix("/"))
        if not found:
            raise _RefusedError(404, "Not Found")
        if not name and self.command == "GET":
            return 200, "application/json", json.dumps(self._listed(unquote(bucket), query)).encode()
        stored = objects.get(name)
        if stored is None:
            raise _RefusedError(404, f"No such object: {bucket}/{name}")
        if self.command == "DELETE":
            del objects[name]
            return 204, "application/json", b""
        if query.get("alt") == "media":
            return 200, stored.content_type, stored.content
        return 200, "application/json", json.dumps(_resource(unquote(bucket), name, stored)).encode()

    def _bucket(self, name: str) -> dict[str, StoredObject]:
        if name not in self.server.api.buckets:
            raise _RefusedError(404, "The specified bucket does not exist.")
        return self.server.api.buckets[name]

    def _uploaded(self, bucket: str, query: Mapping[str, str], body: bytes) -> dict[str, Any]:
        if query.get("uploadType") != "multipart":
            raise _RefusedError(400, "this double knows only multipart uploads")
        head = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
        parts = message_from_bytes(head + body).get_payload()
        if not isinstance(parts, list) or len(parts) != 2:
            raise _RefusedError(400, "Malformed multipart body.")
        resource = json.loads(parts[0].get_payload())
        objects, name = self._bucket(bucket), resource["name"]
        match = query.get("ifGenerationMatch")
        current = objects[name].generation if name in objects else 0
        if match is not None and int(match) != current:
            raise _RefusedError(412, "At least one of the pre-conditions you specified did not hold.")
        self.server.api.generation += 1
        objects[name] = stored = StoredObject(
            content=_content_of_last_part(self.headers["Content-Type"], body),
            content_type=resource.get("contentType") or str(parts[1]["Content-Type"]),
            cache_control=resource.get("cacheControl"),
            generation=self.server.api.generation,
        )
        return _resource(bucket, name, stored)

    def _listed(self, bucket: str, query: Mapping[str, str]) -> dict[str, Any]:
        prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
        names = sorted(name for name in self._bucket(bucket) if name.startswith(prefix))
        folders: set[str] = set()
        if delimiter:
            folders = {
                prefix + name.removeprefix(prefix).partition(delimiter)[0] + delimiter
                for name in names
                if delimiter in name.removeprefix(prefix)
            }
            names = [name for name in names if delimiter not in name.removeprefix(prefix)]
        start = int(query.get("pageToken", 0))
        page = names[start : start + _PAGE]
        answer: dict[str, Any] = {
            "kind": "storage#objects",
            "items": [_resource(bucket, name, self._bucket(bucket)[name]) for name in page],
        }
        if folders and not start:
            answer["prefixes"] = sorted(folders)
        if start + _PAGE < len(names):
            answer["nextPageToken"] = str(start + _PAGE)
        return answer


def _content_of_last_part(content_type: str, body: bytes) -> bytes:
    """The bytes of the second part; a parser of emails would change its line ends."""
    boundary = b"--" + content_type.partition("boundary=")[2].strip('"').encode()
    second = body.index(boundary, body.index(boundary) + len(boundary))
    return body[body.index(b"\n\n", second) + 2 : body.rindex(b"\n" + boundary + b"--")]


def _resource(bucket: str, name: str, stored: StoredObject) -> dict[str, Any]:
    resource = {
        "kind": "storage#object",
        "bucket": bucket,
        "name": name,
        "size": str(len(stored.content)),
        "generation": str(stored.generation),
        "metageneration": "1",
        "contentType": stored.content_type,
        "md5Hash": base64.b64encode(hashlib.md5(stored.content).digest()).decode(),
        "updated": "2026-12-01T00:00:00.000Z",
        "timeCreated": "2026-12-01T00:00:00.000Z",
    }
    return resource | ({"cacheControl": stored.cache_control} if stored.cache_control else {})
