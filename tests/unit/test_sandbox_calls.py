"""What is counted of the calls."""

from sandbox.calls import KEPT, Calls


class Clock:
    """A clock that stands until it is put on."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        """The time that it shows."""
        return self.now


def test_calls_are_counted_by_endpoint_and_status() -> None:
    """Two books found and one not are three calls of one endpoint."""
    calls = Calls(Clock())
    for status in (200, 404, 200):
        calls.end(calls.begin("GET /book/{isbn}", "/book/1", "isbndb"), status)
    report = calls.report()
    assert (
        report["total"],
        report["by_endpoint"],
        report["by_status"],
    ) == (3, {"GET /book/{isbn}": 3}, {"200": 2, "404": 1})


def test_the_peak_is_the_most_calls_at_once() -> None:
    """Calls that overlap raise the peak; calls one after the other do not."""
    calls = Calls(Clock())
    both = [calls.begin("a", "/", "p"), calls.begin("a", "/", "p")]
    for ticket in both:
        calls.end(ticket, 200)
    calls.end(calls.begin("a", "/", "p"), 200)
    assert (calls.report()["peak_concurrency"], calls.report()["running"]) == (2, 0)


def test_the_rate_of_the_callers_can_be_read() -> None:
    """The shortest gap and the most calls in a second show whether a client kept its distance."""
    clock = Clock()
    calls = Calls(clock)
    for gap in (0.0, 0.5, 0.25, 2.0):
        clock.now += gap
        calls.end(calls.begin("a", "/", "p"), 200)
    assert (calls.report()["shortest_gap_ms"], calls.report()["peak_per_second"]) == (250.0, 3)


def test_the_last_calls_tell_their_time() -> None:
    """A call of 20 ms with three ISBNs is shown so."""
    clock = Clock()
    calls = Calls(clock)
    ticket = calls.begin("POST /books", "/books", "isbndb")
    clock.now += 0.02
    ticket.isbn_count = 3
    calls.end(ticket, 200)
    assert calls.report()["last"] == [
        {
            "endpoint": "POST /books",
            "target": "/books",
            "provider": "isbndb",
            "status": 200,
            "isbn_count": 3,
            "start_time": 100.0,
            "took_ms": 20.0,
        }
    ]


def test_only_so_many_of_the_last_calls_are_kept() -> None:
    """Counters go on when the list of calls is full; a caller may ask for fewer."""
    calls = Calls(Clock())
    for number in range(KEPT + 5):
        calls.end(calls.begin("a", f"/{number}", "p"), 200)
    last = calls.report(1)["last"]
    assert (KEPT + 5, KEPT, f"/{KEPT + 4}") == (
        calls.report()["total"],
        len(calls.last),
        last[0]["target"] if isinstance(last, list) else None,
    )


def test_a_reset_forgets_all_but_what_runs() -> None:
    """A call under way while the counters are reset is still running, and ends without harm."""
    calls = Calls(Clock())
    ticket = calls.begin("a", "/", "p")
    calls.reset()
    before = [calls.report()[name] for name in ("total", "running", "peak_concurrency")]
    calls.end(ticket, 200)
    assert (before, calls.report()["running"]) == ([0, 1, 1], 0)


def test_each_provider_has_counters_of_its_own() -> None:
    """The haste of one caller at one provider is no haste at another."""
    clock = Clock()
    calls = Calls(clock)
    for provider in ("isbndb", "open_library", "isbndb"):
        calls.end(calls.begin("a", "/", provider), 200)
        clock.now += 0.5
    assert {
        name: (tally.report()["total"], tally.report()["shortest_gap_ms"]) for name, tally in calls.by_provider.items()
    } == {
        "isbndb": (2, 1000.0),
        "open_library": (1, None),
    }
