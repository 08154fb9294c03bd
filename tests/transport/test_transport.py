"""The transport: what leaves, what comes back, what goes wrong in between, and Intercom's rate limit."""

from __future__ import annotations

import base64
import gzip
import heapq
import io
import itertools
import json
import logging
import os
import random
import socket
import socketserver
import ssl
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from email.message import Message
from email.parser import BytesParser
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest

from segment_intercom import Settings, SettingsError, TransportError
from segment_intercom.transport import HttpTransport, Operation, Reply
from segment_intercom.transport.connection import IDLE
from segment_intercom.transport.http import LARGEST_ANSWER, target
from segment_intercom.transport.rate_limit import RateLimitHeaders, RateWindow, read_headers
from segment_intercom.transport.rate_limiter import RateLimiter

TOKEN = "not-a-real-token"
TRACK = Operation("POST", "/events", {"event_name": "Signed Up", "created_at": 1, "user_id": "ann@example.com"})
READ = Operation("GET", "/contacts/find_by_external_id/ann%40example.com")

# For 127.0.0.1 and api.example.test, signed by itself; nothing else trusts it.
CERTIFICATE = """\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgNvj6V75ydH/hJZc/
g+ucU0++twWQESk0/c6FpkTFQtGhRANCAASeumDsUupI9ERDepTWVxp8gfhhBgZV
W2i43FzG9vBqjKAwNtWQ5jE8yN4/fQWbvitE8+azJlm/3+fYSOHUr8UO
-----END PRIVATE KEY-----
-----BEGIN CERTIFICATE-----
MIIBmTCCAT6gAwIBAgIULxO1mZx2DhlnubJStbQvsN6EqugwCgYIKoZIzj0EAwIw
DzENMAsGA1UEAwwEdGVzdDAgFw0yNjExMjQxNjI1MDJaGA8yMTI2MTAzMTE2MjUw
MlowDzENMAsGA1UEAwwEdGVzdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABJ66
YOxS6kj0REN6lNZXGnyB+GEGBlVbaLjcXMb28GqMoDA21ZDmMTzI3j99BZu+K0Tz
5rMmWb/f59hI4dSvxQ6jdjB0MB0GA1UdDgQWBBQHHCwRWd4KqroU7IQqgwyFsBT3
4jAfBgNVHSMEGDAWgBQHHCwRWd4KqroU7IQqgwyFsBT34jAhBgNVHREEGjAYghBh
cGkuZXhhbXBsZS50ZXN0hwR/AAABMA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZIzj0E
AwIDSQAwRgIhAPnRJPcpOIToVSMZN7EkZFV6zdH0L9gX/zdGGsKjGbrCAiEA5oBA
mltSYtwwNTTy9CqNDXYPC98eCZRpmZbsspP/4CM=
-----END CERTIFICATE-----
"""


@dataclass(frozen=True)
class Asked:
    """One request that arrived, and the number of the connection on which it did."""

    connection: int
    line: str
    headers: Message
    body: bytes


# The bytes of an answer, at once or in pieces; None hangs up.
Answers = Callable[[Asked], bytes | Iterable[bytes] | None]


@dataclass
class Peer:
    """A server whose every byte the test chooses."""

    answers: Answers
    tls: ssl.SSLContext | None = None
    resets: bool = False  # whether it hangs up in the rude way
    asked: list[Asked] = field(default_factory=list)
    address: str = ""
    is_left: threading.Event = field(default_factory=threading.Event)
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def talk(self, connection: Any) -> None:
        number = next(self._numbers)
        if self.resets:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        with connection, connection.makefile("rb") as reader:
            while (request := _read_request(reader, number)) and (answer := self._answer(request)) is not None:
                for piece in [answer] if isinstance(answer, bytes) else answer:
                    connection.sendall(piece)
                if request.line.startswith("CONNECT") and self.tls:
                    self.talk(self.tls.wrap_socket(connection, server_side=True))
                    break
        self.is_left.set()

    def _answer(self, request: Asked) -> bytes | Iterable[bytes] | None:
        self.asked.append(request)
        return self.answers(request)


def _read_request(reader: io.BufferedReader, number: int) -> Asked | None:
    line = reader.readline().decode()
    if not line:
        return None
    head = b"".join(iter(reader.readline, b"\r\n"))
    headers = BytesParser().parsebytes(head)
    return Asked(number, line.strip(), headers, reader.read(int(headers.get("Content-Length", 0))))


