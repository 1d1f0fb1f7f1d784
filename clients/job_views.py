"""How libraries, plans and jobs look on a terminal; every function is pure and gives something that rich can print."""

from collections.abc import Iterable
from datetime import timedelta

from bookmesh.warmer.v1.warmer_service_pb2 import (
    Library,
    LibraryFormat,
    Reject,
    Repair,
    WarmJob,
    WarmJobState,
    WarmPlan,
)
from rich.table import Table
from rich.text import Text

from clients.render import word


def library(of: Library) -> Text:
    """What a library holds: "268 rows: 255 books by 140 authors, 9 duplicates, 4 rejects, 3 mended"."""
    return Text(
        f"{of.row_count:,} rows: {of.book_count:,} books by {of.author_count:,} authors, "
        f"{of.duplicate_count:,} duplicates, {of.reject_count:,} rejects, {of.repair_count:,} mended"
    )


def libraries(found: Iterable[Library]) -> Table:
    """A table of libraries."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for column in ("Library", "File", "Format", "Rows", "Books", "Authors", "Stored"):
        table.add_column(column, justify="right" if column in {"Rows", "Books", "Authors"} else "left", overflow="fold")
    for each in found:
        table.add_row(
            each.id,
            Text(each.file_name),
            word(LibraryFormat.Name(each.format), "LIBRARY_FORMAT_"),
            *(f"{count:,}" for count in (each.row_count, each.book_count, each.author_count)),
            each.create_time.ToDatetime().isoformat(sep=" ", timespec="seconds"),
        )
    return table


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


def plan(of: WarmPlan) -> Table:
    """What a job will do, and what it will cost."""
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(justify="right")
    table.add_column()
    table.add_row(f"{of.search_count:,}", "searches")
    for count, what in (
        (of.isbn_count, "by ISBN"),
        (of.author_count, "by author"),
        (of.title_count, f"by title, of which the authors' bibliographies cover {of.covered_count:,}"),
        (of.fresh_count, "of them fresh already"),
    ):
        table.add_row(f"{count:,}", Text(f"  {what}"))
    for each in of.provider_calls:
        left = "" if each.quota_left < 0 else f", of {each.quota_left:,} that are left for warming today"
        table.add_row(f"{each.call_count:,}", f"calls to {each.provider}{left}")
    table.add_row(
        str(timedelta(milliseconds=of.estimated_duration_ms)).split(".")[0], "at least, at the provider's rate"
    )
    if of.day_count > 1:
        table.add_row(f"{of.day_count:,}", "days, for the provider allows only so many calls in one")
    if of.skipped_count:
        table.add_row(f"{of.skipped_count:,}", "rows have no ISBN, and this strategy asks by nothing else")
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
