"""The HTTP API: sign-in, administration, integration, health."""
