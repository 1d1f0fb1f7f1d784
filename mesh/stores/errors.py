"""What goes wrong with stores, whichever they are: the only errors that adapters raise."""


class StoreError(Exception):
    """A store did not do what it was asked; the text names the store's kind, never its address or its content."""


class StoreUnavailableError(StoreError):
    """It can't be reached, or refuses to work."""


class StoreTimeoutError(StoreUnavailableError):
    """It did not answer in time."""
