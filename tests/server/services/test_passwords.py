"""Passwords: who has none, or no account, is refused by the same work as everybody else."""

from __future__ import annotations

import pytest
from argon2 import PasswordHasher, extract_parameters
from argon2.exceptions import VerifyMismatchError

from server.services.passwords import Passwords

CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@pytest.mark.parametrize("hasher", [PasswordHasher(), CHEAP], ids=["as in service", "cheap"])
async def test_what_stands_for_no_account_costs_what_a_real_hash_costs(hasher: PasswordHasher) -> None:
    passwords = Passwords(hasher)
    try:
        real = await passwords.hash("correct horse battery")
        assert await passwords.matches(real, "correct horse battery")
        assert not await passwords.matches(None, "correct horse battery")
        assert not await passwords.matches("", "correct horse battery")
    finally:
        passwords.close()
    assert extract_parameters(passwords.nobody) == extract_parameters(real)
    with pytest.raises(VerifyMismatchError):  # computed to the end, not refused as malformed
        hasher.verify(passwords.nobody, "correct horse battery")


def test_each_process_draws_its_own() -> None:
    first, second = Passwords(CHEAP), Passwords(CHEAP)
    assert first.nobody != second.nobody
    first.close()
    second.close()
