"""Measures Pointsman from outside: benchmarks against goals and peers, and realistic load with every log checked.

Knows the wire contract (`protocol`), the command line and the HTTP routes, never the server's code; the router's micro
benchmarks (P4, P5) import `router`. Servers are processes of their own. `python -m loadtest --help`.
"""
