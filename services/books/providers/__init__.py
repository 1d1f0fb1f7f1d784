"""The providers of books: one file for each, behind the protocol of `protocol.py`."""
