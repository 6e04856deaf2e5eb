"""Scenarios over real sockets: written once, run on one node and on two."""
