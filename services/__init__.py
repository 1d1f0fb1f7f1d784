"""The services, each a package of its own: they meet on bindings, and never import one another."""
