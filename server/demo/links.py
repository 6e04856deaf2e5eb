"""Where a browser gets in: the demo's pages, and for the people of the desk a link each that signs them in once."""

from dataclasses import dataclass
from typing import Final

from rich.cells import cell_len

from protocol.ids import AccountId, ShopId
from router.link import link_to
from server.chat.language import Language
from server.demo import seed as shop
from server.services.sign_in_links import issue_link

PAGES: Final = (
    ("demo.link_agent", shop.HUMAN, "/work"),
    ("demo.link_agent", shop.SECOND_HUMAN, "/work"),
    ("demo.link_wall", shop.SUPERVISOR, "/wall"),
    ("demo.link_settings", shop.ADMIN, "/settings"),
)
"""What it is, whose link it is, and where it leads."""


@dataclass(frozen=True, slots=True)
class Line:
    """One thing to open."""

    what: str
    url: str


async def links(words: Language, seeded: shop.Seeded, redis_url: str, urls: tuple[str, str]) -> list[Line]:
    """Fresh links for everybody; the people sit on both nodes, so that what they say to each other crosses."""
    first, second = urls
    speech = "zh" if words.name.startswith("zh") else "en"
    lines = [Line(words("demo.link_shop"), f"{second}/shop/")]
    redis = link_to(redis_url, time_out_s=5)
    await redis.open()
    try:
        for number, (what, person, page) in enumerate(PAGES):
            link = await issue_link(redis, ShopId(seeded.shop_id), AccountId(seeded.accounts[person.key]))
            node = (first, second)[number % 2]
            name = words(what, name=person.names[speech])
            lines.append(Line(name, f"{node}/desk/link/{link}?next={page}"))
    finally:
        await redis.close()
    lines.append(Line(words("demo.link_api"), f"{first}/docs"))
    return lines


def table(lines: list[Line]) -> list[str]:
    """The lines with their addresses below each other, in columns as wide as the terminal's characters are."""
    width = max(cell_len(line.what) for line in lines)
    return [f"  {line.what}{' ' * (width - cell_len(line.what))}  {line.url}" for line in lines]
