"""Use cases, loops, wiring, and the edges that drive us."""
