"""Socket.IO server for asyncio."""
