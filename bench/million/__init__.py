"""A library of a million rows, uploaded to a warmer: its rows a second and core, and its memory."""
