"""The terminal client: a customer or an agent at a prompt, over the same wire as everybody else.

Knows the protocol and its reference client, the HTTP doors for sign-in, and words in three languages. Knows nothing of
the server's inside: it could be installed on another machine.
"""
