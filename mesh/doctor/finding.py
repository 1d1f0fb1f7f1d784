"""One thing that the doctor found: the only place that says how bad a finding can be, and how findings are told."""

import enum
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


class Severity(enum.Enum):
    """How bad it is, the worst first."""

    ERROR = "error"
    """It keeps something from working, or soon will; the doctor's exit status says so."""
    WARNING = "warning"
    """It works, and somebody should look at it."""
    NOTE = "note"
    """It is as it should be, and good to know."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding. Neither text ever has a value that may be secret."""

    severity: Severity
    check: str
    """The kind of thing that was looked at, in one word: "port", "secret"."""
    what: str
    """What is wrong, as a sentence."""
    mend: str
    """What to do about it, as a sentence."""

    def line(self) -> str:
        """The one line that people read."""
        return f"{self.severity.value:<8} {self.check:<13} {self.what} {self.mend}".replace("\n", " ")

    def as_data(self) -> dict[str, str]:
        """The finding as JSON has it."""
        return {"severity": self.severity.value, "check": self.check, "what": self.what, "mend": self.mend}


def error(check: str, what: str, mend: str) -> Finding:
    """A finding that is an error."""
    return Finding(Severity.ERROR, check, what, mend)


def warning(check: str, what: str, mend: str) -> Finding:
    """A finding that is a warning."""
    return Finding(Severity.WARNING, check, what, mend)


def note(check: str, what: str, mend: str) -> Finding:
    """A finding that is a note."""
    return Finding(Severity.NOTE, check, what, mend)


def ordered(findings: Iterable[Finding]) -> list[Finding]:
    """Each finding once, the worst first, and otherwise in the order in which they were found."""
    ranks = {severity: rank for rank, severity in enumerate(Severity)}
    return sorted(dict.fromkeys(findings), key=lambda finding: ranks[finding.severity])


def summary(findings: Sequence[Finding]) -> str:
    """How many findings there are of each severity, as a line."""
    if not findings:
        return "nothing is wrong"
    counts = Counter(finding.severity for finding in findings)
    words = [f"{counts[each]} {each.value}{'' if counts[each] == 1 else 's'}" for each in Severity if counts[each]]
    return ", ".join(words)
