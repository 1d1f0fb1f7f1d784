"""How answers look on a terminal; every function is pure and gives something that rich can print."""

from collections.abc import Iterable, Iterator

from bookmesh.books.v1.books_service_pb2 import ProviderOutcome, ProviderState, QueryKind, SearchAutoResponse
from bookmesh.mesh.v1.admin_pb2 import Breaker, BreakerState, Health, HealthState
from bookmesh.type.v1.book_pb2 import Edition, Format, Provenance, Tier, Work, WorkKind
from rich.table import Table
from rich.text import Text


def word(name: str, prefix: str) -> str:
    """An enum value's name as people read it: "TIER_HOT" is "hot"."""
    return name.removeprefix(prefix).replace("_", " ").lower()


def provenance(of: Provenance, elapsed_ms: float) -> Text:
    """Where an answer came from, how old it is, and how long it took: "hot, 3 s old, 1.9 ms"."""
    parts = [word(Tier.Name(of.tier), "TIER_")]
    if of.tier != Tier.TIER_ORIGIN:
        parts.append(f"{_age(of.age_ms / 1000)} old")
    if of.stale:
        parts.append("stale")
    return Text(", ".join([*parts, f"{elapsed_ms:.1f} ms"]), style="cyan")


def _age(seconds: float) -> str:
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def search(answer: SearchAutoResponse, *, limit: int = 10) -> Table:
    """A table of works, the best match first."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for column in ("Title", "Authors", "First", "ISBN", "Publisher", "Format"):
        table.add_column(column, overflow="fold", justify="right" if column == "First" else "left")
    for work in answer.results[:limit]:
        edition = work.editions[0] if work.editions else Edition()
        table.add_row(
            Text(work.title),
            Text(", ".join(author.name for author in work.authors)),
            str(work.first_publication_year or ""),
            edition.isbn_13 or edition.isbn_10,
            Text(edition.publisher),
            word(Format.Name(edition.format), "FORMAT_").replace("unspecified", ""),
        )
    return table


def interpretation(answer: SearchAutoResponse) -> Text:
    """How the query was understood, and how many works answer it."""
    kind = word(QueryKind.Name(answer.interpretation.kind), "QUERY_KIND_")
    count = len(answer.results)
    return Text(f"{count} work{'' if count == 1 else 's'} for {kind} {answer.interpretation.normalized_text!r}")


def outcomes(providers: Iterable[ProviderOutcome]) -> Text:
    """What each provider did: "isbndb answered, 12 editions, 1 call"."""
    said = []
    for outcome in providers:
        state = word(ProviderState.Name(outcome.state), "PROVIDER_STATE_")
        reason = f" ({outcome.reason})" if outcome.reason else ""
        said.append(f"{outcome.provider} {state}{reason}, {outcome.edition_count} editions, {outcome.call_count} calls")
    return Text("; ".join(said), style="dim")


def works(found: Iterable[Work]) -> Table:
    """A bibliography."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for column in ("First", "Title", "Editions", "ISBN", "Formats"):
        table.add_column(column, overflow="fold", justify="right" if column in {"First", "Editions"} else "left")
    for work in found:
        isbn = next((edition.isbn_13 for edition in work.editions if edition.isbn_13), "")
        year, count = str(work.first_publication_year or ""), str(len(work.editions))
        table.add_row(year, Text(work.title), count, isbn, ", ".join(_formats(work)))
    return table


def _formats(work: Work) -> Iterator[str]:
    """What a work is, if it is no plain book, and the formats of its editions; what nobody told is left out."""
    if work.kind not in (WorkKind.WORK_KIND_UNSPECIFIED, WorkKind.WORK_KIND_BOOK):
        yield word(WorkKind.Name(work.kind), "WORK_KIND_")
    for form in dict.fromkeys(edition.format for edition in work.editions if edition.format):
        yield word(Format.Name(form), "FORMAT_")


def health(reports: Iterable[Health]) -> Table:
    """Services, and under each its bindings, stores and secrets."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for column in ("Part", "State", "Time", "About"):
        table.add_column(column, justify="right" if column == "Time" else "left")
    for report in reports:
        table.add_row(f"[bold]{report.worker}[/]", _state(report.state), "", "")
        for binding in report.bindings:
            about = f"{binding.service} {binding.entrypoint}, {binding.transport} {binding.reason}".rstrip()
            table.add_row(f"  {binding.binding}", _state(binding.state), f"{binding.response_time_ms:.2f} ms", about)
        for store in report.stores:
            about = f"{store.kind} {store.reason}".rstrip()
            table.add_row(f"  {store.binding}", _state(store.state), f"{store.response_time_ms:.2f} ms", about)
        for secret in report.secrets:
            about = "from a stand-in" if secret.stand_in else ""
            table.add_row(f"  {secret.binding}", "set" if secret.present else "[dim]not set[/]", "", about)
    return table


def breakers(found: Iterable[Breaker], now: float) -> Table:
    """Circuit breakers: where each stands since when, and what it saw lately.

    Args:
        found: the breakers.
        now: seconds since the epoch, for how long each has stood there.
    """
    table = Table(box=None, pad_edge=False, header_style="dim")
    for column in (
        "Caller",
        "Breaker",
        "State",
        "For",
        "In a row",
        "Lately",
        "Failed",
        "Slow",
        "Passed",
        "Refused",
        "Last",
    ):
        table.add_column(column, justify="left" if column in {"Caller", "Breaker", "State", "Last"} else "right")
    for each in found:
        table.add_row(
            each.caller,
            each.name,
            _breaker_state(each),
            _age(max(0.0, now - each.change_time.ToMilliseconds() / 1000)),
            str(each.consecutive_failure_count),
            str(each.window_call_count),
            f"{each.failure_rate:.0%}" if each.HasField("failure_rate") else "",
            f"{each.slow_rate:.0%}" if each.HasField("slow_rate") else "",
            str(each.permitted_count),
            str(each.refused_count),
            each.last_event.why.replace("_", " "),
        )
    return table


def _breaker_state(of: Breaker) -> str:
    said = word(BreakerState.Name(of.state), "BREAKER_STATE_")
    if of.state == BreakerState.BREAKER_STATE_CLOSED:
        return f"[green]{said}[/]"
    if of.state in {BreakerState.BREAKER_STATE_OPEN, BreakerState.BREAKER_STATE_FORCED_OPEN}:
        return f"[red]{said}[/]" + (f", probe in {_age(of.reopen_ms / 1000)}" if of.reopen_ms else "")
    return f"[yellow]{said}[/]"


def _state(state: HealthState.ValueType) -> str:
    style = {HealthState.HEALTH_STATE_HEALTHY: "green", HealthState.HEALTH_STATE_DEGRADED: "yellow"}.get(state, "red")
    return f"[{style}]{word(HealthState.Name(state), 'HEALTH_STATE_')}[/]"
