"""Which call goes wrong, and how."""

import pytest

from sandbox.faults import Fault, FaultError, Faults, Strike, parse


def test_nothing_strikes_where_nothing_is_switched_on() -> None:
    """Without faults a call has no delay and no mishap."""
    assert Strike() == Faults().strike("/book/1")


def test_every_third_call_is_struck() -> None:
    """A rate is kept by counting: the third, the sixth, and no other."""
    faults = Faults([Fault(kind="status", every=3)])
    assert [faults.strike("/book/1").kind == "status" for _ in range(6)] == [False, False, True, False, False, True]


def test_a_path_limits_a_fault() -> None:
    """Calls of another path are neither struck nor counted."""
    faults = Faults([Fault(kind="drop", path="/author", every=2)])
    assert [faults.strike(path).kind for path in ("/book/1", "/author/a", "/book/1", "/author/a")] == [
        "latency",
        "latency",
        "latency",
        "drop",
    ]


def test_a_provider_limits_a_fault() -> None:
    """Calls of another provider are neither struck nor counted."""
    faults = Faults([Fault(kind="drop", provider="google_books", every=2)])
    called = ("google_books", "isbndb", "open_library", "google_books")
    assert [faults.strike("/", provider).kind for provider in called] == ["latency", "latency", "latency", "drop"]


def test_a_count_ends_a_fault() -> None:
    """After so many strikes everything is well again."""
    faults = Faults([Fault(kind="hang", count=2)])
    assert [faults.strike("/").kind for _ in range(3)] == ["hang", "hang", "latency"]


def test_delays_add_up_and_the_first_mishap_wins() -> None:
    """Two faults on one call delay it by both their times and break it once."""
    faults = Faults([Fault(latency_ms=20), Fault(kind="status", status=429, latency_ms=30), Fault(kind="drop")])
    assert Strike(delay_s=0.05, kind="status", status=429, trickle_s=0.05) == faults.strike("/")


def test_jitter_differs_and_is_the_same_in_every_run() -> None:
    """Jitter stays within its bound, varies from call to call, and is no chance."""
    runs = [
        [faults.strike("/").delay_s for _ in range(20)] for faults in (Faults([Fault(jitter_ms=9)]) for _ in range(2))
    ]
    assert (runs[0], 10, True) == (runs[1], len(set(runs[0])), max(runs[0]) <= 0.009)


def test_the_report_tells_what_was_seen_and_struck() -> None:
    """A fault is shown as it was given, with its counters."""
    faults = Faults([Fault(kind="status", every=2)])
    for _ in range(5):
        faults.strike("/")
    assert {name: faults.report()[0][name] for name in ("kind", "every", "seen", "struck")} == {
        "kind": "status",
        "every": 2,
        "seen": 5,
        "struck": 2,
    }


def test_one_fault_or_a_list_may_be_given() -> None:
    """A single object is a list of one."""
    assert parse(b'[{"kind": "drop"}]') == parse(b'{"kind": "drop"}')


@pytest.mark.parametrize(
    ("body", "named"),
    [
        (b"", "truncated"),
        (b"{not json", "malformed"),
        (b'{"kind": "explode"}', "kind"),
        (b'{"colour": 1}', "colour"),
        (b'{"every": 0}', "every"),
        (b'{"latency_ms": -1}', "latency_ms"),
        (b'{"jitter_ms": -1}', "jitter_ms"),
        (b'{"count": -1}', "count"),
        (b'{"kind": "status", "status": 200}', "status"),
        (b'[{"path": 7}]', "path"),
    ],
)
def test_a_senseless_fault_is_refused_by_name(body: bytes, named: str) -> None:
    """The message says which field is wrong, or that it is no JSON."""
    with pytest.raises(FaultError) as caught:
        parse(body)
    assert named in str(caught.value)
