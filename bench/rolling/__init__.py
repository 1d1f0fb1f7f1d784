"""A rolling restart under load: what callers notice of it."""
