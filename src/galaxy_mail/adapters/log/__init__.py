"""The AdminNotifier that writes to the log."""
