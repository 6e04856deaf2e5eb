"""`python -m server` is `pointsman`."""

from server.cli import main

main()
