"""What the cache is worth while every provider is down: a library is warmed, and an hour of outage goes by."""
