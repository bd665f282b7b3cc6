"""The Socket.IO server as a state machine without I/O: namespaces, rooms, acks, vocabulary."""
