"""The providers' HTTP APIs on loopback: what a run without keys and the tests talk to."""
