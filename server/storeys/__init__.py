"""The composition root, storey by storey: each class makes its parts from those of the storeys below.

`App` (server/app.py) is the roof: it starts them from the ground up and stops them in reverse. Only these files and
`server/app.py` see the whole house; they decide nothing.
"""
