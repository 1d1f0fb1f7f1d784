"""Ports for servers that a test starts a while after it has chosen them.

The system hands out ports of its ephemeral range to every connection and to every bind to port 0, so a port from there
may be gone by the time its server starts. These lie below that range, and each worker of a test run has its own share.
"""

import os
import random
import re
import socket

_FIRST, _LAST = 12_000, 22_000
"""Below the ephemeral ranges of Linux (32768) and IANA (49152), even where a server adds 10,000 for a second port."""

_WORKERS = 16
"""Shares that the ports are cut into."""

_given: set[int] = set()


def free_ports(count: int) -> list[int]:
    """Ports of 127.0.0.1 that nobody listens on, and that this process has not given before."""
    worker = int(re.sub(r"\D", "", os.environ.get("PYTEST_XDIST_WORKER", "")) or 0) % _WORKERS
    mine = range(_FIRST + worker, _LAST, _WORKERS)
    found = [port for port in random.sample(mine, len(mine)) if port not in _given and _is_free(port)][:count]
    _given.update(found)
    return found


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As the servers do, so that connections that linger after their end are in nobody's way.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
