"""Plans: which searches warm a library, in which order, in which batches, and what that will cost."""
