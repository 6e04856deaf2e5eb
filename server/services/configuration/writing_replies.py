"""Quick replies of a configuration, into the store: the shop's and those of groups; nobody's own."""

from collections.abc import Mapping

from protocol.errors import RequestError
from server.services.configuration.names import UnknownName
from server.services.configuration.shapes import Replies, Reply
from server.services.configuration.under_way import UnderWay
from server.services.quick_replies import contents_of
from server.services.quick_reply_text import Draft, draft_of, faults_of
from server.store.quick_replies import Shelf


async def write_replies(way: UnderWay, wanted: Replies) -> None:
    """Every shelf of the shop and of its groups holds exactly these."""
    names = await way.names()
    shelves: dict[Shelf, tuple[str, Mapping[str, Reply]]] = {
        Shelf(group_id=group.id): ("quick_replies.groups", {})
        for group in await way.stored.groups.of_shop(way.shop)
    }
    shelves[Shelf()] = ("quick_replies.shop", wanted.shop)
    for name, replies in wanted.groups.items():
        place = f"quick_replies.groups.{name}"
        try:
            shelves[Shelf(group_id=names.group(name))] = (place, replies)
        except UnknownName as error:
            way.fault(place, error.problem)
    for shelf, (place, replies) in shelves.items():
        await _fill(way, shelf, replies, place)


async def _fill(way: UnderWay, shelf: Shelf, replies: Mapping[str, Reply], place: str) -> None:
    drafts: dict[str, Draft] = {}
    for shortcut, reply in replies.items():
        draft = draft_of(reply.folder, shortcut, reply.title, reply.text)
        found = faults_of(draft, named=True)
        for fault in found:
            inside = "" if fault.field == "shortcut" else f".{fault.field}"
            way.fault(f"{place}.{shortcut}{inside}", fault.problem)
        if draft.shortcut in drafts:
            way.fault(f"{place}.{shortcut}", "is there twice, written in another way")
        drafts[draft.shortcut] = draft
    if way.faults:
        return
    for row in await way.stored.replies.on(way.shop, shelf):
        if row.shortcut not in drafts:
            await way.stored.replies.delete(way.shop, row.id)
    if not drafts:
        return
    contents = await contents_of([*drafts.values()])
    most = way.limits.of(shelf)
    try:
        # What stays as it is must not look like a change.
        rehearsed = await way.stored.replies.bring(way.shop, shelf, contents, most=most, rehearse=True)
        if rehearsed.added or rehearsed.changed:
            await way.stored.replies.bring(way.shop, shelf, contents, most=most, rehearse=False)
    except RequestError as error:
        way.fault(place, error.message)
