"""The gate before an entrypoint: who passes, who waits, who is turned away."""

import asyncio

from mesh.gate import Gate


def made(limit: int = 2, queue: int = 2, wait_s: float = 5.0, batch_share: float = 1.0) -> Gate:
    """A gate."""
    return Gate(limit=limit, queue=queue, wait_s=wait_s, batch_share=batch_share)


async def settle() -> None:
    """Lets every task run as far as it can."""
    for _ in range(3):
        await asyncio.sleep(0)


async def test_limit() -> None:
    """As many pass as there are places."""
    gate = made()
    assert [gate.enter(batch=False) for _ in range(3)] == [True, True, False]


async def test_place_is_handed_on() -> None:
    """Who leaves gives the place to who has waited longest."""
    gate = made(limit=1)
    gate.enter(batch=False)
    first = asyncio.create_task(gate.wait(batch=False))
    second = asyncio.create_task(gate.wait(batch=False))
    await settle()
    gate.leave()
    await settle()
    assert (first.done() and first.result(), second.done(), gate.active, gate.waiting) == ("", False, 1, 1)
    second.cancel()
    await asyncio.gather(second, return_exceptions=True)


async def test_full_queue_turns_away_at_once() -> None:
    """Above the queue nobody waits at all, and it is counted."""
    gate = made(limit=1, queue=0)
    gate.enter(batch=False)
    assert (await gate.wait(batch=False), gate.shed) == ("1 calls run and 0 wait", 1)


async def test_interactive_goes_ahead_of_batch() -> None:
    """A call that somebody waits for gets the place before batch work that came earlier."""
    gate = made(limit=1)
    gate.enter(batch=False)
    batch = asyncio.create_task(gate.wait(batch=True))
    await settle()
    interactive = asyncio.create_task(gate.wait(batch=False))
    await settle()
    gate.leave()
    await settle()
    assert (batch.done(), interactive.done()) == (False, True)
    gate.leave()
    assert await batch == ""


async def test_interactive_takes_the_place_of_batch_in_the_queue() -> None:
    """In a full queue the newest batch work gives way, and is told so."""
    gate = made(limit=1, queue=1)
    gate.enter(batch=False)
    batch = asyncio.create_task(gate.wait(batch=True))
    await settle()
    interactive = asyncio.create_task(gate.wait(batch=False))
    assert "no place" in await batch
    gate.leave()
    assert await interactive == ""


async def test_batch_leaves_places_free() -> None:
    """Batch work takes no more than its share, so that a call which somebody waits for finds a place."""
    gate = made(limit=4, batch_share=0.5)
    assert [gate.enter(batch=True) for _ in range(3)] == [True, True, False]
    assert gate.enter(batch=False)


async def test_waiting_ends() -> None:
    """Who waits too long is turned away, and leaves the queue."""
    gate = made(limit=1, wait_s=0.01)
    gate.enter(batch=False)
    assert (await gate.wait(batch=False), gate.waiting, gate.active) == ("no place became free in 10 ms", 0, 1)


async def test_cancelled_while_waiting() -> None:
    """A caller that goes away while it waits leaves no trace."""
    gate = made(limit=1)
    gate.enter(batch=False)
    waiting = asyncio.create_task(gate.wait(batch=False))
    await settle()
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    gate.leave()
    assert (gate.active, gate.waiting) == (0, 0)


async def test_cancelled_as_the_place_is_given() -> None:
    """A place that was given to a caller which goes away in that moment goes to the next."""
    gate = made(limit=1)
    gate.enter(batch=False)
    gone, next_one = (asyncio.create_task(gate.wait(batch=False)) for _ in range(2))
    await settle()
    gate.leave()
    gone.cancel()
    assert (await next_one, gate.active) == ("", 1)


async def test_many() -> None:
    """However many come, never more run than there are places, and all places are free at the end."""
    gate, most = made(limit=5, queue=1_000), 0

    async def visit(number: int) -> None:
        nonlocal most
        batch = number % 3 == 0
        if gate.enter(batch=batch) or not await gate.wait(batch=batch):
            most = max(most, gate.active)
            await asyncio.sleep(0)
            gate.leave()

    await asyncio.gather(*(visit(number) for number in range(500)))
    assert (most, gate.active, gate.waiting, gate.shed) == (5, 0, 0, 0)
