"""Bucket on a directory: the embedded default, which needs no server and keeps its promises all the same.

An object is one file: a line of JSON with its key and metadata, then its bytes. It is written beside its place, synced
and renamed, so a reader sees the old one or the new one and never a torn one, whatever dies when. A file's name is the
hash of its key, so no key can lead out of the directory, be too long, or clash where case does not count.
"""

import asyncio
import contextlib
import hashlib
import json
import os
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import BinaryIO, TypeVar

from mesh.stores.errors import StoreUnavailableError
from mesh.stores.protocol import Object, ObjectInfo

_CHUNK = 256 * 1024
"""Bytes that one read of a stream gives."""

_SUFFIX = ".object"

Result = TypeVar("Result")


class DirectoryBucket:
    """Objects below one directory, which is made when it is first written to.

    Args:
        path: the directory.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def _file(self, key: str) -> Path:
        digest = hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
        return self._path / digest[:2] / (digest + _SUFFIX)

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
        place.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=place.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                head = {"key": key, "metadata": dict(metadata or {}), "time": time.time()}
                file.write(json.dumps(head).encode() + b"\n")
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

        def read() -> Object | None:
            try:
                with self._file(key).open("rb") as file:
                    head = json.loads(file.readline())
                    return Object(file.read(), head["metadata"], head["time"])
            except (FileNotFoundError, NotADirectoryError):
                return None

        return await _in_thread(read)

    async def stream(self, key: str) -> AsyncIterator[bytes]:
        """An object's bytes.

        Raises:
            KeyError: there is none.
        """

        def begin() -> BinaryIO:
            try:
                file = self._file(key).open("rb")
            except FileNotFoundError:
                raise KeyError(key) from None
            file.readline()
            return file

        file = await _in_thread(begin)
        try:
            while data := await _in_thread(lambda: file.read(_CHUNK)):
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
            found = []
            for place in self._path.glob(f"*/*{_SUFFIX}"):
                with contextlib.suppress(FileNotFoundError), place.open("rb") as file:
                    line = file.readline()
                    head = json.loads(line)
                    if head["key"].startswith(prefix):
                        size = os.fstat(file.fileno()).st_size - len(line)
                        found.append(ObjectInfo(head["key"], size, head["time"]))
            return sorted(found, key=lambda info: info.key)[:limit]

        for info in await _in_thread(look):
            yield info

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
