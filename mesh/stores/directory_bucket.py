"""Bucket on a directory: the embedded default, which needs no server and keeps its promises all the same.

An object is a file, or stands in one with others that were put with it. A file is written apart from its place, synced
and renamed, so a reader sees the old one or the new one and never a torn one, whatever dies when. A file's name is the
hash of its key, so no key can lead out of the directory, be too long, or clash where case does not count.
"""

import asyncio
import contextlib
import hashlib
import itertools
import os
import secrets
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from functools import partial
from io import RawIOBase
from pathlib import Path
from typing import BinaryIO, TypeVar

from mesh.stores.errors import StoreUnavailableError
from mesh.stores.object_file import file_of_many, head_of_one, infos_in, object_in, part_of
from mesh.stores.protocol import Object, ObjectInfo

_CHUNK = 256 * 1024
"""Bytes that one read of a stream gives."""

_SUFFIX = ".object"

_NEW = "new"
"""The directory that files are written in before they have their places."""

_TOGETHER = 64
"""Objects in one file: whoever reads one reads where all of them begin."""

Result = TypeVar("Result")


class DirectoryBucket:
    """Objects below one directory, which is made when it is first written to.

    Args:
        path: the directory.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._mark = secrets.token_hex(8)
        self._count = itertools.count()

    def _file(self, key: str) -> Path:
        return Path(self._place(key))

    def _place(self, key: str) -> str:
        """Where an object lies. A text, for to make a Path of each of a thousand keys costs more than to look there."""
        digest = hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
        return f"{self._path}/{digest[:2]}/{digest}{_SUFFIX}"

    async def put(
        self, key: str, data: bytes, *, metadata: Mapping[str, str] | None = None, if_absent: bool = False
    ) -> bool:
        """Writes an object."""

        def write() -> bool:
            with self._placing(key, metadata, if_absent=if_absent) as file:
                file.write(data)
            return True

        with contextlib.suppress(FileExistsError):
            return await _in_thread(write)
        return False

    async def put_many(self, items: Mapping[str, bytes]) -> None:
        """Writes many objects into few files."""

        def write() -> None:
            keys = list(items)
            for start in range(0, len(keys), _TOGETHER):
                self._put_together({key: items[key] for key in keys[start : start + _TOGETHER]})

        await _in_thread(write)

    def _put_together(self, items: Mapping[str, bytes]) -> None:
        name = self._new_name()
        try:
            with os.fdopen(_opened(name), "wb", buffering=0) as file:
                _write_all(file, file_of_many(items, time.time()))
            for key in items:
                self._link(name, self._place(key))
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

    async def put_stream(
        self, key: str, chunks: AsyncIterator[bytes], *, metadata: Mapping[str, str] | None = None
    ) -> int:
        """Writes an object when its last byte has come; one that breaks off leaves nothing."""
        size = 0
        placing = self._placing(key, metadata)
        file = await _in_thread(placing.__enter__)
        try:
            async for chunk in chunks:
                size += len(chunk)
                await _in_thread(partial(file.write, chunk))
        except BaseException as error:
            placing.__exit__(type(error), error, error.__traceback__)
            raise
        await _in_thread(lambda: placing.__exit__(None, None, None))
        return size

    @contextlib.contextmanager
    def _placing(self, key: str, metadata: Mapping[str, str] | None, *, if_absent: bool = False) -> Iterator[BinaryIO]:
        """A file to write an object into; it takes its place when the block ends well.

        Raises:
            FileExistsError: with `if_absent`, when there is one already.
        """
        place = self._file(key)
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

    async def get(self, key: str) -> Object | None:
        """An object."""
        return await _in_thread(lambda: self._read(key))

    async def get_many(self, keys: Sequence[str]) -> list[Object | None]:
        """Many objects, in one turn of one thread."""
        return await _in_thread(lambda: [self._read(key) for key in keys])

    def _read(self, key: str) -> Object | None:
        try:
            handle = os.open(self._place(key), os.O_RDONLY)
        except (FileNotFoundError, NotADirectoryError):
            return None
        with os.fdopen(handle, "rb") as file:
            return object_in(file, key)

    async def stream(self, key: str) -> AsyncIterator[bytes]:
        """An object's bytes.

        Raises:
            KeyError: there is none.
        """

        def begin() -> tuple[BinaryIO, int]:
            with contextlib.ExitStack() as opened:
                try:
                    file = opened.enter_context(self._file(key).open("rb"))
                except FileNotFoundError:
                    raise KeyError(key) from None
                part = part_of(file, key)
                if part is None:
                    raise KeyError(key)
                file.seek(part.start)
                opened.pop_all()
                return file, part.size

        file, left = await _in_thread(begin)
        try:
            while data := await _in_thread(partial(file.read, min(_CHUNK, left))):
                left -= len(data)
                yield data
        finally:
            file.close()

    async def delete(self, key: str) -> bool:
        """Removes an object."""

        def remove() -> bool:
            try:
                self._file(key).unlink()
            except (FileNotFoundError, NotADirectoryError):
                return False
            return True

        return await _in_thread(remove)

    async def list(self, prefix: str = "", *, limit: int | None = None) -> AsyncIterator[ObjectInfo]:
        """The objects whose keys begin so, by key; reads the head of every file, so it is for housekeeping."""

        def look() -> list[ObjectInfo]:
            found, seen = [], set[int]()
            for place in self._path.glob(f"*/*{_SUFFIX}"):
                with contextlib.suppress(FileNotFoundError), place.open("rb") as file:
                    number = os.fstat(file.fileno()).st_ino
                    if number not in seen:
                        seen.add(number)
                        found += [info for info in infos_in(file) if self._lies_in(info.key, number)]
            return sorted((info for info in found if info.key.startswith(prefix)), key=lambda info: info.key)[:limit]

        for info in await _in_thread(look):
            yield info

    def _lies_in(self, key: str, number: int) -> bool:
        """Whether a key's place is a name of the file of this number, and not yet of a later one."""
        with contextlib.suppress(FileNotFoundError):
            return os.stat(self._place(key)).st_ino == number  # noqa: PTH116 - as in _put_together
        return False

    async def ping(self) -> float:
        """Seconds that it takes to see that the directory can be written to."""

        def look() -> None:
            self._path.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self._path):
                pass

        started = time.perf_counter()
        await _in_thread(look)
        return time.perf_counter() - started

    async def aclose(self) -> None:
        """Has nothing to let go of."""


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


async def _in_thread(work: Callable[[], Result]) -> Result:
    """Runs work that waits for a disk beside the event loop, and turns its errors into ours."""
    try:
        return await asyncio.to_thread(work)
    except FileExistsError:
        raise
    except (OSError, ValueError) as error:
        raise StoreUnavailableError(f"the directory bucket failed: {type(error).__name__}") from error


def _sync_directory(path: Path) -> None:
    """A rename is only safe once its directory is on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
