"""The WebSocket side: sockets, sessions, and who may call what."""
