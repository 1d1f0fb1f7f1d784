"""How often triggers fire where replicas differ in their clocks, die and come back: counted over simulated days."""
