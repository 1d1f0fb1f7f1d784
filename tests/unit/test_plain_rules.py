"""What is seen at a glance of a message is what protovalidate says of it; what is not seen is left to it."""

import itertools
from random import Random
from typing import Any

import protovalidate
import pytest
from bookmesh.books.v1 import admin_service_pb2 as books_admin
from bookmesh.books.v1 import books_service_pb2 as books
from bookmesh.isbndb.v1 import isbndb_service_pb2 as isbndb
from bookmesh.warmer.v1 import warmer_service_pb2 as warmer
from buf.validate import validate_pb2
from google.protobuf import text_format
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from mesh.plain_rules import plain_of
from tests.fuzz.mutation import Mutator

VALIDATOR = protovalidate.Validator()

NUMBERS = itertools.count()

TYPES = [
    GetMessageClass(method.input_type)
    for module in (books, books_admin, isbndb, warmer)
    for service in module.DESCRIPTOR.services_by_name.values()
    for method in service.methods
]


def keeps(message: Message) -> bool:
    """Whether protovalidate has nothing to say of a message."""
    return not VALIDATOR.collect_violations(message)


@pytest.mark.parametrize("cls", TYPES, ids=lambda cls: cls.DESCRIPTOR.name)
def test_what_is_seen_is_true(cls: type[Message]) -> None:
    """Of no request of the contract is it said that it keeps the rules when it does not."""
    plain, mutator = plain_of(cls.DESCRIPTOR), Mutator(Random(3))  # noqa: S311 - a seed must name a run
    made = [mutator.shape(cls) for _ in range(150)] + [cls()]
    assert all(keeps(message) for message in made if plain is not None and plain(message))


@pytest.mark.parametrize(
    ("message", "seen"),
    [
        (books.SearchAutoRequest(q="dune", max_results=100, order_by=books.ORDER_BY_NEWEST), True),
        (books.SearchAutoRequest(q="村" * 512), True),
        (books.SearchAutoRequest(q="村" * 513), False),
        (books.SearchAutoRequest(), False),
        (books.SearchAutoRequest(q="dune", max_results=101), False),
        (books.SearchAutoRequest(q="dune", order_by=99), False),  # type: ignore[arg-type]  # a value of a later version
        # These keep their rules, which is for protovalidate to say.
        (books.SearchAutoRequest(q="dune", language="en"), False),
        (books.SearchAutoRequest(q="dune", cache_control=books.CacheControl(no_cache=True)), False),
        (isbndb.GetBookRequest(isbn="9780441013593"), True),
    ],
)
def test_what_is_seen(message: Message, seen: bool) -> None:  # noqa: FBT001 - a case's expectation
    """Lengths, ranges and known values are seen; an expression and a rule of a whole message are not."""
    plain = plain_of(message.DESCRIPTOR)
    assert plain is not None
    assert plain(message) is seen


def made(one: str, *others: str) -> type[Message]:
    """A message type with one field or more, each as a descriptor's text has it, without its number."""
    fields = "".join(f"field {{ number: {number} {each} }}" for number, each in enumerate((one, *others), 1))
    oneof = 'oneof_decl { name: "_f" }' if "oneof_index" in one else ""
    # Protovalidate remembers files and types by their names.
    package = f"made{next(NUMBERS)}"
    file = FileDescriptorProto(name=f"{package}.proto", package=package, syntax="proto3")
    file.dependency.extend(["buf/validate/validate.proto", "google/protobuf/duration.proto"])
    text_format.Parse(f'message_type {{ name: "Made" {fields.replace("MADE", package)} {oneof} }}', file)
    for name, numbers in (("Near", (0, 1, 2)), ("Far", (0, 1, 3))):
        values = "".join(f'value {{ name: "{name}{number}" number: {number} }}' for number in numbers)
        text_format.Parse(f'enum_type {{ name: "{name}" {values} }}', file)
    pool = DescriptorPool()
    known: set[str] = set()

    def add(descriptor: Any) -> None:
        if descriptor.name not in known:
            known.add(descriptor.name)
            for each in descriptor.dependencies:
                add(each)
            copy = FileDescriptorProto()
            descriptor.CopyToProto(copy)
            pool.Add(copy)

    add(validate_pb2.DESCRIPTOR)
    pool.Add(file)
    return GetMessageClass(pool.FindMessageTypeByName(f"{package}.Made"))


def field(kind: str, rules: str, *, label: str = "OPTIONAL", more: str = "") -> str:
    """One field "f" with rules."""
    return f'name: "f" type: TYPE_{kind} label: LABEL_{label} {more} options {{ [buf.validate.field] {{ {rules} }} }}'


