"""Bucket on a server that speaks S3's protocol, through aioboto3; imported only where it is used."""

import asyncio
import base64
import contextlib
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote, unquote

import aioboto3
from aiobotocore.config import AioConfig
from botocore.exceptions import BotoCoreError, ClientError, ConnectTimeoutError, HTTPClientError, ReadTimeoutError

from mesh.stores.errors import StoreTimeoutError, StoreUnavailableError
from mesh.stores.protocol import Object, ObjectInfo

if TYPE_CHECKING:
    from types_aiobotocore_s3 import S3Client
else:
    S3Client = Any

TIMEOUT_S = 5.0
"""Seconds that one request may take to be answered, and a connection to come about."""

_PART = 8 * 1024 * 1024
"""Bytes of a part of a large object; S3 takes none below 5 MiB but the last."""

_CHUNK = 256 * 1024
"""Bytes that one read of a stream gives."""

_AT_ONCE = 32
"""Requests at a time where there are many objects to put or to get."""

_KEY_PREFIX = "k/"
"""Stands before every key, so that none begins with a slash."""

_ABSENT = frozenset({"NoSuchKey", "404", "NotFound"})

_PRESENT = frozenset({"PreconditionFailed", "412", "ConditionalRequestConflict", "409"})


Value = TypeVar("Value")


@contextlib.contextmanager
def mapped() -> Iterator[None]:
    """Turns botocore's errors, and those of the socket below it, into ours."""
    try:
        yield
    except (ConnectTimeoutError, ReadTimeoutError, TimeoutError) as error:
        raise StoreTimeoutError("the object store did not answer in time") from error
    except ClientError as error:
        raise StoreUnavailableError(f"the object store refused: {_code(error)}") from error
    except (BotoCoreError, HTTPClientError, OSError) as error:
        raise StoreUnavailableError(f"the object store failed: {type(error).__name__}") from error


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


class S3Bucket:
    """One bucket; the client is made when it is first used, and the credentials are those of the environment.

    Args:
        endpoint: http://HOST:PORT or https://HOST.
        bucket: the bucket's name; it must be there.
        timeout_s: seconds that a request may take.
        credentials: an access key and its secret, where they are not those of the environment.
    """

    def __init__(
        self, endpoint: str, bucket: str, *, timeout_s: float = TIMEOUT_S, credentials: tuple[str, str] | None = None
    ) -> None:
        self._endpoint = endpoint
        self._bucket = bucket
        self._timeout_s = timeout_s
        self._credentials = credentials
        self._closing = contextlib.AsyncExitStack()
        self._opened: S3Client | None = None
        self._opening = asyncio.Lock()

    async def _client(self) -> S3Client:
        async with self._opening:
            if self._opened is None:
                key, secret = self._credentials or (None, None)
                session = aioboto3.Session(aws_access_key_id=key, aws_secret_access_key=secret)
                config = AioConfig(
                    connect_timeout=self._timeout_s,
                    read_timeout=self._timeout_s,
                    retries={"max_attempts": 1, "mode": "standard"},  # those who can wait try again themselves
                    s3={"addressing_style": "path"},
                )
                client = session.client("s3", endpoint_url=self._endpoint, region_name="us-east-1", config=config)
                self._opened = await self._closing.enter_async_context(client)
        return self._opened

    async def put(
        self, key: str, data: bytes, *, metadata: Mapping[str, str] | None = None, if_absent: bool = False
    ) -> bool:
        """Writes an object."""
        condition: Any = {"IfNoneMatch": "*"} if if_absent else {}
        with mapped():
            client = await self._client()
            try:
                await client.put_object(
                    Bucket=self._bucket, Key=_name(key), Body=data, Metadata=_written(metadata), **condition
                )
            except ClientError as error:
                if if_absent and _code(error) in _PRESENT:
                    return False
                raise
        return True

    async def put_many(self, items: Mapping[str, bytes]) -> None:
        """Writes many objects, some at a time, for S3 takes one in a request."""
        await _each(items, lambda key: self.put(key, items[key]))

    async def put_stream(
        self, key: str, chunks: AsyncIterator[bytes], *, metadata: Mapping[str, str] | None = None
    ) -> int:
        """Writes an object in parts; it appears when the last has come, and one that breaks off leaves nothing."""
        size, parts, pending = 0, list[Any](), bytearray()
        with mapped():
            client = await self._client()
            upload = await client.create_multipart_upload(
                Bucket=self._bucket, Key=_name(key), Metadata=_written(metadata)
            )
        identity: Any = {"Bucket": self._bucket, "Key": _name(key), "UploadId": upload["UploadId"]}

        async def send() -> None:
            number = len(parts) + 1
            with mapped():
                part = await client.upload_part(**identity, PartNumber=number, Body=bytes(pending))
            parts.append({"PartNumber": number, "ETag": part["ETag"]})
            pending.clear()

        try:
            async for chunk in chunks:
                size += len(chunk)
                pending += chunk
                if len(pending) >= _PART:
                    await send()
            if pending or not parts:
                await send()
            with mapped():
                await client.complete_multipart_upload(**identity, MultipartUpload={"Parts": parts})
        except BaseException:
            with contextlib.suppress(StoreUnavailableError), mapped():
                await client.abort_multipart_upload(**identity)
            raise
        return size

    async def get(self, key: str) -> Object | None:
        """An object."""
        with mapped():
            answer = await self._answer(key)
            if answer is None:
                return None
            async with answer["Body"] as body:
                data = await body.read()
        return Object(data, _read(answer["Metadata"]), answer["LastModified"].timestamp())

    async def get_many(self, keys: Sequence[str]) -> list[Object | None]:
        """Many objects, some at a time."""
        return await _each(keys, self.get)

    async def _answer(self, key: str) -> Any:
        """The server's answer for an object, its body unread; None when there is none."""
        client = await self._client()
        try:
            return await client.get_object(Bucket=self._bucket, Key=_name(key))
        except ClientError as error:
            if _code(error) in _ABSENT:
                return None
            raise

    async def stream(self, key: str) -> AsyncIterator[bytes]:
        """An object's bytes.

        Raises:
            KeyError: there is none.
        """
        with mapped():
            answer = await self._answer(key)
        if answer is None:
            raise KeyError(key)
        body = answer["Body"]
        async with contextlib.aclosing(_chunks(body)) as chunks:
            async for data in chunks:
                yield data

    async def delete(self, key: str) -> bool:
        """Removes an object."""
        with mapped():
            client = await self._client()
            try:
                await client.head_object(Bucket=self._bucket, Key=_name(key))
            except ClientError as error:
                if _code(error) in _ABSENT:
                    return False
                raise
            await client.delete_object(Bucket=self._bucket, Key=_name(key))
        return True

    async def list(self, prefix: str = "", *, limit: int | None = None) -> AsyncIterator[ObjectInfo]:
        """The objects whose keys begin so, by their names here."""
        told, after = 0, ""
        while limit is None or told < limit:
            with mapped():
                client = await self._client()
                page = await client.list_objects_v2(Bucket=self._bucket, Prefix=_beginning(prefix), StartAfter=after)
            for found in page.get("Contents", []):
                if limit is not None and told >= limit:
                    return
                told += 1
                after = found["Key"]
                yield ObjectInfo(_key(after), found["Size"], found["LastModified"].timestamp())
            if not page.get("IsTruncated"):
                return

    async def ping(self) -> float:
        """Seconds that the server took to say that the bucket is there."""
        started = time.perf_counter()
        with mapped():
            client = await self._client()
            await client.head_bucket(Bucket=self._bucket)
        return time.perf_counter() - started

    async def aclose(self) -> None:
        """Closes the client."""
        await self._closing.aclose()


