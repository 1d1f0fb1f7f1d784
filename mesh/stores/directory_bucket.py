"""Bucket on a directory: the embedded default, which needs no server and keeps its promises all the same.

An object is a file, or stands in one with others that were put with it. Whatever waits for the disk is done in a
thread, and of many objects some at a time: so the event loop says when the next ones may, as it does of all batch work.
"""

import asyncio
import contextlib
import os
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import BinaryIO, TypeVar

from mesh.stores.errors import StoreUnavailableError
from mesh.stores.object_file import infos_in, object_in, part_of
from mesh.stores.placing import SUFFIX, Placing
from mesh.stores.protocol import Object, ObjectInfo

_CHUNK = 256 * 1024
"""Bytes that one read of a stream gives."""

_TOGETHER = 16
"""Objects in one file, for whoever reads one reads where all of them begin; and in one turn of a thread."""

Result = TypeVar("Result")


class DirectoryBucket:
    """Objects below one directory, which is made when it is first written to.

    Args:
        path: the directory.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._placing = Placing(path)

    async def put(
        self, key: str, data: bytes, *, metadata: Mapping[str, str] | None = None, if_absent: bool = False
    ) -> bool:
        """Writes an object."""

        def write() -> bool:
            with self._placing.one(key, metadata, if_absent=if_absent) as file:
                file.write(data)
            return True

        with contextlib.suppress(FileExistsError):
            return await _in_thread(write)
        return False

    async def put_many(self, items: Mapping[str, bytes]) -> None:
        """Writes many objects into few files, each in a turn of a thread."""
        for part in _parted(list(items)):
            await _in_thread(partial(self._placing.many, {key: items[key] for key in part}))

    async def put_stream(
        self, key: str, chunks: AsyncIterator[bytes], *, metadata: Mapping[str, str] | None = None
    ) -> int:
        """Writes an object when its last byte has come; one that breaks off leaves nothing."""
        size = 0
        placing = self._placing.one(key, metadata)
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

    async def get(self, key: str) -> Object | None:
        """An object."""
        return await _in_thread(lambda: self._read(key))

    async def get_many(self, keys: Sequence[str]) -> list[Object | None]:
        """Many objects, a part in each turn of a thread."""
        found: list[Object | None] = []
        for part in _parted(keys):
            found += await _in_thread(partial(self._read_together, part))
        return found

    def _read_together(self, keys: Sequence[str]) -> list[Object | None]:
        return [self._read(key) for key in keys]

    def _read(self, key: str) -> Object | None:
        try:
            handle = os.open(self._placing.place(key), os.O_RDONLY)
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
                    file = opened.enter_context(self._placing.file(key).open("rb"))
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
                self._placing.file(key).unlink()
            except (FileNotFoundError, NotADirectoryError):
                return False
            return True

        return await _in_thread(remove)

    async def list(self, prefix: str = "", *, limit: int | None = None) -> AsyncIterator[ObjectInfo]:
        """The objects whose keys begin so, by key; reads the head of every file, so it is for housekeeping."""

        def look() -> list[ObjectInfo]:
            found, seen = [], set[int]()
            for place in self._path.glob(f"*/*{SUFFIX}"):
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
            return os.stat(self._placing.place(key)).st_ino == number  # noqa: PTH116 - names are texts here
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


def _parted(keys: Sequence[str]) -> Iterator[Sequence[str]]:
    """Keys in the order that they have, so many at a time as go together."""
    return (keys[start : start + _TOGETHER] for start in range(0, len(keys), _TOGETHER))


async def _in_thread(work: Callable[[], Result]) -> Result:
    """Runs work that waits for a disk beside the event loop, and turns its errors into ours."""
    try:
        return await asyncio.to_thread(work)
    except FileExistsError:
        raise
    except (OSError, ValueError) as error:
        raise StoreUnavailableError(f"the directory bucket failed: {type(error).__name__}") from error
