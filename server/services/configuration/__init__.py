"""A shop's whole configuration as one file: its shape, its text, and how it is read from the stores and written there.

What belongs: everything that admins set. What does not: accounts (the file names them by e-mail), keys and passwords,
what is personal (own quick replies) and what passes (duty by hand). `configurations` is the use of it.
"""
