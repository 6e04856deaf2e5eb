"""The command line `pointsman`: run a server, set one up from nothing, look after it, talk through it."""

from server.cli.application import main

__all__ = ["main"]
