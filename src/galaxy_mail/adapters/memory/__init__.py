"""Reference adapters in memory: a Store with real transactions, recording and scripted senders."""
