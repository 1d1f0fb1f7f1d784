"""How answers look on a terminal; every function is pure and gives something that rich can print."""

from collections.abc import Iterable, Iterator

from bookmesh.books.v1.books_service_pb2 import ProviderOutcome, ProviderState, QueryKind, SearchAutoResponse
from bookmesh.mesh.v1.admin_pb2 import Breaker, BreakerState, Health, HealthState
from bookmesh.type.v1.book_pb2 import Edition, Format, Provenance, Tier, Work, WorkKind
from bookmesh.warmer.v1.warmer_service_pb2 import Library, Reject, Repair, WarmJob, WarmJobState
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


def library(of: Library) -> Text:
    """What a library holds: "268 rows: 255 books by 140 authors, 9 duplicates, 4 rejects, 3 mended"."""
    return Text(
        f"{of.row_count:,} rows: {of.book_count:,} books by {of.author_count:,} authors, "
        f"{of.duplicate_count:,} duplicates, {of.reject_count:,} rejects, {of.repair_count:,} mended"
    )


def rejects(refused: Iterable[Reject], mended: Iterable[Repair]) -> Table:
    """Rows that can't be used and rows that were mended, each with its line and reason."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for column in ("Line", "What", "Reason", "Hint"):
        table.add_column(column, overflow="fold", justify="right" if column == "Line" else "left")
    for row in refused:
        table.add_row(str(row.line), "[red]reject[/]", row.reason, Text(row.hint))
    for repair in mended:
        table.add_row(str(repair.line), "[yellow]mended[/]", repair.reason, Text(repair.hint))
    return table


def jobs(found: Iterable[WarmJob]) -> Table:
    """A table of jobs."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for column in ("Job", "State", "Settled", "Fresh", "Warmed", "Not found", "Failed", "Parked", "Calls", "Created"):
        # An id that is cut can't be copied; the counts may fold instead.
        whole = column in {"Job", "State", "Settled"}
        table.add_column(column, justify="left" if column in {"Job", "State", "Created"} else "right", no_wrap=whole)
    for job in found:
        progress = job.progress
        table.add_row(
            job.id,
            word(WarmJobState.Name(job.state), "WARM_JOB_STATE_"),
            f"{settled(job)}/{progress.search_count}",
            *(str(count) for count in (progress.fresh_count, progress.warmed_count, progress.not_found_count)),
            *(str(count) for count in (progress.failed_count, progress.parked_count, progress.provider_call_count)),
            job.create_time.ToDatetime().isoformat(sep=" ", timespec="seconds"),
        )
    return table


def settled(job: WarmJob) -> int:
    """Searches of a job that are done with, one way or another."""
    progress = job.progress
    done = progress.fresh_count + progress.warmed_count + progress.not_found_count
    return done + progress.failed_count + progress.parked_count


def summary(job: WarmJob) -> Text:
    """What came of a job, in one line."""
    progress = job.progress
    seconds = (job.end_time.ToMilliseconds() - job.start_time.ToMilliseconds()) / 1000
    return Text(
        f"{word(WarmJobState.Name(job.state), 'WARM_JOB_STATE_')}: {progress.search_count:,} searches, "
        f"{progress.fresh_count:,} fresh already, {progress.warmed_count:,} warmed, "
        f"{progress.not_found_count:,} not found, {progress.failed_count:,} failed, {progress.parked_count:,} parked; "
        f"{progress.provider_call_count:,} provider calls in {max(0.0, seconds):.1f} s"
    )


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