@contextmanager
def listening(peer: Peer, *, tls_at_once: bool = False) -> Iterator[Peer]:
    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            wrap = peer.tls.wrap_socket if tls_at_once and peer.tls else lambda connection, **_: connection
            try:
                peer.talk(wrap(self.request, server_side=True))
            except OSError:  # the client hung up, which is its right
                self.request.close()

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        block_on_close = False
        request_queue_size = 64

    with Server(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        peer.address = f"{'https' if tls_at_once else 'http'}://127.0.0.1:{server.server_address[1]}"
        yield peer
        server.shutdown()


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as opened:
        yield opened


@pytest.fixture
def listen(stack: ExitStack) -> Callable[..., Peer]:
    return lambda *arguments, **more: stack.enter_context(listening(Peer(*arguments), **more))


@pytest.fixture
def connect(stack: ExitStack) -> Callable[..., HttpTransport]:
    """A transport that is closed when the test ends: ``connect(address, timeout=0.2)``."""

    def connected(address: str, *, connections: int = 4, timeout: float = 10.0, **options: Any) -> HttpTransport:
        settings = Settings(api_url=address, **{"access_token": TOKEN, **options})
        transport = HttpTransport(settings, connections=connections, timeout=timeout)
        stack.callback(transport.close)
        return transport

    return connected


@pytest.fixture(autouse=True)
def _no_proxy_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def tls(tmp_path: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate_in(tmp_path))
    return context


def certificate_in(folder: Path) -> str:
    path = folder / "certificate.pem"
    path.write_text(CERTIFICATE)
    return str(path)


def answer(body: bytes = b"{}", status: str = "200 OK", **headers: str) -> bytes:
    """The bytes of an answer; ``X_RateLimit_Limit="9"`` gives a header."""
    fields = {"Content-Length": str(len(body)), **{name.replace("_", "-"): value for name, value in headers.items()}}
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"HTTP/1.1 {status}\r\n{lines}\r\n".encode() + body


def cut(start: bytes) -> Iterator[bytes]:
    """The start of an answer, and then the end of the connection."""
    yield start
    raise ConnectionAbortedError


def limits(limit: int, remaining: int, reset: int, date: float) -> dict[str, str]:
    values = {"Limit": str(limit), "Remaining": str(remaining), "Reset": str(reset)}
    return {"Date": formatdate(int(date), usegmt=True)} | {f"X-RateLimit-{name}": text for name, text in values.items()}


def in_threads(count: int, work: Callable[[], None]) -> None:
    threads = [threading.Thread(target=work) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


# What leaves


def test_request_carries_credentials_and_version(listen: Any, connect: Any) -> None:
    peer = listen(lambda asked: answer(status="202 Accepted", body=b""))
    assert connect(peer.address + "/rest").send(TRACK) == Reply(202)
    asked = peer.asked[0]
    assert asked.line == "POST /rest/events HTTP/1.1"
    assert asked.headers["Authorization"] == f"Bearer {TOKEN}"
    assert asked.headers["Intercom-Version"] == "2.16"
    assert asked.headers["User-Agent"].startswith("segment-intercom/0.")
    assert (asked.headers["Accept"], asked.headers["Content-Type"]) == ("application/json",) * 2
    assert json.loads(asked.body) == TRACK.body
    assert ":path" not in asked.headers


@pytest.mark.parametrize(
    ("address", "warned"),
    [("http://api.example.com", True), ("http://127.0.0.1:9", False), ("https://api.example.com", False)],
)
def test_token_over_remote_http_warns(address: str, warned: bool, caplog: Any) -> None:
    HttpTransport(Settings(access_token=TOKEN, api_url=address)).close()
    assert any("unencrypted" in record.getMessage() for record in caplog.records) is warned
    assert TOKEN not in caplog.text


def test_legacy_key_uses_basic_authorization(listen: Any, connect: Any) -> None:
    peer = listen(lambda asked: answer())
    connect(peer.address, access_token=None, app_id="abc12345", api_key="k" * 40).send(READ)
    assert peer.asked[0].headers["Authorization"] == "Basic YWJjMTIzNDU6" + "a2tr" * 13 + "aw=="
    assert "Content-Type" not in peer.asked[0].headers


@pytest.mark.parametrize(
    "credentials", [{}, {"api_key": "k" * 40}, {"access_token": "a\nb"}, {"access_token": "schlüssel"}]
)
def test_missing_or_bad_credentials_are_refused(credentials: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match="access_token: ") as caught:
        HttpTransport(Settings(**credentials))  # type: ignore[arg-type]
    assert "schl" not in str(caught.value)


@pytest.mark.parametrize(
    ("path", "sent"),
    [
        ("/contacts/find_by_external_id/a%2Fb%3Fc", "/contacts/find_by_external_id/a%2Fb%3Fc"),
        ("/contacts/Zoë 100%#1", "/contacts/Zo%C3%AB%20100%25%231"),
        ("/data_attributes?model=contact", "/data_attributes?model=contact"),
        ("/x\r\nHost: evil\ud800", "/x%0D%0AHost:%20evil%5Cud800"),
    ],
)
def test_path_escapes_unsafe_characters_once(path: str, sent: str) -> None:
    assert target(path) == sent


# What comes back


@pytest.mark.parametrize(
    ("body", "read"),
    [(b'{"id": "x"}', {"id": "x"}), (b"", None), (b"<h1>Bad gateway</h1>", None), (b" " * (LARGEST_ANSWER + 1), None)],
)
def test_a_body_is_json_or_nothing(listen: Any, connect: Any, body: bytes, read: Any) -> None:
    peer = listen(lambda asked: answer(body, "502 Bad Gateway"))
    assert connect(peer.address).send(READ) == Reply(502, read)


@pytest.mark.parametrize("body", [b"<h1>Please log in</h1>", b"\n Welcome", b"\xff"])
def test_success_without_json_is_error(listen: Any, connect: Any, body: bytes) -> None:
    peer = listen(lambda asked: answer(body))
    with pytest.raises(TransportError, match="answered 200 with a body that is not JSON; see whether a proxy"):
        connect(peer.address).send(TRACK)


def test_an_endless_answer_is_cut(listen: Any, connect: Any) -> None:
    chunk = b"10000\r\n" + b" " * 65536 + b"\r\n"
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    peer = listen(lambda asked: itertools.chain([head], itertools.repeat(chunk)))
    assert connect(peer.address).send(READ) == Reply(200)


def test_a_compressed_answer_is_read(listen: Any, connect: Any) -> None:
    peer = listen(lambda asked: answer(gzip.compress(b'{"id": "x"}'), Content_Encoding="gzip"))
    assert connect(peer.address).send(READ) == Reply(200, {"id": "x"})
    assert peer.asked[0].headers["Accept-Encoding"] == "gzip"


def test_redirect_is_returned_not_followed(listen: Any, connect: Any) -> None:
    peer = listen(lambda asked: answer(status="302 Found", Location="/elsewhere"))
    assert connect(peer.address).send(READ).status == 302
    assert len(peer.asked) == 1


# Connections


def test_one_thread_needs_one_connection(listen: Any, connect: Any) -> None:
    bodies = itertools.cycle([b"{}", b"", b"[" * 70_000])
    peer = listen(lambda asked: answer(next(bodies)))
    transport = connect(peer.address)
    for _ in range(6):
        transport.send(TRACK)
    assert {asked.connection for asked in peer.asked} == {0}


def test_threads_share_the_connections(listen: Any, connect: Any) -> None:
    peer = listen(lambda asked: answer())
    transport = connect(peer.address, connections=4)
    transport.send(READ)
    in_threads(4, lambda: [transport.send(TRACK) for _ in range(10)] and None)
    assert len(peer.asked) == 41
    assert len({asked.connection for asked in peer.asked}) <= 4


def test_idle_connection_death_is_retried(listen: Any, connect: Any) -> None:
    """Here the server hangs up only once it has read the request, as when the two cross on their way."""
    peer = listen(lambda asked: None if (asked.connection, len(peer.asked)) == (0, 2) else answer())
    transport = connect(peer.address)
    assert [transport.send(TRACK).status for _ in range(3)] == [200, 200, 200]
    assert [asked.connection for asked in peer.asked] == [0, 0, 1, 1]


def test_connection_dying_twice_raises_error(listen: Any, connect: Any) -> None:
    """An idle death is retried once; when the new connection breaks too, the call fails."""
    peer = listen(lambda asked: answer() if len(peer.asked) == 1 else None)
    transport = connect(peer.address)
    transport.send(READ)
    with pytest.raises(TransportError, match=r"^127\.0\.0\.1: the connection broke"):
        transport.send(TRACK)
    assert len(peer.asked) == 3


@pytest.mark.parametrize("start", [None, b"HTTP/1.1 20", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"])
def test_possibly_delivered_request_is_not_resent(listen: Any, connect: Any, start: bytes | None) -> None:
    """A new connection that breaks, and a used one that breaks within the answer."""
    peer = listen(lambda asked: answer() if start and len(peer.asked) == 1 else cut(start or b""))
    transport = connect(peer.address)
    if start:
        transport.send(READ)
    with pytest.raises(TransportError, match="the connection broke"):
        transport.send(TRACK)
    assert len(peer.asked) == (2 if start else 1)


def test_reset_within_answer_is_not_retried(listen: Any, connect: Any) -> None:
    peer = listen(lambda asked: answer() if len(peer.asked) == 1 else cut(b"HTTP/1.1 200 OK\r\nX: "), None, True)
    transport = connect(peer.address)
    transport.send(READ)
    with pytest.raises(TransportError, match="the connection broke"):
        transport.send(TRACK)
    assert len(peer.asked) == 2


def test_long_idle_connection_is_replaced(listen: Any, connect: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    peer = listen(lambda asked: answer())
    transport = connect(peer.address)
    transport.send(READ)
    now = time.monotonic
    monkeypatch.setattr(time, "monotonic", lambda: now() + IDLE)
    transport.send(READ)
    assert [asked.connection for asked in peer.asked] == [0, 1]


def test_child_process_opens_own_connections(listen: Any, connect: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    peer = listen(lambda asked: answer())
    transport = connect(peer.address)
    transport.send(READ)
    with monkeypatch.context() as child:
        child.setattr(os, "getpid", lambda: 1)
        transport.send(READ)
        transport.send(READ)
    assert [asked.connection for asked in peer.asked] == [0, 1, 1]


# What goes wrong


def test_silent_server_times_out(listen: Any, connect: Any, stack: ExitStack) -> None:
    over = threading.Event()
    stack.callback(over.set)
    peer = listen(lambda asked: over.wait() and None)
    with pytest.raises(TransportError, match=r"^127\.0\.0\.1: timed out after 0\.2 s$"):
        connect(peer.address, timeout=0.2).send(TRACK)


@pytest.mark.parametrize("head", [b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n"])
def test_a_server_that_drips_times_out(listen: Any, connect: Any, stack: ExitStack, head: bytes) -> None:
    over = threading.Event()
    stack.callback(over.set)
    peer = listen(lambda asked: itertools.chain([head], iter(lambda: b"x" if not over.wait(0.02) else b"", b"")))
    with pytest.raises(TransportError, match="timed out"):
        connect(peer.address, timeout=0.3).send(TRACK)


def test_nobody_at_the_address(listen: Any, connect: Any) -> None:
    with listening(Peer(lambda asked: None)) as peer:
        address = peer.address
    with pytest.raises(TransportError, match=r"^127\.0\.0\.1: connection refused$"):
        connect(address).send(TRACK)


def test_slow_connecting_times_out(connect: Any, stack: ExitStack) -> None:
    listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
    place = listener.getsockname()
    stack.enter_context(socket.create_connection(place))  # the only one that there is room for
    with pytest.raises(TransportError, match=r"^127\.0\.0\.1: timed out"):
        connect(f"http://127.0.0.1:{place[1]}", timeout=0.3).send(TRACK)


def test_an_unknown_name(connect: Any) -> None:
    with pytest.raises(TransportError, match=r"^nowhere\.invalid: the name is not resolved"):
        connect("http://nowhere.invalid").send(TRACK)


def test_untrusted_certificate_is_refused(listen: Any, connect: Any, tls: ssl.SSLContext) -> None:
    peer = listen(lambda asked: answer(), tls, tls_at_once=True)
    with pytest.raises(TransportError, match=r"certificate not trusted \(self.signed certificate\); SSL_CERT_FILE"):
        connect(peer.address).send(TRACK)
    assert peer.asked == []


def test_trusted_certificate_connection_is_reused(
    listen: Any, connect: Any, tls: ssl.SSLContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", certificate_in(tmp_path))
    peer = listen(lambda asked: answer(), tls, tls_at_once=True)
    transport = connect(peer.address)
    assert [transport.send(TRACK).status for _ in range(2)] == [200, 200]
    assert [asked.connection for asked in peer.asked] == [0, 0]


def test_errors_and_logs_hide_secrets(listen: Any, connect: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    peer = listen(lambda asked: answer(b'{"email": "ann@example.com"}') if len(peer.asked) == 1 else None)
    transport = connect(peer.address)
    told = [repr(transport.send(READ)), repr(transport)]
    for operation in (READ, TRACK):
        with pytest.raises(TransportError) as caught:
            transport.send(operation)
        told += [str(caught.value), repr(caught.value)]
        assert caught.value.__suppress_context__
    for secret in (TOKEN, "ann", "Signed Up"):
        assert secret not in "".join(told) + caplog.text


# Proxies


def test_remote_http_goes_through_proxy(listen: Any, connect: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    peer = listen(lambda asked: answer())
    monkeypatch.setenv("http_proxy", peer.address.replace("//", "//me:p%40ss@"))
    connect("http://api.example.test/rest").send(TRACK)
    assert peer.asked[0].line == "POST http://api.example.test/rest/events HTTP/1.1"
    assert peer.asked[0].headers["Host"] == "api.example.test"
    assert peer.asked[0].headers["Proxy-Authorization"] == "Basic bWU6cEBzcw=="


def test_https_tunnel_hides_token_from_proxy(
    listen: Any, connect: Any, tls: ssl.SSLContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The proxy's password stands before the tunnel only, Intercom's token inside of it only."""
    monkeypatch.setenv("SSL_CERT_FILE", certificate_in(tmp_path))
    peer = listen(lambda asked: b"HTTP/1.1 200 OK\r\n\r\n" if "CONNECT" in asked.line else answer(), tls)
    monkeypatch.setenv("https_proxy", peer.address.replace("//", "//me:secret@"))
    transport = connect("https://api.example.test")
    assert [transport.send(TRACK).status for _ in range(2)] == [200, 200]
    lines = [asked.line.split(" ")[:2] for asked in peer.asked]
    assert lines == [["CONNECT", "api.example.test:443"], ["POST", "/events"], ["POST", "/events"]]
    assert "Authorization" not in peer.asked[0].headers
    assert "Proxy-Authorization" not in peer.asked[1].headers


def test_proxy_refusal_hides_its_password(
    listen: Any, connect: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The error names the proxy's status; neither it nor the log holds the user, the password or their header."""
    caplog.set_level(logging.DEBUG)
    peer = listen(lambda asked: answer(status="407 Proxy Authentication Required"))
    monkeypatch.setenv("all_proxy", peer.address.replace("http://", "somebody:secret@"))
    with pytest.raises(TransportError, match=r"^api\.example\.test: the proxy .*, with status 407$") as caught:
        connect("https://api.example.test").send(TRACK)
    assert (caught.value.__cause__, caught.value.__suppress_context__) == (None, True)
    header = peer.asked[0].headers["Proxy-Authorization"].removeprefix("Basic ")
    assert base64.b64decode(header) == b"somebody:secret"
    for hidden in ("somebody", "secret", header, TOKEN):
        assert hidden not in str(caught.value) + repr(caught.value) + caplog.text


@pytest.mark.parametrize("proxy", ["socks5://me:secret@127.0.0.1", "http://me:secret@:x"])
def test_unsupported_proxy_is_refused_at_start(proxy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", proxy)
    with pytest.raises(SettingsError, match=r"^HTTPS_PROXY: must be an http or https address") as caught:
        HttpTransport(Settings(access_token=TOKEN))
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("address", ["http://127.0.0.1:1", "http://localhost:1", "http://[::1]:1", "http://in.test:1"])
def test_the_loopback_and_exceptions_go_direct(address: str, connect: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "other.test,.in.test,in.test")
    with pytest.raises(TransportError) as caught:
        connect(address).send(TRACK)
    assert "proxy" not in str(caught.value)


# Closing


def test_a_closed_transport_sends_nothing(listen: Any, connect: Any) -> None:
    peer = listen(lambda asked: answer())
    transport = connect(peer.address)
    transport.send(READ)
    transport.close()
    assert peer.is_left.wait(5)
    with pytest.raises(TransportError, match="closing"):
        transport.send(READ)
    assert len(peer.asked) == 1


def test_closing_lets_running_request_finish(listen: Any, connect: Any) -> None:
    arrived, go = threading.Event(), threading.Event()
    peer = listen(lambda asked: (arrived.set(), go.wait(), answer(b'"done"'))[-1])
    transport = connect(peer.address)
    replies: list[Reply] = []
    thread = threading.Thread(target=lambda: replies.append(transport.send(READ)))
    thread.start()
    arrived.wait()
    transport.close()
    go.set()
    thread.join()
    assert replies == [Reply(200, "done")]


def test_closing_wakes_rate_limited_threads(listen: Any, connect: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both wait for the next window, which is ten seconds away, when the transport closes."""
    peer = listen(lambda asked: answer(**limits(9, 0, 1010, 1000)))
    transport = connect(peer.address)
    transport.send(READ)
    problems: list[TransportError] = []
    waiting, changed = threading.Semaphore(0), transport._line.rate_limiter._changed
    sleep = changed.wait
    # It is said with the limiter's lock, which closing can only have once the thread sleeps.
    monkeypatch.setattr(changed, "wait", lambda seconds: (waiting.release(), sleep(seconds))[1])

    def wait() -> None:
        with pytest.raises(TransportError, match="closing") as caught:
            transport.send(READ)
        problems.append(caught.value)

    closer = threading.Thread(target=lambda: in_threads(2, wait))
    closer.start()
    assert all(waiting.acquire(timeout=5) for _ in range(2))
    transport.close()
    closer.join(5)
    assert (len(problems), len(peer.asked)) == (2, 1)


# The rate limit


def test_limits_use_clock_of_answer() -> None:
    """Without a readable Date header the machine's own clock stands in for it."""
    assert read_headers(limits(166, 3, 1010, 1004), unix=5.0) == RateLimitHeaders(166, 3, 1010, 6.0)
    without_date = {key: value for key, value in limits(166, 3, 1010, 0).items() if key != "Date"}
    assert read_headers(without_date, unix=1003.5) == RateLimitHeaders(166, 3, 1010, 6.5)
    assert read_headers({**without_date, "Date": "yesterday"}, unix=1003.5) == RateLimitHeaders(166, 3, 1010, 6.5)


@pytest.mark.parametrize(
    "nonsense",
    [{"Limit": "0"}, {"Limit": ""}, {"Remaining": "-1"}, {"Remaining": "1e3"}, {"Reset": "1000"}, {"Reset": "1" * 13}],
)
def test_nonsensical_limits_are_ignored(nonsense: dict[str, str]) -> None:
    broken = {f"X-RateLimit-{name}": value for name, value in nonsense.items()}
    assert read_headers({**limits(166, 3, 1010, 1000), **broken}, unix=1000) is None


def begun(remaining: int, limit: int = 160) -> RateWindow:
    """A budget that has heard of the window until 1010, ten seconds from now, which is 0."""
    budget = RateWindow()
    budget.answered(0, budget.start(0), RateLimitHeaders(limit, remaining, 1010, 10))
    return budget


def test_first_request_goes_alone() -> None:
    """Until its answer has told the limit, a second request waits."""
    budget = RateWindow()
    window_id = budget.start(0)
    assert budget.pause(0) == 1
    budget.answered(0.1, window_id, RateLimitHeaders(160, 159, 1010, 10))
    assert budget.pause(0.1) == 0


def test_server_without_limits_is_unlimited() -> None:
    budget = RateWindow()
    budget.answered(0, budget.start(0), None)
    for _ in range(1000):
        assert budget.pause(0) == 0
        budget.start(0)


def test_low_budget_reduces_concurrent_requests() -> None:
    for remaining, at_once in [(160, 20), (16, 2), (15, 1), (1, 1), (0, 0)]:
        budget = begun(remaining)
        sent = 0
        while budget.pause(0) == 0:
            budget.start(0)
            sent += 1
        assert sent == at_once


def test_an_overtaken_answer_raises_nothing() -> None:
    budget = begun(1)
    slow, quick = budget.start(0), budget.start(0)
    budget.answered(0.5, quick, RateLimitHeaders(160, 0, 1010, 9))
    budget.answered(0.6, slow, RateLimitHeaders(160, 1, 1010, 10))
    assert budget.pause(0.6) == pytest.approx(8.9)  # the earlier end counts, too


def test_later_reset_begins_new_window() -> None:
    """A late answer about the old window no longer counts."""
    budget = begun(0)
    early, late = budget.start(9), budget.start(9)
    budget.answered(9.5, early, RateLimitHeaders(160, 159, 1020, 10))
    budget.answered(9.6, late, RateLimitHeaders(160, 0, 1010, 1))
    assert budget.pause(9.6) == 0


def test_single_probe_follows_reset() -> None:
    """A second request goes only when the first has hung for a second."""
    budget = begun(0)
    hanging = budget.start(5)
    assert budget.pause(9.9) == pytest.approx(0.1)
    assert budget.pause(10) == 0
    budget.start(10)
    assert budget.pause(10.4) == pytest.approx(0.6)
    assert budget.pause(11) == 0
    budget.lost(hanging)
    assert budget.pause(10.4) == pytest.approx(0.6)


def test_old_news_is_none() -> None:
    budget = begun(100)
    assert budget.pause(2) == 0
    budget.start(2)
    assert budget.pause(2) == 1


def test_lost_request_counts_as_sent() -> None:
    budget = begun(1)
    budget.lost(budget.start(0))
    assert budget.pause(0) == 10


def test_refusal_pauses_everyone_until_reset() -> None:
    budget = begun(100)
    assert budget.refused(1, budget.start(1), RateLimitHeaders(160, 100, 1010, 8.5)) == 8.5
    assert budget.pause(1) == 8.5


def test_refusal_without_reset_pauses_full_window() -> None:
    budget = RateWindow()
    first, second = budget.start(0), budget.start(0)
    assert budget.refused(0, first, None) == 10
    budget.answered(1, second, None)
    assert budget.pause(1) == 9
    assert budget.pause(10) == 0
    budget.start(10)
    assert budget.pause(10) > 0


def test_refusal_after_reset_extends_pause() -> None:
    """By Intercom's clock the window is not over yet, and its word counts."""
    budget = begun(0)
    assert budget.pause(10) == 0
    assert budget.refused(10.1, budget.start(10), RateLimitHeaders(160, 0, 1010, 2)) == pytest.approx(2)


def test_backward_clock_is_accepted_after_reset() -> None:
    """An earlier reset from Intercom counts once the window that was known is over."""
    budget = begun(0)
    assert budget.pause(10) == 0
    budget.answered(10.1, budget.start(10), RateLimitHeaders(160, 159, 900, 10))
    assert budget.pause(10.1) == 0
    budget.start(10.1)
    assert budget.pause(10.1) == 0


class Windows:
    """Intercom's side: so many requests in ten seconds, by a clock that the test moves."""

    def __init__(self, limit: int, start: float = 1_000_003.4) -> None:
        self.limit, self.start = limit, start
        self.used: Counter[int] = Counter()
        self.refused: Counter[tuple[int, int]] = Counter()

    def ask(self, now: float, who: int = 0) -> tuple[int, dict[str, str]]:
        unix = self.start + now
        window = int(unix // 10)
        status = 200 if self.used[window] < self.limit else 429
        if status == 200:
            self.used[window] += 1
        else:
            self.refused[window, who] += 1
        return status, limits(self.limit, self.limit - self.used[window], (window + 1) * 10, unix)

    @property
    def shares(self) -> list[float]:
        """How much of each window was used, but for the first and the last."""
        return [self.used[window] / self.limit for window in sorted(self.used)[1:-1]]


class Simulation:
    """Processes of many threads with nothing else to do, in a time of their own."""

    def __init__(self, windows: Windows, processes: int, threads: int, trip: float) -> None:
        self.windows, self.trip, self.random = windows, trip, random.Random(7)
        self.budgets = [RateWindow() for _ in range(processes)]
        self.idle = [threads] * processes
        self.queue: list[Any] = []
        self.order = itertools.count()
        for who in range(processes):
            self.at(0.3 * who, self.go_on, who)

    def at(self, moment: float, step: Callable[..., None], *arguments: Any) -> None:
        heapq.heappush(self.queue, (moment, next(self.order), step, arguments))

    def run(self, seconds: float) -> Windows:
        while self.queue[0][0] < seconds:
            moment, _, step, arguments = heapq.heappop(self.queue)
            step(moment, *arguments)
        return self.windows

    def go_on(self, now: float, who: int) -> None:
        while self.idle[who] and (pause := self.budgets[who].pause(now)) <= 0:
            self.idle[who] -= 1
            window_id = self.budgets[who].start(now)
            self.at(now + self.trip * self.random.uniform(0.3, 0.9), self.arrive, who, window_id)
        if self.idle[who]:
            self.at(now + pause, self.go_on, who)

    def arrive(self, now: float, who: int, window_id: int) -> None:
        told = self.windows.ask(now, who)
        self.at(now + self.trip * self.random.uniform(0.2, 0.5), self.land, who, window_id, *told)

    def land(self, now: float, who: int, window_id: int, status: int, headers: dict[str, str]) -> None:
        headers = read_headers(headers, 0)
        self.idle[who] += 1
        if status == 429:
            self.budgets[who].refused(now, window_id, headers)
        else:
            self.budgets[who].answered(now, window_id, headers)
        self.go_on(now, who)


@pytest.mark.parametrize("limit", [20, 166, 1667])
@pytest.mark.parametrize("processes", [1, 2, 4])
def test_processes_use_budget_with_little_overrun(limit: int, processes: int) -> None:
    """A process is refused at most once a window, a lone one never, and 95 % of a window is used."""
    windows = Simulation(Windows(limit), processes, threads=32, trip=0.15).run(45)
    assert min(windows.shares) >= 0.95
    assert max(windows.refused.values(), default=0) <= 1
    assert processes > 1 or not windows.refused


class Waiting:
    """A clock that moves on when every thread waits, and to the moment at which the first one has waited enough."""

    def __init__(self, threads: int) -> None:
        self.now, self.running = 0.0, threads
        self.until: list[float] = []
        self.somebody_waits = threading.Event()

    def condition(self) -> threading.Condition:
        clock, lock = self, threading.RLock()

        class Condition(threading.Condition):
            def wait(self, timeout: float | None = None) -> bool:
                assert timeout is not None
                clock.until.append(clock.now + timeout)
                clock.somebody_waits.set()
                if len(clock.until) == clock.running:
                    clock.now = min(clock.until)
                    self.notify_all()
                else:
                    super().wait()
                return True

            def notify_all(self) -> None:
                clock.until.clear()
                super().notify_all()

        return Condition(lock)


def test_threads_fill_windows_without_overrun() -> None:
    clock, windows, lock = Waiting(8), Windows(20), threading.Lock()
    moments: set[float] = set()
    rate_limiter = RateLimiter("api.example.test", clock=lambda: clock.now, condition=clock.condition)

    def ask() -> None:
        window_id = rate_limiter.acquire()
        if isinstance(window_id, int):  # else the others were quicker for 15 seconds
            with lock:
                moments.add(clock.now)
                told = windows.ask(clock.now)
            rate_limiter.complete(window_id, *told)

    def work() -> None:
        with suppress(TransportError):
            while clock.now < 60:
                ask()
            rate_limiter.close()

    in_threads(8, work)
    assert len(moments) == len(windows.used) >= 6  # an answer wakes the others at once
    assert min(windows.shares) >= 0.95
    assert not windows.refused


def test_long_pause_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    clock = Waiting(1)
    rate_limiter = RateLimiter("api.example.test", clock=lambda: clock.now, condition=clock.condition)
    window_ids = [rate_limiter.acquire() for _ in range(3)]
    assert [rate_limiter.complete(window_id, 429, {"Retry-After": "90"}) for window_id in window_ids] == [90, 90, 90]
    assert [record.message.removeprefix("Intercom: ") for record in caplog.records] == [
        "api.example.test takes no more calls for 90 s (429); what waits is sent after that"
    ]
    clock.now = 91
    assert rate_limiter.complete(rate_limiter.acquire(), 429, {}) < 30
    assert len(caplog.records) == 1


@pytest.mark.parametrize(
    "end",
    [
        lambda rate_limiter, window_id: rate_limiter.complete(window_id, 200, {}),
        lambda rate_limiter, window_id: rate_limiter.abandon(window_id),
    ],
)
def test_ended_request_releases_waiting_thread(end: Callable[[RateLimiter, Any], Any]) -> None:
    clock = Waiting(2)  # it stands still, for only one of the two ever waits
    rate_limiter = RateLimiter("api.example.test", clock=lambda: clock.now, condition=clock.condition)
    window_id = rate_limiter.acquire()
    thread = threading.Thread(target=rate_limiter.acquire, daemon=True)
    thread.start()
    assert clock.somebody_waits.wait(5)
    end(rate_limiter, window_id)
    thread.join(5)
    assert not thread.is_alive()


def test_a_failure_gives_its_place_back(listen: Any, connect: Any) -> None:
    """Nobody waits for a request that has failed: here, another one may go only when none is on its way."""
    peer = listen(lambda asked: None)
    transport = connect(peer.address)
    for _ in range(3):
        with pytest.raises(TransportError, match="broke"):
            transport.send(TRACK)
    assert transport._line.rate_limiter._window.pause(time.monotonic()) == 0


def test_threads_overrun_no_real_window(listen: Any, connect: Any) -> None:
    """Windows of one second of the real clock, so that threads are held up at two resets."""
    lock, used = threading.Lock(), Counter[int]()

    def count(asked: Asked) -> bytes:
        with lock:
            now = time.time()
            used[int(now)] += 1
            left = 12 - used[int(now)]
            status = "200 OK" if left >= 0 else "429 Too Many Requests"
            return answer(status=status, **limits(12, max(left, 0), int(now) + 1, now))

    transport = connect(listen(count).address, connections=8)
    replies: list[int] = []
    in_threads(6, lambda: replies.extend([transport.send(TRACK).status for _ in range(5)]))
    assert replies == [200] * 30
    assert max(used.values()) <= 12


def test_refusal_reports_waiting_time(listen: Any, connect: Any) -> None:
    """While the wait is too long for a lease, the next call is refused without asking Intercom."""
    headers = limits(9, 0, 1060, 1000)
    peer = listen(lambda asked: answer(b'{"type": "error.list"}', "429 Too Many Requests", **headers))
    transport = connect(peer.address)
    refused, held = transport.send(TRACK), transport.send(TRACK)
    assert (refused.status, refused.body) == (429, {"type": "error.list"})
    assert 50 < refused.wait <= 60
    # Too long to wait with a lease that runs: answered without asking.
    assert (held.status, held.body, len(peer.asked)) == (429, None, 1)
    assert 50 < held.wait <= refused.wait
