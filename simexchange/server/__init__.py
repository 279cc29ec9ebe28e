"""The exchange over HTTP and WebSocket, in the wire protocols of real venues."""
