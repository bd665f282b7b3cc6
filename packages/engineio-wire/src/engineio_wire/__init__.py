"""One TCP connection without I/O: HTTP/1.1 and WebSocket bytes to exchanges and links."""
