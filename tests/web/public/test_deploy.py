"""The examples in deploy/: what the web servers really do with requests, and that the unit is the one we write."""

import http.server
import os
import re
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path

import pytest
import trustme

from newsletter.checks.network.names import Names
from newsletter.checks.network.web import Web
from newsletter.config import Config, load_config
from newsletter.model.diagnosis import Health
from newsletter.store.service import service_key
from newsletter.workflows.doctor import web_server
from newsletter.workflows.doctor.web_server import service_items
from newsletter.workflows.serve.unit import ServicePlace, unit_text
from tests.store.builders import NOW
from tests.web.public.conftest import ServedPages
from tests.workspaces import CONFIG, write_workspace

TOP = Path(__file__).parents[3]
DEPLOY, UNPACKED = TOP / "deploy", TOP / "build" / "web-servers" / "usr"
HOST = "news.example.org"
CLICK = b"List-Unsubscribe=One-Click"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@dataclass
class Proxy:
    """A web server that runs with one of the examples, in front of a service."""

    https: int
    http: int
    trust: ssl.SSLContext

    @contextmanager
    def connection(self, *, is_secure: bool = True) -> Iterator[socket.socket]:
        """An open connection, as a client of the internet would have it."""
        with socket.create_connection(("127.0.0.1", self.https if is_secure else self.http), timeout=20) as plain:
            if not is_secure:
                yield plain
                return
            with self.trust.wrap_socket(plain, server_hostname=HOST) as secure:
                yield secure

    def ask(
        self, method: str, path: str, body: bytes | None = None, *, is_secure: bool = True, **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        """One request. An underscore in a header's name stands for a dash."""
        with self.connection(is_secure=is_secure) as stream:
            connection = HTTPConnection(HOST)
            connection.sock = stream
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, body, {**FORM, **named} if body is not None else named)
            answer: HTTPResponse = connection.getresponse()
            return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def command_of(name: str) -> str:
    found = shutil.which(name) or shutil.which(name, path=f"{UNPACKED / 'bin'}:{UNPACKED / 'sbin'}")
    if found is None:
        pytest.skip(f"{name} is not on this machine; scripts/unpack-web-servers unpacks it")
    return found


def replaced(text: str, *pairs: tuple[str, str]) -> str:
    for old, new in pairs:
        assert old in text, f"the example has no {old!r}"
        text = text.replace(old, new)
    return text


def caddy(folder: Path, upstream: int, ports: tuple[int, int], hurry: str) -> list[str]:
    """The example for Caddy, with our ports and our certificate."""
    text = replaced(
        (DEPLOY / "Caddyfile").read_text(),
        ("{\n\t# The block", "{\n\tadmin off\n\t# The block"),
        (f"\n{HOST} {{", f"\nhttps://{HOST}:{ports[0]} {{\n\tbind 127.0.0.1\n\ttls {folder}/cert.pem {folder}/key.pem"),
        (f"http://{HOST} {{", f"http://{HOST}:{ports[1]} {{\n\tbind 127.0.0.1"),
        ("127.0.0.1:8080", f"127.0.0.1:{upstream}"),
        ("read_header 10s", f"read_header {hurry or '10s'}"),
        ("read_body 30s", f"read_body {hurry or '30s'}"),
    )
    (folder / "Caddyfile").write_text(text)
    return [command_of("caddy"), "run", "--config", f"{folder}/Caddyfile", "--adapter", "caddyfile"]


