"""Stores: what an Env's Kv and Bucket are, and one adapter for each kind of server."""
