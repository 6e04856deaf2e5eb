"""Which protocol this is."""

VERSION = "1.0.0"
"""Of the wire protocol, not of the software. Additive changes raise the second number."""
SUBPROTOCOL = "pointsman.v1"
"""Must be offered in the WebSocket handshake, and is echoed."""
