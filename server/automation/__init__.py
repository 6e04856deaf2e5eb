"""The engine room of automation: what rules are, when they hold, and when to look again. Pure: no I/O, no clock.

`facts` is what a rule is judged on, `conditions` and `actions` what it is made of, `rule` the whole, `evaluate` the
judge, `validation` what is refused and why. What kind of thing a rule is about is a field (`Subject`) by which all
tables are keyed; who gathers facts and carries actions out is in `server.services`.
"""
