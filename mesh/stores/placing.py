"""How a file of a directory bucket comes to its place: the only module that writes, links and renames there.

A file is written apart from its place, synced and renamed, so a reader sees the old one or the new one and never a torn
one, whatever dies when. A file's name is the hash of its key, so no key can lead out of the directory, be too long, or
clash where case does not count.
"""

import contextlib
import hashlib
import itertools
import os
import secrets
import time
from collections.abc import Iterator, Mapping
from io import RawIOBase
from pathlib import Path
from typing import BinaryIO

from mesh.stores.object_file import file_of_many, head_of_one

SUFFIX = ".object"
"""What the name of a file that is in its place ends with."""

_NEW = "new"
"""The directory that files are written in before they have their places."""


class Placing:
    """The places of objects below one directory, and the way there.

    Args:
        path: the directory; it is made when it is first needed.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._mark = secrets.token_hex(8)
        self._count = itertools.count()

    def file(self, key: str) -> Path:
        """Where an object lies."""
        return Path(self.place(key))

    def place(self, key: str) -> str:
        """The same as a text, for to make a Path of each of a thousand keys costs more than to look there."""
        digest = hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
        return f"{self._path}/{digest[:2]}/{digest}{SUFFIX}"

    @contextlib.contextmanager
    def one(self, key: str, metadata: Mapping[str, str] | None, *, if_absent: bool = False) -> Iterator[BinaryIO]:
        """A file to write an object into; it takes its place when the block ends well.

        Raises:
            FileExistsError: with `if_absent`, when there is one already.
        """
        place = self.file(key)
        name = self._new_name()
        place.parent.mkdir(parents=True, exist_ok=True)
        try:
            with os.fdopen(_opened(name), "wb") as file:
                file.write(head_of_one(key, metadata or {}, time.time()))
                yield file
                file.flush()
                os.fsync(file.fileno())
            if if_absent:
                os.link(name, place)  # unlike a rename, this refuses to take another's place
                os.unlink(name)  # noqa: PTH108 - beside os.link, of which Path has no equal that names both alike
            else:
                os.replace(name, place)  # noqa: PTH105 - the same
            _sync_directory(place.parent)
        except BaseException:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(name)  # noqa: PTH108 - the same
            raise

    def many(self, items: Mapping[str, bytes]) -> None:
        """Writes one file of many objects, and gives it all of their places."""
        name = self._new_name()
        try:
            with os.fdopen(_opened(name), "wb", buffering=0) as file:
                _write_all(file, file_of_many(items, time.time()))
            for key in items:
                self._link(name, self.place(key))
        finally:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(name)  # noqa: PTH108 - names are texts here, for there are a thousand at a time

    def _link(self, name: str, place: str) -> None:
        """Gives a file one more place; the directory is made when it is first needed."""
        try:
            os.link(name, place)
        except FileNotFoundError:
            Path(place).parent.mkdir(parents=True, exist_ok=True)
            os.link(name, place)
        except FileExistsError:
            other = self._new_name()
            os.link(name, other)
            os.replace(other, place)  # noqa: PTH105 - the same

    def _new_name(self) -> str:
        """The name of a file that is being written; no other has it, whichever process writes."""
        return f"{self._path}/{_NEW}/{self._mark}-{next(self._count)}"


def _opened(name: str) -> int:
    """A new file, open to be written; its directory is made when it is first needed."""
    flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC
    try:
        return os.open(name, flags, 0o600)
    except FileNotFoundError:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        return os.open(name, flags, 0o600)


def _write_all(file: RawIOBase, content: bytes) -> None:
    left = memoryview(content)
    while left:
        left = left[file.write(left) or 0 :]


def _sync_directory(path: Path) -> None:
    """A rename is only safe once its directory is on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
