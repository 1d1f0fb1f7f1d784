"""An address that an entrypoint listens on and callers dial: the only place that knows how one is written."""

import ipaddress
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

UNIX_PATH_LIMIT = 107
"""Bytes of a unix socket's path: sun_path of unix(7) has 108, the last of them for the final NUL."""

_UNIX = "unix:"

_HOST_PORT = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?):(?P<port>[0-9]{1,5})")

_HERE = frozenset({"localhost", "127.0.0.1", "0.0.0.0", "[::1]", "[::]"})  # noqa: S104 - compared, not listened on
"""Hosts of which two can't have the same port: each is this machine."""


@dataclass(frozen=True, slots=True)
class Address:
    """One place to listen on or to dial."""

    kind: Literal["tcp", "unix"]
    target: str
    """As gRPC writes it: "127.0.0.1:7420", where port 0 is any that is free, or "unix:/absolute/path"."""

    def claim(self) -> str | None:
        """What only one listener can have: addresses with the same claim clash. None for port 0, which never does."""
        if self.kind == "unix":
            return self.target
        host, _, port = self.target.rpartition(":")
        if int(port) == 0:
            return None
        return f"{'localhost' if host.lower() in _HERE else host.lower()}:{int(port)}"


def is_here(target: str) -> bool:
    """Whether an address can be reached from this machine alone.

    A unix socket can, and what RFC 1122 (3.2.1.3), RFC 4291 (2.5.3) and RFC 6761 (6.3) call loopback.

    Args:
        target: as Address has it.
    """
    if target.startswith(_UNIX):
        return True
    host = target.rpartition(":")[0].strip("[]").lower()
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def parse_address(text: str, place: Callable[[str], Path]) -> Address:
    """Reads "HOST:PORT" or "unix:PATH".

    Args:
        text: as it stands in the address book.
        place: the absolute path of one that may be relative.

    Raises:
        ValueError: it is neither; the text is a sentence that says why.
    """
    if text.startswith(_UNIX):
        return _parse_unix(text.removeprefix(_UNIX), place)
    found = _HOST_PORT.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is no address. Write HOST:PORT, such as 127.0.0.1:7420, or unix:PATH.")
    if int(found["port"]) > 0xFFFF:  # noqa: PLR2004 - a port has 16 bits
        raise ValueError(f"{text!r} has a port above 65535. Use one from 1 to 65535, or 0 for any that is free.")
    host = found["host"]
    try:
        if host.startswith("["):
            ipaddress.IPv6Address(host[1:-1])
        elif not re.search("[A-Za-z]", host):
            ipaddress.IPv4Address(host)
    except ValueError:
        raise ValueError(f"{text!r} has no host. Write an IP address or a name before the port.") from None
    return Address("tcp", f"{host}:{int(found['port'])}")


def _parse_unix(text: str, place: Callable[[str], Path]) -> Address:
    if not text or "\0" in text:
        raise ValueError("'unix:' names no socket. Write unix:PATH.")
    path = place(text)
    size = len(os.fsencode(path))
    if size > UNIX_PATH_LIMIT:
        what = f"the socket {text!r} has a path of {size} bytes, where the system takes {UNIX_PATH_LIMIT}. Shorten it."
        raise ValueError(what)
    return Address("unix", f"{_UNIX}{path}")
