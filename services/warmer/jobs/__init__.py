"""Jobs: batches on a stream that all replicas share, each finished once, whoever dies."""
