"""Coverage-guided fuzzing: targets that take octets, and an engine that keeps those inputs which reach something new."""
