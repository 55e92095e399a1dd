"""Reference adapters in memory: a Store with real transactions, recording and scripted senders."""

from galaxy_mail.adapters.memory.store import MemoryStore
from galaxy_mail.adapters.memory.transactions import MemoryTransaction

__all__ = ["MemoryStore", "MemoryTransaction"]
