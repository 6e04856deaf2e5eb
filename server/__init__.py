"""Gateway, HTTP, storage and wiring of the Pointsman server."""
