"""Ids and dice: the system's, and seeded ones."""
