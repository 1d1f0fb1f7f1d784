"""What the warmer does by the clock: the next micro-batch every quarter of an hour, and a verification every night."""
