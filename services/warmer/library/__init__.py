"""Libraries: how they come in, what their lines hold, and where they rest."""
