"""Documents from http(s) URLs, without becoming a way into the network that we stand in.

Every address is checked at the one place where a socket to it is made, so what was checked is what is
connected to: names that resolve differently the second time, odd spellings, and redirects all end there.
"""

import asyncio
import errno
import re
import socket
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Any

import aiohttp
from yarl import URL

from gateway.errors import PayloadTooLarge, UrlFailed, UrlRefused
from gateway.services.room import Lease

MOST_REDIRECTS = 9  # as PaddleX's client
CHUNK_BYTES = 256 * 1024
# RFC 3986: the characters of a URL, and octets that are quoted already.
_SENDABLE = re.compile(r"(?:[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=]|%[0-9A-Fa-f]{2})*")
_WITH_A_DOCUMENT = frozenset({200, 201, 202, 203, 206})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
# IPv6 addresses that carry an IPv4 address, to which a gateway on the way may send the packets.
_NAT64 = (IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/48"))
_IPV4_COMPATIBLE = IPv6Network("::/96")
# Not marked as non-global by Python 3.11's tables.
_ALSO_REFUSED = (IPv6Network("64:ff9b:1::/48"), IPv6Network("fec0::/10"), IPv4Network("192.88.99.0/24"))

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


class AddressPolicy:
    """Which addresses may be connected to: public ones, and those in the allowed networks."""

    def __init__(self, allowed: Iterable[Network]) -> None:
        self._allowed = tuple(allowed)

    def permits(self, text: str) -> bool:
        """Whether this address, as text, may be connected to. What is not an address may not."""
        try:
            address = ip_address(text)
        except ValueError:
            return False
        return all(self._permits(each) for each in _with_embedded(address))

    def _permits(self, address: Address) -> bool:
        if any(address in network for network in self._allowed if network.version == address.version):
            return True
        if address.is_multicast or not address.is_global:
            return False
        return not any(address in network for network in _ALSO_REFUSED if network.version == address.version)


def _with_embedded(address: Address) -> tuple[Address, ...]:
    """The address that counts, and the IPv4 address that it embeds, if any."""
    if isinstance(address, IPv4Address):
        return (address,)
    if address.ipv4_mapped is not None:
        return (address.ipv4_mapped,)
    if address.sixtofour is not None:
        return (address, address.sixtofour)
    if any(address in network for network in _NAT64) or address in _IPV4_COMPATIBLE:
        return (address, IPv4Address(int(address) & 0xFFFFFFFF))
    return (address,)


class UrlFetcher:
    """Fetches documents. Owns its HTTP session: no cookies, no proxies from the environment, no cache."""

    def __init__(
        self, *, allowed_networks: Iterable[Network], timeout_seconds: float, max_bytes: int
    ) -> None:
        self._policy = AddressPolicy(allowed_networks)
        self._timeout_seconds = timeout_seconds
        self._max_bytes = max_bytes
        self._session = aiohttp.ClientSession(
            # Connections are not kept: documents come from everywhere, and each is checked anew.
            connector=aiohttp.TCPConnector(
                socket_factory=self._make_socket, force_close=True, use_dns_cache=False, limit=64
            ),
            timeout=aiohttp.ClientTimeout(total=None),
            cookie_jar=aiohttp.DummyCookieJar(),
            # What is counted against the limit is what arrives; a compressed answer could be a bomb.
            auto_decompress=False,
            headers={"User-Agent": "paddleocr-vl-hps", "Accept": "*/*", "Accept-Encoding": "identity"},
        )

    async def aclose(self) -> None:
        """Close connections."""
        await self._session.close()

    async def fetch(self, text: str, lease: Lease) -> bytes:
        """Bytes behind an http(s) URL; the lease grows to hold them.

        Raises:
            TooBusy: no room for them.
            UrlRefused: it leads, perhaps by a redirect, to an address that is not public.
            UrlFailed: it does not parse, answer in time or answer with a document.
            PayloadTooLarge: more bytes than the limit.
        """
        try:
            async with asyncio.timeout(self._timeout_seconds) as clock:
                return await self._follow(_parse(text), lease)
        except TimeoutError as error:
            if not clock.expired():
                raise
            raise UrlFailed(
                f"`file`: the URL did not answer within {self._timeout_seconds:g} seconds."
            ) from error
        except aiohttp.ClientConnectorError as error:
            if error.os_error.errno == errno.EACCES:
                raise UrlRefused(
                    "`file`: the URL leads to an address that is not public; this service does not go there."
                ) from None
            raise UrlFailed(f"`file`: could not connect to {_site(error.host, error.port)}.") from error
        except aiohttp.ClientError as error:
            raise UrlFailed("`file`: the URL could not be fetched; the connection failed.") from error
        except ValueError as error:  # a name or password in it that no header can hold
            raise UrlFailed("`file` is not a valid http(s) URL.") from error

    async def _follow(self, url: URL, lease: Lease) -> bytes:
        for _ in range(MOST_REDIRECTS + 1):
            async with self._session.get(url, allow_redirects=False) as response:
                if response.status not in _REDIRECTS:
                    return await self._read(response, lease)
                url = _redirect_target(url, response.headers.get("Location"))
        raise UrlFailed(f"`file`: the URL redirects more than {MOST_REDIRECTS} times.")

    async def _read(self, response: aiohttp.ClientResponse, lease: Lease) -> bytes:
        if response.status not in _WITH_A_DOCUMENT:
            raise UrlFailed(f"`file`: the URL's server answered {response.status}.")
        if response.headers.get("Content-Encoding", "identity").lower() != "identity":
            raise UrlFailed("`file`: the URL's server compresses its answer although asked not to.")
        if (response.content_length or 0) > self._max_bytes:
            raise self._too_large()
        await lease.grow_to(response.content_length or 0)
        content = bytearray()
        async for chunk in response.content.iter_chunked(CHUNK_BYTES):
            if len(content) + len(chunk) > self._max_bytes:
                raise self._too_large()
            await lease.grow_to_hold(len(content) + len(chunk), self._max_bytes)
            content += chunk
        return bytes(content)

    def _too_large(self) -> PayloadTooLarge:
        return PayloadTooLarge(
            f"`file`: the URL's document has more than {self._max_bytes} bytes (HPS_MAX_DOCUMENT_BYTES)."
        )

    def _make_socket(self, address: tuple[Any, ...]) -> socket.socket:
        """Make the socket for a connection, if its address is permitted; aiohttp calls this for each."""
        family, kind, protocol, _, target = address
        if not self._policy.permits(str(target[0])):
            raise OSError(errno.EACCES, "address not permitted")
        return socket.socket(family=family, type=kind, proto=protocol)


def _as_written(text: str) -> URL:
    """A signature may be over the URL as it stands; what may not be sent so is quoted."""
    return URL(text, encoded=_SENDABLE.fullmatch(text) is not None)


def _parse(text: str) -> URL:
    try:
        url = _as_written(text)
        usable = _is_usable(url)
    except ValueError:
        usable = False
    if not usable:
        raise UrlFailed("`file` is not a valid http(s) URL.")
    return url


def _is_usable(url: URL) -> bool:
    """Whether it can be fetched; some that cannot are a ValueError."""
    host = url.raw_host or ""
    host.encode("idna")  # as the resolver does: labels that are empty or too long
    return url.scheme in ("http", "https") and host != "" and "\0" not in host and url.port is not None


def _redirect_target(url: URL, location: str | None) -> URL:
    try:
        target = _as_written(location or "")
        if not target.scheme:
            target = url.join(target)
        usable = bool(location) and _is_usable(target)
    except ValueError:
        usable = False
    if not usable:
        raise UrlFailed("`file`: the URL redirects to something that is not an http(s) URL.")
    return target


def _site(host: str, port: int | None) -> str:
    return f"{host}:{port}" if port else host
