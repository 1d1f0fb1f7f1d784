"""The catalogue that the sandbox serves by default, and the scripts that made it."""
