"""How many quick replies there may be, by the server's settings."""

from server.services.quick_replies import Limits
from server.settings import Settings


def limits_of(settings: Settings) -> Limits:
    """For the services."""
    return Limits(
        shop=settings.quick_replies_shop, group=settings.quick_replies_group, own=settings.quick_replies_own
    )
