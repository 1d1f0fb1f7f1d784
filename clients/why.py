"""`bookmesh why ID`: what every service remembers of a call, told as one story."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Sequence

from bookmesh.books.v1.admin_service_pb2 import ExplainCallRequest as BooksRequest
from bookmesh.isbndb.v1.admin_service_pb2 import ExplainCallRequest as IsbndbRequest
from bookmesh.mesh.v1.journal_pb2 import CALL_SIDE_CLIENT, CallRecord
from bookmesh.warmer.v1.admin_service_pb2 import ExplainCallRequest as WarmerRequest
from rich.text import Text
from rich.tree import Tree

from clients.connect import Services
from mesh.status import InvalidArgumentError, MeshError


async def explain(services: Services, identity: str) -> list[CallRecord]:
    """The records of a trace or a call from every service that answers, the oldest first.

    Raises:
        InvalidArgumentError: the id has not the form of one.
        MeshError: no service answers.
    """
    answers = await asyncio.gather(
        services.warmer_admin.ExplainCall(WarmerRequest(id=identity)),
        services.books_admin.ExplainCall(BooksRequest(id=identity)),
        services.isbndb_admin.ExplainCall(IsbndbRequest(id=identity)),
        return_exceptions=True,
    )
    failures = [answer for answer in answers if isinstance(answer, BaseException)]
    for failure in failures:
        # A service that is down must not hide what the others remember.
        if not isinstance(failure, MeshError) or isinstance(failure, InvalidArgumentError):
            raise failure
    if len(failures) == len(answers):
        raise failures[0]
    records = [record for answer in answers if not isinstance(answer, BaseException) for record in answer.records]
    return sorted(records, key=lambda record: record.end_time.ToNanoseconds())


def story(records: Sequence[CallRecord]) -> Tree:
    """The calls as a tree: each below the one that it was made to answer."""
    by_call: dict[str, list[CallRecord]] = defaultdict(list)
    for record in records:
        by_call[record.call_id].append(record)
    calls = {call_id: _told_by_the_caller(group) for call_id, group in by_call.items()}
    tree = Tree(Text(f"trace {records[0].trace_id}", style="bold"))
    branches: dict[str, Tree] = {}

    def branch(call_id: str) -> Tree:
        if call_id not in branches:
            parent = calls[call_id].parent_id
            at = branch(parent) if parent in calls else tree
            branches[call_id] = at.add(_line(calls[call_id]))
            for decision in _decisions(by_call[call_id]):
                branches[call_id].add(decision)
        return branches[call_id]

    for call_id in calls:
        branch(call_id)
    return tree


def _told_by_the_caller(group: Iterable[CallRecord]) -> CallRecord:
    """The caller's record knows more: the binding, the attempts, the breaker."""
    return min(group, key=lambda record: record.side != CALL_SIDE_CLIENT)


def _line(record: CallRecord) -> Text:
    caller = f"{record.caller} through {record.binding}" if record.binding else record.caller or "people"
    entrypoint = "" if record.entrypoint == "Default" else f":{record.entrypoint}"
    text = Text.assemble(f"{caller} → {record.service}{entrypoint} {record.method.rpartition('/')[2]}: ")
    text.append(f"{record.code} {record.reason}".strip(), style="green" if record.code == "OK" else "red")
    text.append(f", {record.duration_ms:.1f} ms")
    if record.attempts > 1:
        text.append(f", {record.attempts} attempts")
    if record.breaker not in {"", "CLOSED"}:
        text.append(f", breaker {record.breaker}")
    if record.tier:
        text.append(f", from {record.tier.lower()}")
    return text


def _decisions(group: Iterable[CallRecord]) -> list[Text]:
    return [
        Text.assemble((decision.what.replace("_", " "), "yellow"), f": {decision.why}")
        for record in group
        for decision in record.decisions
    ]
