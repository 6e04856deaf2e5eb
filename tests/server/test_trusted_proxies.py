"""Which proxies are believed: addresses and networks, or a word about what is wrong with them."""

from __future__ import annotations

import pytest

from server.settings import Settings, SettingsError, load


def settings(proxies: str) -> Settings:
    return load(
        database_url="postgresql://x/y", redis_url="redis://x", secret="s" * 32, trusted_proxies=proxies
    )


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("", ""),
        ("10.0.0.5", "10.0.0.5/32"),
        (" 10.0.0.5 , 10.1.0.0/16,::1", "10.0.0.5/32,10.1.0.0/16,::1/128"),
    ],
)
def test_addresses_and_networks_are_taken(said: str, kept: str) -> None:
    assert settings(said).trusted_proxies == kept


@pytest.mark.parametrize("said", ["*", "proxy.example", "10.0.0.5/16", "true"])
def test_what_is_no_address_is_refused_with_an_example(said: str) -> None:
    with pytest.raises(SettingsError, match="must be addresses or networks like"):
        settings(said)