def nginx(folder: Path, upstream: int, ports: tuple[int, int], hurry: str) -> list[str]:
    """The example for nginx, with our ports and our certificate, inside the smallest configuration around it."""
    text = replaced(
        re.sub(r"\n *listen \[::\]:.*", "", (DEPLOY / "nginx.conf").read_text()),
        ("listen 443", f"listen 127.0.0.1:{ports[0]}"),
        ("listen 80", f"listen 127.0.0.1:{ports[1]}"),
        (f"/etc/letsencrypt/live/{HOST}/fullchain.pem", f"{folder}/cert.pem"),
        (f"/etc/letsencrypt/live/{HOST}/privkey.pem", f"{folder}/key.pem"),
        ("127.0.0.1:8080", f"127.0.0.1:{upstream}"),
        ("_timeout 10s", f"_timeout {hurry or '10s'}"),
    )
    places = "".join(
        f"{name}_temp_path {folder}/{name};\n" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    user = "user root;" if os.geteuid() == 0 else ""
    around = (
        f"{user}\ndaemon off;\npid {folder}/nginx.pid;\nerror_log stderr;\nevents {{}}\nhttp {{\n{places}{text}\n}}\n"
    )
    (folder / "nginx.conf").write_text(around)
    return [command_of("nginx"), "-e", "stderr", "-p", str(folder), "-c", f"{folder}/nginx.conf"]


Example = Callable[[Path, int, tuple[int, int], str], list[str]]
EXAMPLES: dict[str, Example] = {"caddy": caddy, "nginx": nginx}


@pytest.fixture(params=EXAMPLES)
def example(request: pytest.FixtureRequest) -> Example:
    return EXAMPLES[request.param]


@contextmanager
def running(example: Example, folder: Path, upstream: int, *, hurry: str = "") -> Iterator[Proxy]:
    """The web server with its example; `hurry` replaces the deadlines for requests."""
    folder.mkdir()
    authority = trustme.CA()
    leaf = authority.issue_cert(HOST, "127.0.0.1")
    authority.cert_pem.write_to_path(folder / "authority.pem")
    leaf.cert_chain_pems[0].write_to_path(folder / "cert.pem")
    leaf.private_key_pem.write_to_path(folder / "key.pem")
    trust = ssl.create_default_context()
    authority.configure_trust(trust)
    ports = free_port(), free_port()
    command = example(folder, upstream, ports, hurry)
    told = folder / "told"
    with told.open("wb") as output:
        process = subprocess.Popen(
            command,
            stdout=output,
            stderr=output,
            env={"PATH": os.environ["PATH"], "HOME": str(folder), "XDG_DATA_HOME": str(folder)},
        )
    try:
        _await(ports, process, told)
        yield Proxy(*ports, trust)
    finally:
        process.terminate()
        process.wait(20)


def _await(ports: tuple[int, int], process: subprocess.Popen[bytes], told: Path) -> None:
    for port in ports:
        for _ in range(200):
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                break
            assert process.poll() is None, told.read_text()
            time.sleep(0.05)
        else:
            pytest.fail(f"nothing listens on {port}: {told.read_text()}")


@dataclass
class Upstream:
    """A service that only remembers what the proxy passes on."""

    port: int = 0
    seen: list[tuple[str, str, dict[str, list[str]]]] = field(default_factory=list)


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    kept = Upstream()

    class Remembers(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            named = {name.lower(): self.headers.get_all(name) or [] for name in self.headers}
            size = int(self.headers.get("Content-Length", 0))
            if len(self.rfile.read(size)) < size:  # the proxy gave up on the client
                return
            kept.seen.append((self.command, self.path, named))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_POST = do_GET  # noqa: N815 - the library's name

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Remembers) as server:
        kept.port = server.server_port
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield kept
        server.shutdown()
        thread.join()


def test_one_click_goes_through(example: Example, served: ServedPages, tmp_path: Path) -> None:
    with running(example, tmp_path / "proxy", served.port) as proxy:
        status, headers, _ = proxy.ask("POST", served.link("ana@example.org"), CLICK)
        assert (status, "location" in headers, "set-cookie" in headers) == (200, False, False)
        assert served.has_left("ana@example.org")
        status, _, page = proxy.ask("GET", served.link("bo@example.org") + "/")
        assert status == 200
        assert b"<form" in page
        assert not served.has_left("bo@example.org")


@pytest.mark.parametrize("claim", ["6.6.6.6", "6.6.6.6, 9.9.9.9", "<script>", ""])
def test_what_a_client_claims_to_be_is_not_passed_on(
    example: Example, upstream: Upstream, tmp_path: Path, claim: str
) -> None:
    with running(example, tmp_path / "proxy", upstream.port) as proxy:
        proxy.ask("GET", "/u/x?y=1", X_Forwarded_For=claim, X_Forwarded_Proto="http")
        ((method, path, headers),) = upstream.seen
        assert (method, path) == ("GET", "/u/x?y=1")
        assert headers["x-forwarded-for"] == ["127.0.0.1"]
        assert headers["x-forwarded-proto"] == ["https"]
        assert headers["host"] == [HOST]


def test_without_encryption_a_page_is_redirected_and_a_post_is_refused(
    example: Example, upstream: Upstream, tmp_path: Path
) -> None:
    with running(example, tmp_path / "proxy", upstream.port) as proxy:
        status, headers, _ = proxy.ask("GET", "/u/7-x?y=1", is_secure=False)
        assert (status, headers["location"]) == (301, f"https://{HOST}/u/7-x?y=1")
        status, headers, _ = proxy.ask("POST", "/u/7-x", CLICK, is_secure=False)
        assert (status, "location" in headers) == (403, False)
        assert upstream.seen == []


def test_a_body_that_is_too_large_does_not_reach_the_service(
    example: Example, upstream: Upstream, tmp_path: Path
) -> None:
    with running(example, tmp_path / "proxy", upstream.port) as proxy:
        try:
            status, _, _ = proxy.ask("POST", "/events/sendgrid", b"x" * 2_200_000)
        except (ConnectionError, ssl.SSLError):
            status = 413  # it was refused before it was read to its end
        assert status in {413, 502}
        assert upstream.seen == []


@pytest.mark.parametrize(
    "half",
    [
        f"GET /u/x HTTP/1.1\r\nHost: {HOST}\r\nX-Half: ",
        f"POST /u/x HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: text/plain\r\nContent-Length: 26\r\n\r\nList",
    ],
    ids=["head", "body"],
)
def test_half_a_request_is_let_go(example: Example, upstream: Upstream, tmp_path: Path, half: str) -> None:
    with running(example, tmp_path / "proxy", upstream.port, hurry="1s") as proxy, proxy.connection() as stream:
        stream.sendall(half.encode())
        with suppress(ConnectionError, ssl.SSLError):
            while stream.recv(4096):  # fails after 20 seconds: no deadline
                pass


def test_the_deadlines_are_what_the_service_expects() -> None:
    caddy_text, nginx_text = (DEPLOY / "Caddyfile").read_text(), (DEPLOY / "nginx.conf").read_text()
    assert "read_header 10s" in caddy_text
    assert "read_body 30s" in caddy_text
    assert nginx_text.count("client_header_timeout 10s;") == nginx_text.count("client_body_timeout 10s;") == 2
    assert "proxy_read_timeout 30s;" in nginx_text
    assert "$proxy_add_x_forwarded_for" not in nginx_text  # it would pass on what the client claims
    assert nginx_text.count("access_log off;") == 2


def seen_by_doctor(config: Config) -> dict[str, Health]:
    """What the doctor says about the service at an address."""
    web = Web(Names(None), agent="doctor")
    return {item.id: item.health for item in service_items(config, web, now=NOW)}


@pytest.mark.parametrize(
    ("spoil", "proxy_health", "deadlines_health"),
    [
        (("", ""), Health.OK, Health.OK),
        (("X-Forwarded-For $remote_addr", "X-Forwarded-For $http_x_forwarded_for"), Health.ERROR, Health.OK),
        (("client_header_timeout 1s", "client_header_timeout 60s"), Health.OK, Health.WARNING),
    ],
)
def test_the_doctor_sees_what_the_web_server_does(
    served: ServedPages,
    location: Path | str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    spoil: tuple[str, str],
    proxy_health: Health,
    deadlines_health: Health,
) -> None:
    service_key(served.database)
    monkeypatch.setattr(web_server, "_SECONDS_TO_LET_GO", 4.0)

    def spoiled(folder: Path, upstream: int, ports: tuple[int, int], hurry: str) -> list[str]:
        command = nginx(folder, upstream, ports, hurry)
        path = folder / "nginx.conf"
        path.write_text(path.read_text().replace(*spoil))
        return command

    with running(spoiled, tmp_path / "proxy", served.port, hurry="1s") as proxy:
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "proxy" / "authority.pem"))
        kept = f"sqlite:///{location}" if isinstance(location, Path) else location
        text = CONFIG.replace(f"https://{HOST}", f"https://127.0.0.1:{proxy.https}")
        settings = f'{text}\n[database]\nurl = "{kept}"\n'
        config = load_config(write_workspace(tmp_path / "ws", {"newsletter.toml": settings}))
        assert seen_by_doctor(config) == {
            "service": Health.OK,
            "proxy": proxy_health,
            "deadlines": deadlines_health,
        }
        # Without the key of the database, a client learns nothing.
        _, headers, body = proxy.ask("GET", "/healthz", Newsletter_Probe="1771488000.AAAAAAAAAAAAAAAAAAAAAA")
        assert body == b"ok\n"
        assert "newsletter-client" not in headers


def test_the_unit_in_deploy_is_the_one_that_is_written(tmp_path: Path) -> None:
    settings = CONFIG.replace("Small Letter", "Our newsletter")
    config = load_config(write_workspace(tmp_path, {"newsletter.toml": settings}))
    place = ServicePlace(
        workspace=Path("/srv/newsletter"),
        user="newsletter",
        command=Path("/opt/newsletter/bin/newsletter"),
        needed=(Path("/opt/newsletter"),),
    )
    assert (DEPLOY / "newsletter.service").read_text() == unit_text(config, place)


def test_the_container_file_copies_what_exists_and_runs_as_no_one_special() -> None:
    lines = (DEPLOY / "Containerfile").read_text().splitlines()
    copied = [line.split()[1:-1] for line in lines if line.startswith("COPY") and "--from" not in line]
    assert all((TOP / name).exists() for names in copied for name in names)
    assert "USER 10001:10001" in lines
    assert 'ENTRYPOINT ["newsletter"]' in lines  # without a shell, so that the program gets SIGTERM
    assert any(line.startswith("HEALTHCHECK") and "/healthz" in line for line in lines)
