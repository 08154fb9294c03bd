"""The way to an address: directly or through the proxy that the environment names, and the pool of connections."""

from __future__ import annotations

import base64
import ipaddress
import urllib.request
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

from urllib3 import HTTPConnectionPool, PoolManager, ProxyManager
from urllib3.exceptions import HTTPError
from urllib3.util import Url, parse_url
from urllib3.util.ssl_ import create_urllib3_context

from ..errors import SettingsError
from .connection import WatchedHTTPConnection, WatchedHTTPSConnection


def proxy_for(address: str) -> Url | None:
    """The proxy that ``HTTPS_PROXY``, ``HTTP_PROXY`` or ``ALL_PROXY`` names, unless ``NO_PROXY`` excepts the host.

    The loopback is always reached directly. Raises SettingsError when it is no http or https address.
    """
    parts = urlsplit(address)
    proxies = urllib.request.getproxies()
    name = parts.scheme if proxies.get(parts.scheme) else "all"
    proxy = proxies.get(name)
    if not proxy or is_loopback(parts.hostname or "") or urllib.request.proxy_bypass(parts.netloc):
        return None
    try:
        url = parse_url(proxy if "://" in proxy else f"http://{proxy}")
    except HTTPError:
        url = Url()
    if url.scheme not in ("http", "https") or not url.host:
        raise SettingsError(
            f"{name}_proxy".upper(), 'must be an http or https address, such as "http://proxy.example.com:3128"'
        )
    return url


@dataclass(frozen=True, slots=True)
class Route:
    """A pool of connections, and the address to ask it for: absolute for a proxy that forwards, else a path."""

    pool: HTTPConnectionPool
    base: str


def route_to(address: str, proxy: Url | None, connections: int) -> Route:
    """Prepare the way: up to ``connections`` are kept open, and a thread beyond that number never waits for one.

    Certificates are checked against those that the system trusts; ``SSL_CERT_FILE`` names others.
    """
    parts = urlsplit(address)
    needs_tls = "https" in (parts.scheme, proxy and proxy.scheme)
    pool = _manager(proxy, connections, _trust() if needs_tls else None).connection_from_url(address)
    pool.ConnectionCls = WatchedHTTPSConnection if pool.scheme == "https" else WatchedHTTPConnection
    forwards = proxy is not None and parts.scheme == "http"
    return Route(pool, address if forwards else parts.path or "/")


def basic_authorization(credentials: str) -> str:
    """The value of a header that holds ``user:password``."""
    return "Basic " + base64.b64encode(credentials.encode()).decode()


def _manager(proxy: Url | None, connections: int, trust: Any) -> PoolManager:
    if proxy is None:
        return PoolManager(maxsize=connections, ssl_context=trust)
    # Without user and password, so that no error can hold them.
    url = Url(proxy.scheme, host=proxy.host, port=proxy.port).url
    headers = {"Proxy-Authorization": basic_authorization(unquote(proxy.auth))} if proxy.auth else None
    return ProxyManager(url, proxy_headers=headers, maxsize=connections, ssl_context=trust, proxy_ssl_context=trust)


def _trust() -> Any:
    """What the system trusts; one for all connections, for reading the certificates takes longer than connecting."""
    context = create_urllib3_context()
    context.load_default_certs()
    return context


def is_loopback(host: str) -> bool:
    """Whether an address or the name localhost is this machine's own."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
