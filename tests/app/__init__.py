"""The app: service, worker, wiring and settings."""
