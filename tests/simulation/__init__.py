"""Deterministic simulation: the real worker, service and memory store in a world made from one number."""
