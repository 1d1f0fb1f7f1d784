"""The hit ratio of the cache's memory tier beside the best possible, and what it truly takes of the process."""
