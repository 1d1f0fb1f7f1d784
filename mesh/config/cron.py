"""The shape of a cron line: five fields, each within its range. What the lines mean in time stands elsewhere.

The fields are those of crontab(5): minute, hour, day of month, month, day of week, where both 0 and 7 are Sunday.
(Cloudflare counts Sunday as 1; a line written for it that names days by number means another day here.)
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from cronsim import CronSim, CronSimError

_PART = re.compile(
    r"(?:\*|(?P<first>[0-9]{1,3}|[a-z]{3})(?:-(?P<last>[0-9]{1,3}|[a-z]{3}))?)(?:/(?P<step>[0-9]{1,3}))?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Field:
    name: str
    least: int
    most: int
    words: tuple[str, ...] = ()
    """Names that may stand for numbers, the first for `least`."""

    def fault(self, text: str) -> str:
        """What is wrong with this field of a line, or nothing."""
        return next(filter(None, map(self._part_fault, text.lower().split(","))), "")

    def _part_fault(self, text: str) -> str:
        part = _PART.fullmatch(text)
        if part is None:
            return f"the {self.name} {text!r} is none"
        ends = [self._number(end) for end in (part["first"], part["last"]) if end]
        if any(end is None for end in ends):
            return f"the {self.name} {text!r} is not within {self.least} to {self.most}"
        numbers = [end for end in ends if end is not None]
        if numbers != sorted(numbers):
            return f"the {self.name} {text!r} runs backwards"
        if part["step"] is not None and not 1 <= int(part["step"]) <= self.most:
            return f"the {self.name} {text!r} has a step that is not within 1 to {self.most}"
        return ""

    def _number(self, end: str) -> int | None:
        if not end.isdecimal():
            return self.words.index(end) + self.least if end in self.words else None
        return int(end) if self.least <= int(end) <= self.most else None


_FIELDS = (
    _Field(name="minute", least=0, most=59),
    _Field(name="hour", least=0, most=23),
    _Field(name="day of month", least=1, most=31),
    _Field(
        name="month",
        least=1,
        most=12,
        words=("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"),
    ),
    _Field(name="day of week", least=0, most=7, words=("sun", "mon", "tue", "wed", "thu", "fri", "sat")),
)


def cron_fault(line: str) -> str:
    """What is wrong with a cron line, as the end of a sentence; empty for a line that is well formed."""
    fields = line.split()
    if len(fields) != len(_FIELDS):
        return f"{line!r} has {len(fields)} fields, where cron has 5: minute, hour, day, month, day of week"
    faults = (field.fault(text) for field, text in zip(_FIELDS, fields, strict=True))
    fault = next(filter(None, faults), "") or _unmet(line)
    return f"{line!r} can't be met: {fault}" if fault else ""


def _unmet(line: str) -> str:
    """Why a line that is well formed is never due, or nothing: the 30th of February is no day."""
    try:
        next(CronSim(line, _ANY_DAY))
    except CronSimError as error:
        return str(error)
    except StopIteration:
        return "no day is like that"
    return ""


_ANY_DAY = datetime(2024, 1, 1, tzinfo=UTC)
