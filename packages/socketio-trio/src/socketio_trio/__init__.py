"""Socket.IO server for trio."""
