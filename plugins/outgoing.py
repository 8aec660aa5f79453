"""Requests to somebody else's server: https, public addresses alone, no redirect followed, bounded in time and size.

The address that was checked is the one connected to: a name that is looked up twice may answer differently.
"""

import contextlib
import http.client
import ipaddress
import socket
import ssl
import threading
from collections.abc import Mapping
from urllib.parse import urlsplit

from pydantic_core import InitErrorDetails, PydanticCustomError, ValidationError

LARGEST = 256_000  # bytes of an answer


class UnansweredError(OSError):
    """The server did not answer with 2xx, or with more than is read."""


def checked_url(url: str, example: str) -> str:
    """The url, when it may stand in a plugin's settings; ValueError says what it must be. Asks no name server."""
    parts = urlsplit(url)
    plain = url.isascii() and url.isprintable() and " " not in url and "\\" not in url
    if parts.scheme not in ("https", "http") or not parts.hostname or not plain:
        raise PydanticCustomError("url_form", "url must be like {example}", {"example": example})
    if parts.username or parts.password or parts.fragment:
        raise PydanticCustomError(
            "url_secret", "url has no user, password or fragment: a secret has a setting of its own"
        )
    _ = parts.port  # raises ValueError when it is none
    return url


def refuse_private(url: str) -> None:
    """Raises ValueError for what is not https, or names this machine or a private address outright."""
    parts = urlsplit(url)
    host = (parts.hostname or "").rstrip(".")
    if parts.scheme != "https":
        raise PydanticCustomError("url_https", "url must begin with https://")
    written = _as_address(host)
    if host == "localhost" or host.endswith((".localhost", ".local", ".internal")):
        raise PydanticCustomError("url_own", "{host} is this machine or its own network", {"host": host})
    if written is not None and not is_public(written):
        raise PydanticCustomError("url_private", "{host} is a private address", {"host": host})


def refuse_private_setting(url: str, title: str) -> None:
    """The same for a model's validator: what is wrong is told of `url`, not of the setting that would allow it."""
    try:
        refuse_private(url)
    except PydanticCustomError as error:
        detail = InitErrorDetails(type=error, loc=("url",), input=url)
        raise ValidationError.from_exception_data(title, [detail]) from None


def _as_address(host: str) -> str | None:
    """The address that a host is written as, also as one number, in hexadecimal or with parts left out."""
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        pass
    try:
        return socket.inet_ntoa(socket.inet_aton(host))  # 2130706433, 0x7f.1 and 127.1 are 127.0.0.1
    except OSError:
        return None


def is_public(address: str) -> bool:
    """Whether an address is one of the open internet; one that wraps another is judged by what it wraps."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour
        if inner is None and ip in ipaddress.ip_network("64:ff9b::/96"):
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is not None:
            ip = inner
    return ip.is_global and not ip.is_multicast


def post(
    url: str, body: bytes, headers: Mapping[str, str], *, seconds: float, allow_insecure: bool = False
) -> bytes:
    """POST, and the body of a 2xx answer. After `seconds` in all the connection is cut, however slowly it drips.

    `allow_insecure` takes http and private addresses too. Raises OSError, http.client.HTTPException or ValueError.
    """
    parts = urlsplit(url)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    connection = _connect(url, seconds, allow_insecure)
    over = threading.Timer(seconds, _cut, (connection.sock,))
    over.daemon = True
    over.start()
    try:
        connection.request(
            "POST", path, body, {"Connection": "close", "Accept-Encoding": "identity", **headers}
        )
        with connection.getresponse() as response:
            if not 200 <= response.status < 300:  # a redirect as well: it could lead anywhere
                raise UnansweredError(f"the server answered {response.status}")
            content = response.read(LARGEST + 1)
    finally:
        over.cancel()
        connection.close()
    if len(content) > LARGEST:
        raise UnansweredError(f"the answer has more than {LARGEST:,} bytes")
    return content


def reach(url: str, *, seconds: float, allow_insecure: bool = False) -> None:
    """Connect, with the same care, and ask nothing. Raises OSError or ValueError where nobody is there."""
    _connect(url, seconds, allow_insecure).close()


def _cut(sock: socket.socket) -> None:
    with contextlib.suppress(OSError):  # it is closed already
        sock.shutdown(socket.SHUT_RDWR)


def _connect(url: str, seconds: float, allow_insecure: bool) -> http.client.HTTPConnection:
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    if not allow_insecure and (
        parts.scheme != "https" or not all(is_public(str(each[4][0])) for each in found)
    ):
        raise ValueError(f"{host} is a private address")
    sock = socket.create_connection((str(found[0][4][0]), port), seconds)
    if parts.scheme == "https":
        try:
            sock = ssl.create_default_context().wrap_socket(sock, server_hostname=host)
        except BaseException:
            sock.close()
            raise
    connection = http.client.HTTPConnection(host, port, timeout=seconds)
    connection.sock = sock
    return connection
