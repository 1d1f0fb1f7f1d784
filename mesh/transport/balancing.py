"""How calls are spread over the replicas of a service: the only place that knows gRPC's load balancing.

gRPC takes a list of addresses of one kind as one target, and balances over it: in turn, over those alone that say
SERVING, and without one that fails nearly every call. Names, and lists of mixed kinds, are several targets; Spread
balances over those.
"""

import ipaddress
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

HEALTH_SERVICE = ""
"""What a replica is asked for: '', which every server with a health service knows. One without it counts as well."""

_SERVICE_CONFIG = json.dumps(
    {
        # Never a `timeout` here: gRPC shortens it by up to two seconds. Deadlines are the layers'.
        "healthCheckConfig": {"serviceName": HEALTH_SERVICE},
        "loadBalancingConfig": [
            {
                "outlier_detection_experimental": {
                    "interval": "1s",
                    "baseEjectionTime": "5s",  # times the number of ejections in a row
                    "maxEjectionTime": "60s",
                    "maxEjectionPercent": 50,  # of two replicas one: what all of them fail at is no fault of one
                    "failurePercentageEjection": {
                        # Every status but OK counts for gRPC, NOT_FOUND as well. A healthy replica that is asked for
                        # what is not there must not be taken for a broken one, so it takes nearly all calls.
                        "threshold": 90,
                        "enforcementPercentage": 100,
                        "minimumHosts": 2,
                        "requestVolume": 10,  # calls within the interval, below which it is too early to judge
                    },
                    "childPolicy": [{"round_robin": {}}],
                }
            }
        ],
    }
)

_OPTIONS: Sequence[tuple[str, int]] = (
    # gRPC's own wait between tries grows to two minutes. A replica that is back must be found soon, and a connection
    # refused on the way costs little.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 1_000),
    ("grpc.max_reconnect_backoff_ms", 1_000),
)


@dataclass(frozen=True, slots=True)
class Target:
    """What one gRPC channel is made for."""

    uri: str
    """As gRPC takes it."""
    size: int
    """Addresses that it stands for; a name counts as one."""
    balanced: bool
    """Whether it is, or may be, one of several replicas, and so is to be asked for its health."""


def targets(addresses: Iterable[str]) -> list[Target]:
    """The fewest targets that stand for all addresses of an entrypoint.

    Args:
        addresses: "127.0.0.1:7420", "[::1]:7420", "books.internal:7420" or "unix:/path"; at least one.
    """
    groups: dict[str, list[str]] = {}
    for address in addresses:
        groups.setdefault(_scheme(address), []).append(address.removeprefix("unix:"))
    several = sum(map(len, groups.values())) > 1
    found = []
    for scheme, members in groups.items():
        if scheme in {"ipv4", "ipv6", "unix"}:
            # A single one by its plain address, for errors and logs tell it.
            uri = f"{scheme}:{','.join(members)}" if several or scheme == "unix" else members[0]
            found.append(Target(uri, len(members), several))
        else:
            # A name may stand for several replicas by itself.
            found += [Target(name, 1, several or not name.startswith("localhost:")) for name in members]
    return found


def channel_options(*, balanced: bool) -> list[tuple[str, int | str]]:
    """The options of a channel."""
    return [*_OPTIONS, *([("grpc.service_config", _SERVICE_CONFIG)] if balanced else [])]


def _scheme(address: str) -> str:
    if address.startswith("unix:"):
        return "unix"
    host = address.rpartition(":")[0]
    try:
        return f"ipv{ipaddress.ip_address(host.strip('[]')).version}"
    except ValueError:
        return "dns"
