"""What may stand in a cron line: five fields, each within its range, and a day that comes.

The fields are those of crontab(5): minute, hour, day of month, month, day of week, where both 0 and 7 are Sunday.
(Cloudflare counts Sunday as 1; a line written for it that names days by number means another day here.)
What the lines mean in time is `mesh.schedule.times`'s; what is let through here has a meaning there, and one alone.
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
        if part["step"] is not None and part["last"] is not None and numbers[0] == numbers[1]:
            # Some read it as that number alone, and others as all that come after it.
            return f"the {self.name} {text!r} has a step from a number to itself"
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
    fault = next(filter(None, faults), "") or _day_fault(line)
    return f"{line!r} can't be met: {fault}" if fault else ""


def _day_fault(line: str) -> str:
    """Why a line of the right shape never fires; nothing for one that does."""
    try:
        CronSim(line, datetime(2000, 1, 1, tzinfo=UTC))
    except CronSimError:
        return "none of its months has a day of that number, so it would never fire"
    return ""