async def _each(keys: Iterable[str], request: Callable[[str], Awaitable[Value]]) -> list[Value]:
    """What a request gives for each of many keys, some at a time."""
    places = asyncio.Semaphore(_AT_ONCE)

    async def one(key: str) -> Value:
        async with places:
            return await request(key)

    found = []
    for outcome in await asyncio.gather(*map(one, keys), return_exceptions=True):
        if isinstance(outcome, BaseException):
            raise outcome
        found.append(outcome)
    return found


def _name(key: str) -> str:
    """A key as every server takes it: quoted, for some read dots as directories and stumble over other characters."""
    return _KEY_PREFIX + "/".join(_segment(segment) for segment in key.split("/"))


def _segment(segment: str) -> str:
    return quote(segment, safe=":") if segment.strip(".") else segment.replace(".", "%2E") or "%"


def _key(name: str) -> str:
    segments = name.removeprefix(_KEY_PREFIX).split("/")
    return "/".join("" if segment == "%" else unquote(segment) for segment in segments)


def _beginning(prefix: str) -> str:
    """What the names of all keys begin with that begin so; an empty last segment may still become any other."""
    *whole, last = prefix.split("/")
    return _KEY_PREFIX + "/".join([*(_segment(segment) for segment in whole), quote(last, safe=":")])


async def _chunks(body: Any) -> AsyncGenerator[bytes, None]:
    try:
        while True:
            with mapped():
                data: bytes = await body.read(_CHUNK)
            if not data:
                return
            yield data
    finally:
        body.close()


def _written(metadata: Mapping[str, str] | None) -> dict[str, str]:
    """Metadata as headers carry it: ASCII, and names in lower case."""
    return {key.lower(): base64.urlsafe_b64encode(value.encode()).decode() for key, value in (metadata or {}).items()}


def _read(metadata: Mapping[str, str]) -> dict[str, str]:
    return {key: base64.urlsafe_b64decode(value).decode() for key, value in metadata.items()}
