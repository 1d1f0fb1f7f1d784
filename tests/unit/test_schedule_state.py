"""The steps of a trigger follow from what is kept of it and the time: what fires, what is skipped, what is made up."""

from dataclasses import replace

from mesh.schedule.firing import Firing
from mesh.schedule.state import KEPT, LOST, ON_TIME_S, Running, State, by_hand, by_the_clock, given_up, lost

LINE = "*/15 * * * *"
QUARTER = 900
DUE = 1_798_804_800
"""Noon, and an instant of the line."""


def firing(due: float = DUE, *, forced: bool = False, made_up: bool = False) -> Firing:
    """A firing that began on time."""
    return Firing(cron=LINE, due_time=due, start_time=due, forced=forced, made_up=made_up)


def running(*, forced: bool = False, made_up: bool = False) -> State:
    """A trigger whose firing of noon is under way."""
    return State(through=DUE, running=Running(holder="a", firing=firing(forced=forced, made_up=made_up)))


def test_first_sight() -> None:
    """A trigger that was never seen fires for nothing that is past, not even for the instant that is now."""
    step = by_the_clock(LINE, None, DUE, "a")
    assert (step.begins, step.state) == (None, State(through=DUE))


def test_not_due() -> None:
    """Until the next instant nothing happens."""
    state = State(through=DUE)
    assert by_the_clock(LINE, state, DUE + QUARTER - 0.001, "a") == (state, None)


def test_due() -> None:
    """An instant that has come fires, under the lease of whoever saw it."""
    step = by_the_clock(LINE, State(through=DUE - QUARTER), DUE + 0.5, "a")
    begun = Firing(cron=LINE, due_time=DUE, start_time=DUE + 0.5)
    assert step == (State(through=DUE, running=Running(holder="a", firing=begun)), begun)


def test_a_clock_that_is_behind() -> None:
    """Who comes to an instant that another clock has dealt with finds nothing to do."""
    state = State(through=DUE + QUARTER)
    assert by_the_clock(LINE, state, DUE + QUARTER - 3.0, "a") == (state, None)


def test_late() -> None:
    """A firing that begins after its minute is made up; one within it is on time."""
    state = State(through=DUE - QUARTER)
    steps = [by_the_clock(LINE, state, DUE + late, "a") for late in (ON_TIME_S, ON_TIME_S + 0.1)]
    assert [step.begins is not None and step.begins.made_up for step in steps] == [False, True]


def test_many_missed() -> None:
    """Of many missed instants the last is made up, and nothing is left to make up."""
    step = by_the_clock(LINE, State(through=DUE - 300 * QUARTER), DUE + 120, "a")
    assert step.begins is not None
    assert (step.begins.due_time, step.begins.made_up) == (DUE, True)
    after = step.state.finished(replace(step.begins, end_time=DUE + 130))
    assert by_the_clock(LINE, after, DUE + 140, "a").begins is None


def test_skipped() -> None:
    """An instant that comes while a firing runs is skipped once, and that is told; what runs goes on."""
    first = by_the_clock(LINE, running(), DUE + QUARTER + 1, "b")
    told = [(each.due_time, each.outcome, each.reason) for each in first.state.firings]
    assert told == [(DUE + QUARTER, "skipped: the firing of 2027-01-01T12:00:00Z still runs", "")]
    assert (first.begins, first.state.running) == (None, running().running)
    assert by_the_clock(LINE, first.state, DUE + QUARTER + 5, "b") == (first.state, None)


def test_after_a_skipped_one() -> None:
    """A skipped instant is not fired later: the next one is."""
    skipped = by_the_clock(LINE, running(), DUE + QUARTER + 1, "b").state
    free = skipped.finished(replace(firing(), end_time=DUE + 1000))
    assert by_the_clock(LINE, free, DUE + 1001, "b").begins is None
    following = by_the_clock(LINE, free, DUE + 2 * QUARTER, "b").begins
    assert following is not None
    assert following.due_time == DUE + 2 * QUARTER


