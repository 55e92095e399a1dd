"""Decisions only: no I/O, no clock, no dice, no logging, no asyncio."""
