"""Socket.IO packets to messages and back: the default parser of protocol 5."""