def test_lost_and_made_up() -> None:
    """A firing whose replica is gone is told as lost, and the same instant is fired once more."""
    state = given_up(running(), DUE + 20)
    assert [(each.end_time, each.reason) for each in state.firings] == [(DUE + 20, LOST)]
    step = by_the_clock(LINE, state, DUE + 20, "b")
    assert step.begins is not None
    assert (step.begins.due_time, step.begins.made_up, step.begins.id) == (DUE, True, firing().id)
    assert step.state.owed is None


def test_made_up_after_a_skip() -> None:
    """A lost firing is made up for though an instant was skipped for it."""
    skipped = by_the_clock(LINE, running(), DUE + QUARTER, "b").state
    step = by_the_clock(LINE, given_up(skipped, DUE + QUARTER + 5), DUE + QUARTER + 5, "b")
    assert step.begins is not None
    assert (step.begins.due_time, step.begins.made_up) == (DUE, True)


def test_a_newer_instant_makes_up() -> None:
    """Where the next instant is due when a firing is found lost, that one fires, and makes up for the other."""
    step = by_the_clock(LINE, given_up(running(), DUE + QUARTER), DUE + QUARTER, "b")
    assert step.begins is not None
    assert (step.begins.due_time, step.state.owed) == (DUE + QUARTER, None)


def test_lost_again() -> None:
    """What was made up and lost again is not made up twice, and what somebody forced is not at all."""
    for state in (running(made_up=True), running(forced=True)):
        after = given_up(state, DUE + 20)
        assert (after.owed, by_the_clock(LINE, after, DUE + 20, "b").begins) == (None, None)


def test_a_forced_one_leaves_what_is_owed() -> None:
    """A lost firing that somebody forced takes nothing from one that is to be made up."""
    state = replace(running(forced=True), owed=DUE - QUARTER)
    assert given_up(state, DUE + 20).owed == DUE - QUARTER


def test_lost_by_a_clock_that_is_behind() -> None:
    """No firing ends before it began, whoever gives it up."""
    assert lost(firing(), DUE - 3.0).end_time == DUE


def test_nothing_to_give_up() -> None:
    """Where nothing runs, nothing is lost."""
    assert given_up(State(through=DUE), DUE) == State(through=DUE)


def test_by_hand() -> None:
    """Somebody may fire at any time, and the next instant comes all the same."""
    step = by_hand(LINE, State(through=DUE), DUE + 100.25, "a")
    assert step.begins == Firing(cron=LINE, due_time=DUE + 100.25, start_time=DUE + 100.25, forced=True)
    assert step.begins.id == "*/15 * * * * by hand 2027-01-01T12:01:40.250000Z"
    after = step.state.finished(step.begins)
    assert by_the_clock(LINE, after, DUE + QUARTER, "a").begins == firing(DUE + QUARTER)


def test_by_hand_at_first_sight() -> None:
    """A trigger that somebody fires before anybody has looked at the clock fires for nothing else that is past."""
    step = by_hand(LINE, None, DUE + 100, "a")
    assert (step.begins is not None, step.state.through) == (True, DUE)


def test_by_hand_while_one_runs() -> None:
    """Nobody can force a second firing beside the first; that it was skipped is told."""
    step = by_hand(LINE, running(), DUE + 100, "b")
    assert (step.begins, step.state.running) == (None, running().running)
    assert [(each.forced, each.outcome) for each in step.state.firings] == [
        (True, "skipped: the firing of 2027-01-01T12:00:00Z still runs")
    ]


def test_kept() -> None:
    """The last hundred firings are kept, and one that runs for long is among them once it has ended."""
    state = running()
    for number in range(1, KEPT + 50):
        state = by_the_clock(LINE, state, DUE + number * QUARTER, "b").state
    assert (len(state.firings), len(state.newest_first())) == (KEPT, KEPT + 1)
    long = replace(firing(), end_time=DUE + 150 * QUARTER)
    ended = state.finished(long)
    assert (len(ended.firings), ended.firings[0], ended.newest_first()[-1]) == (KEPT, long, long)


def test_newest_first() -> None:
    """Firings are told by their beginning, the one under way among them."""
    state = by_the_clock(LINE, running(), DUE + QUARTER, "b").state
    assert [each.due_time for each in state.newest_first()] == [DUE + QUARTER, DUE]
