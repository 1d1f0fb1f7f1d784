"""The only place that knows how a file of a directory bucket holds its objects: a line of JSON, then their bytes.

One object has a file to itself, and its key and metadata stand in that line. Of many that were put together the line
says where each begins, and each has a name of its own for the file: to make a name costs a tenth of making a file.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

from mesh.stores.protocol import Object, ObjectInfo


@dataclass(frozen=True, slots=True)
class Part:
    """Where an object stands in its file, and what is said of it."""

    start: int
    """Its first byte."""
    size: int
    """Its bytes."""
    metadata: Mapping[str, str]
    """What was written beside it."""
    modified_time: float
    """When it was written, in seconds since the epoch."""


def head_of_one(key: str, metadata: Mapping[str, str], now: float) -> bytes:
    """What goes before the bytes of an object with a file to itself."""
    return _line({"key": key, "metadata": dict(metadata), "time": now})


def file_of_many(items: Mapping[str, bytes], now: float) -> bytes:
    """The file of many objects."""
    parts, end = {}, 0
    for key, data in items.items():
        parts[key] = (end, len(data))
        end += len(data)
    return b"".join([_line({"parts": parts, "time": now}), *items.values()])


def part_of(file: BinaryIO, key: str) -> Part | None:
    """Where the object of a key stands in a file, which is read from its beginning; None where there is none."""
    return _parts(file, key).get(key)


def object_in(file: BinaryIO, key: str) -> Object | None:
    """The object of a key in a file, which is read from its beginning; None where there is none, or a torn one."""
    part = part_of(file, key)
    if part is None:
        return None
    file.seek(part.start)
    data = file.read(part.size)
    return Object(data, part.metadata, part.modified_time) if len(data) == part.size else None


def infos_in(file: BinaryIO) -> list[ObjectInfo]:
    """What is said of each object in a file, which is read from its beginning; some may have another place by now."""
    return [ObjectInfo(key, part.size, part.modified_time) for key, part in _parts(file).items()]


def _parts(file: BinaryIO, wanted: str | None = None) -> Mapping[str, Part]:
    """All that are in a file, or of many the wanted one; nothing where the machine died before the file was synced."""
    line = file.readline()
    try:
        head: Mapping[str, Any] = json.loads(line)
    except json.JSONDecodeError:
        return {}
    start, time = len(line), head["time"]
    if "parts" not in head:
        size = os.fstat(file.fileno()).st_size - start
        return {head["key"]: Part(start, size, head["metadata"], time)}
    parts: Mapping[str, tuple[int, int]] = head["parts"]
    keys = parts if wanted is None else parts.keys() & {wanted}
    return {key: Part(start + parts[key][0], parts[key][1], {}, time) for key in keys}


def _line(head: Mapping[str, Any]) -> bytes:
    return json.dumps(head).encode() + b"\n"
