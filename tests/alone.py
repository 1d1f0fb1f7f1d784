"""What tests of anything but providers set: the proxy asks the leaf alone, so that no test reaches for the world."""

ISBNDB_ALONE = {"PROVIDERS": "isbndb", "BATCH_PROVIDERS": "isbndb"}
"""Vars of the proxy."""
