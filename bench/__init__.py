"""Side-by-side measurement: what a call through a binding costs beside what one would write instead."""
