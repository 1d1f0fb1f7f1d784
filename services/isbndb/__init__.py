"""isbndb-biography-worker, the leaf: it binds to no service and is the only one that speaks to ISBNdb."""
