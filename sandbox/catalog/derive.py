"""The only place that makes loc.csv: download, check, read, pick, write. `python -m sandbox.catalog.derive`."""

import argparse
import csv
import hashlib
import io
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from sandbox.catalog import LOC
from sandbox.catalog.extract import Item, items
from sandbox.catalog.marc import records
from sandbox.catalog.pick import pick
from sandbox.languages import iso639

PACKAGE = "pymarc==5.4.0"
SHA256 = "b2016b1674d1956636c99b9bf95b31840c5cb8f22645672a660e66326371b2f3"
MEMBER = "pymarc-5.4.0/BooksAll.2016.part01.utf8"
COLUMNS = (
    "isbn13", "title", "subtitle", "authors", "publisher", "year", "pages", "language", "binding", "edition", "dewey",
    "price", "subjects", "summary", "latin_title", "latin_authors", "work",
)  # fmt: skip
_CHUNK_BYTES = 1 << 20
_SEPARATOR = "; "


def main(argv: list[str] | None = None) -> int:
    """Writes the catalogue and says how many books it holds.

    Returns:
        0 when the file was written, 1 when the source is not the one that is expected.
    """
    parser = argparse.ArgumentParser(prog="python -m sandbox.catalog.derive", description=__doc__)
    parser.add_argument("--sdist", type=Path, help="pymarc's source distribution, when it lies here already")
    parser.add_argument("--output", type=Path, default=LOC, help="where the catalogue goes (default: %(default)s)")
    options = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as folder:
        sdist = options.sdist or _download(Path(folder))
        if (found := _sha256(sdist)) != SHA256:
            sys.stderr.write(f"{sdist.name} is not the pinned source: sha256 {found}, expected {SHA256}\n")
            return 1
        books = pick(item for record in records(_chunks(sdist)) for item in items(record))
    options.output.write_text(write(books), encoding="utf-8", newline="")
    sys.stdout.write(f"{options.output.name}: {len(books)} books\n")
    return 0


def write(books: Iterable[Item]) -> str:
    """The catalogue as CSV (RFC 4180 quoting, LF, UTF-8): one line for a book."""
    books = list(books)
    first_record: dict[str, str] = {}
    for book in sorted(books, key=lambda book: book.record):
        first_record.setdefault(book.work, book.record)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(_row(book, first_record[book.work]) for book in books)
    return out.getvalue()


def _row(book: Item, work: str) -> tuple[str, ...]:
    """One line, in the order of COLUMNS."""
    return (
        book.isbn13, book.title, book.subtitle, _SEPARATOR.join(book.authors), book.publisher, book.year, book.pages,
        iso639(book.language), book.binding, book.edition, book.dewey, book.price, _SEPARATOR.join(book.subjects),
        book.summary, book.latin_title, _SEPARATOR.join(book.latin_authors), work,
    )  # fmt: skip


def _download(folder: Path) -> Path:
    """Fetches the source distribution through pip, from whatever index this machine's pip knows."""
    options = ("--quiet", "--disable-pip-version-check", "--no-deps", "--no-binary", "pymarc", "--dest", str(folder))
    command = [sys.executable, "-m", "pip", "download", *options, PACKAGE]
    subprocess.run(command, check=True)  # noqa: S603 -- every word of it stands here
    return next(folder.glob("pymarc-*.tar.gz"))


def _sha256(path: Path) -> str:
    """The file's SHA-256 in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _chunks(sdist: Path) -> Iterator[bytes]:
    """The MARC file inside the archive, piece by piece: unpacked it is 242 MB."""
    with tarfile.open(sdist) as archive:
        member = archive.extractfile(MEMBER)
        if member is None:
            raise FileNotFoundError(f"{MEMBER} is no file of {sdist.name}")
        while chunk := member.read(_CHUNK_BYTES):
            yield chunk


if __name__ == "__main__":
    sys.exit(main())
