"""The command: `python -m bench.memory_tier` offers a million keys to a tier of 64 MB, and says what came of it."""

import argparse
import sys

from bench.memory_tier.comparison import compared
from bench.memory_tier.load import EQUAL, VARIED, Load
from bench.memory_tier.measuring import MB, measured, table
from bench.table import console

KEYS = 1_000_000
LIMIT_BYTES = 64 * MB
EXPONENT = 1.0

_MOST_EXPONENT = 2.0
_EXPONENTS = (0.7, 0.9, 1.0, 1.1)
_SMALLER = 16
"""How much smaller all is where policies are compared."""

_TRACED_SMALLER = 64
"""How much smaller all is where tracemalloc watches, which takes twenty times as long."""


def main(arguments: list[str] | None = None) -> int:
    """Measures.

    Returns:
        0 when all holds, 1 when something does not. Bad arguments end the process with 2.
    """
    options = _options(arguments)
    if options.rivals:
        found = compared(
            [
                Load(key_count=KEYS // _SMALLER, exponent=exponent, sizes=sizes)
                for sizes in (EQUAL, VARIED)
                for exponent in _EXPONENTS
            ],
            LIMIT_BYTES // _SMALLER,
        )
        console().print(found)
        return 0
    results = [
        measured(
            Load(key_count=KEYS // smaller, exponent=options.exponent, sizes=sizes),
            LIMIT_BYTES // smaller,
            traced=smaller > 1,
        )
        for smaller in (1, _TRACED_SMALLER)
        for sizes in (EQUAL, VARIED)
    ]
    console().print(table(results))
    return 0 if all(each.holds for each in results) else 1


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench.memory_tier",
        description="Offers a million keys to a memory tier of 64 MB, beside the best possible hit ratio.",
    )
    parser.add_argument("--exponent", type=float, default=EXPONENT, help="Zipf's (default: %(default)s)")
    parser.add_argument("--rivals", action="store_true", help="compare policies, on a smaller scale, and judge nothing")
    options = parser.parse_args(arguments)
    if not 0 < options.exponent <= _MOST_EXPONENT:
        parser.error(f"--exponent is above 0 and at most {_MOST_EXPONENT}")
    return options


if __name__ == "__main__":
    sys.exit(main())
