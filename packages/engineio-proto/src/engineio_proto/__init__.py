"""The Engine.IO protocol as a state machine without I/O."""
