"""The password of a private server, in the form in which PostgreSQL keeps it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets


def scram_verifier(password: str) -> str:
    """A SCRAM-SHA-256 verifier (RFC 5803) with one iteration.

    Iterations slow down the guessing of passwords that people choose. These are 192 random bits, and each connection
    of each test would pay for the usual 4096.
    """
    salt = secrets.token_bytes(16)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, 1)
    client_key = hmac.digest(salted, b"Client Key", "sha256")
    stored_key = hashlib.sha256(client_key).digest()
    server_key = hmac.digest(salted, b"Server Key", "sha256")
    salt_b64, stored_b64, server_b64 = (base64.b64encode(x).decode() for x in (salt, stored_key, server_key))
    return f"SCRAM-SHA-256$1:{salt_b64}${stored_b64}:{server_b64}"
