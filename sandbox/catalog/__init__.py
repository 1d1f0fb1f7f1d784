"""The catalogue that the sandbox serves by default, and the scripts that made it."""

from pathlib import Path

LOC = Path(__file__).with_name("loc.csv")
"""Books of the Library of Congress; README.md beside it tells source, terms and columns."""
