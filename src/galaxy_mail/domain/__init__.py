"""Decisions only: no I/O, no clock, no dice, no logging. Read ``delivery``, ``leases`` and ``ports`` first."""
