"""The options that several commands have: the only place for their names and their help."""

from pathlib import Path
from typing import Annotated

import typer

Book = Annotated[Path, typer.Option("--book", envvar="BOOKMESH_BOOK", help="The address book.")]
Environment = Annotated[str | None, typer.Option("--env", help="The environment of every manifest, e.g. production.")]