def enum(name: str, rules: str) -> str:
    """One field "f" of an enum: Near has the values 0, 1 and 2, Far has 0, 1 and 3."""
    return field("ENUM", rules, more=f'type_name: ".MADE.{name}"')


@pytest.mark.parametrize(
    ("one", "seen", "unseen"),
    [
        (field("INT32", "int32 { gte: 5 lte: 10 }"), [5, 10], [4, 11, 0]),
        (field("UINT64", "uint64 { lte: 9 }"), [0, 9], [10, 2**64 - 1]),
        (field("SINT64", "sint64 { gte: -2 }"), [-2, 2**63 - 1], [-3]),
        (field("STRING", "string { min_len: 2 }"), ["ab", "x" * 9_999], ["", "a"]),
        (field("STRING", "required: true"), ["a"], [""]),
        (field("STRING", "string { max_len: 3 } ignore: IGNORE_IF_ZERO_VALUE"), [""], ["a", "abcd"]),
        (field("STRING", "string { max_len: 3 } ignore: IGNORE_ALWAYS"), ["", "abcd"], []),
        (field("STRING", "string { max_len: 3 }", label="REPEATED"), None, [[], ["abcd"]]),
        (field("INT32", "int32 { gte: 10 lte: 5 }"), None, [7, 4, 11]),
        (field("INT32", "int32 { gt: 5 }"), None, [5, 6]),
        (field("INT32", "int32 { const: 5 }"), None, [5, 6]),
        (field("INT32", "required: true"), None, [0, 1]),
        (field("INT32", "int32 { gte: 1 } required: true"), None, [0, 1]),
        (field("STRING", "string { max_len: 9 email: true }"), None, ["", "a@b.de"]),
        (
            field("STRING", 'cel { id: "x" message: "no" expression: "this == \'a\'" } string { max_len: 9 }'),
            None,
            ["b"],
        ),
        (field("BYTES", "required: true"), None, [b"", b"a"]),
        (enum("Near", "enum { defined_only: true }"), [0, 2], [3, -1]),
        (enum("Near", "enum { defined_only: true } required: true"), [1, 2], [0, 3]),
        (enum("Near", "enum { const: 1 }"), None, [0, 1]),
        (enum("Far", "enum { defined_only: true }"), None, [0, 3]),
        (field("DOUBLE", "double { gte: 1 }"), None, [0.0, 1.0, float("nan")]),
    ],
)
def test_each_rule(one: str, seen: list[Any] | None, unseen: list[Any]) -> None:
    """What a field may hold is seen where the rule is a simple one, and left to protovalidate where it is another."""
    cls = made(one)
    plain = plain_of(cls.DESCRIPTOR)
    assert (plain is None) is (seen is None)
    if plain is not None:
        assert [value for value in [*(seen or []), *unseen] if plain(cls(f=value))] == seen
        assert all(keeps(cls(f=value)) for value in seen or [])


@pytest.mark.parametrize(
    ("one", "seen"),
    [
        (field("INT32", "int32 { gte: 5 }", more="proto3_optional: true oneof_index: 0"), True),
        (field("MESSAGE", "duration { gte { seconds: 1 } }", more='type_name: ".google.protobuf.Duration"'), True),
        (field("MESSAGE", "required: true", more='type_name: ".google.protobuf.Duration"'), False),
    ],
)
def test_a_field_that_may_be_absent(one: str, seen: bool) -> None:  # noqa: FBT001 - a case's expectation
    """Of a field that may be absent nothing is seen but that it is, and not even that where it must be there."""
    cls = made(one)
    plain = plain_of(cls.DESCRIPTOR)
    there = cls()
    if there.DESCRIPTOR.fields[0].message_type is None:
        there.f = 5  # type: ignore[attr-defined]  # the type is made here
    else:
        there.f.SetInParent()  # type: ignore[attr-defined]  # as above
    assert (plain is not None) is seen is (plain is not None and plain(cls()) and keeps(cls()))
    assert plain is None or not plain(there)


def test_a_type_that_stands_in_itself() -> None:
    """The descent ends, and what is left is for protovalidate to say."""
    inner = 'name: "g" type: TYPE_MESSAGE label: LABEL_OPTIONAL type_name: ".MADE.Made"'
    cls = made(field("INT32", "int32 { gte: 0 }"), inner)
    plain = plain_of(cls.DESCRIPTOR)
    assert plain is not None
    assert (plain(cls(f=1)), plain(cls(f=1, g=cls(f=1))), plain(cls(f=1, g=cls(f=-1)))) == (True, False, False)
