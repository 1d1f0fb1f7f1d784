"""What is wrong with a configuration, said once and all together: the only place for problems and their exit status."""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass

EX_CONFIG = 64
"""Exit status of a program whose configuration is wrong; the project's own choice, which sysexits.h calls EX_USAGE."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that a person has to mend before anything can start."""

    where: str
    """The file, and the line or the key in it: "mesh.toml:services.books.default", "service.toml:3:7"."""
    what: str
    """What is wrong and how to mend it, in sentences. Never a value that may be secret."""

    def __str__(self) -> str:
        """The line that people read."""
        return f"{self.where}: {self.what}"


class ConfigurationError(Exception):
    """The configuration can't be used; its text has every problem on a line of its own.

    Args:
        problems: at least one; a problem said twice is kept once.
    """

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(dict.fromkeys(problems))
        super().__init__(self.problems)

    def __str__(self) -> str:
        """Every problem, one a line, in the order in which they were found."""
        return "\n".join(map(str, self.problems))


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The sentence " Did you mean 'x'?" for the known word that is nearest, or nothing when none is near."""
    near = difflib.get_close_matches(word, sorted(set(known)), n=1)
    return f" Did you mean {near[0]!r}?" if near else ""
