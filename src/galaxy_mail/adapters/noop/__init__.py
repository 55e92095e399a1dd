"""Adapters that accept, log and do nothing."""
