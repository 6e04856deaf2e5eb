"""A shop's whole configuration out as one file, and in again: looked at first, then all of it or nothing.

Bringing it in writes to the stores by the rules that hold for the pages of the settings, in one transaction; looking at
it first does the very same and takes it back. So what is shown is what would hold, and what is refused is refused then.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol, cast

from pydantic import ValidationError

from protocol.codes import ErrorCode
from protocol.errors import RequestError
from protocol.ids import ShopId
from protocol.rights import Grants, Reach
from server.services.callers import Caller, CallerEyes
from server.services.configuration.reading import Reading
from server.services.configuration.shapes import FORMAT, SECTIONS, Document
from server.services.configuration.text import Fault, Read, read, written
from server.services.configuration.under_way import UnderWay
from server.services.configuration.writing import write
from server.services.policies import differences
from server.services.quick_replies import Limits
from server.services.revisions import check_revision, revision_of
from server.services.scope import Scope, Why, refusal
from server.store.editing import Editable, Editing

FAULTS_MAX: Final = 200
"""Faults that are told; whoever mends so many sends it again."""
_HEADING: Final = """Pointsman: the settings of shop {shop}.
Accounts are named by e-mail and must be there before this is imported; keys and passwords are not in it.
A section that is left out stays as it is in the shop. A section that is there replaces everything in it."""
_KEYS: Final = ("tag_id", "reason_id", "name")
"""Members that name the members of a list, so that what differs is told one by one."""


@dataclass(frozen=True, slots=True)
class SectionChange:
    """What differs in one section: (dotted place in it, before, after)."""

    section: str
    changes: tuple[tuple[str, Any, Any], ...]


@dataclass(frozen=True, slots=True)
class Brought:
    """What an import changed, or would change. `rev`: of everything that held before it."""

    sections: tuple[SectionChange, ...]
    rev: str
    applied: bool


class Effects(Protocol):
    """Whoever must follow when settings change."""

    async def configured(self, shop: ShopId, sections: frozenset[str]) -> None:
        """These sections were changed, durably; repeating changes nothing."""
        ...


class _Rehearsed(Exception):
    """Takes back what was only to be looked at."""

    def __init__(self, brought: Brought) -> None:
        super().__init__()
        self.brought = brought


class Configurations:
    """Out and in. Everything is the caller's shop's."""

    def __init__(
        self, *, editing: Editing, scope: Scope, kinds: frozenset[str], limits: Limits, effects: Effects
    ) -> None:
        self._editing = editing
        self._scope = scope
        self._kinds = kinds
        self._limits = limits
        self._effects = effects

    async def export(self, caller: Caller) -> str:
        """The file, with every section that the caller may see."""
        grants = await self._grants(caller)
        async with self._editing.of(caller.shop_id) as stored:
            document = await self._document(stored, caller.shop_id)
            shop = await stored.shops.get(caller.shop_id)
        seen = {name: part for name, part in document.items() if _may(grants, name, to_change=False)}
        comments = {
            "format": _HEADING.format(shop=shop.slug),
            **{name: comment for name, (_, _, comment) in SECTIONS.items()},
        }
        return await asyncio.to_thread(written, {"format": FORMAT, **seen}, comments)

    async def bring(self, caller: Caller, text: str, *, rev: str | None, rehearse: bool) -> Brought:
        """Let the shop be as the file says, or (`rehearse`) only say what that would change.

        `rev`: what was looked at before; None: whatever holds. INVALID_PARAMS `invalid_configuration` with every fault,
        its place and its line; FORBIDDEN for a section that the caller may not change; CONFLICT `stale_rev`.
        """
        found = await asyncio.to_thread(read, text)
        document = _document_of(found)
        grants = await self._grants(caller)
        try:
            async with self._editing.of(caller.shop_id) as stored:
                before = await self._document(stored, caller.shop_id)
                holds = revision_of(before)
                if rev is not None:
                    check_revision(rev, holds)
                way = UnderWay(stored, caller, grants, self._kinds, self._limits)
                await write(way, document)
                if way.faults:
                    raise _invalid(way.faults, found)
                brought = Brought(
                    _changes(before, await self._document(stored, caller.shop_id)), holds, not rehearse
                )
                for change in brought.sections:
                    if not _may(grants, change.section, to_change=True):
                        raise refusal(Why.NO_RIGHT, f"change {change.section}", SECTIONS[change.section][1])
                if rehearse:
                    raise _Rehearsed(brought)
        except _Rehearsed as rehearsed:
            return rehearsed.brought
        await self._effects.configured(caller.shop_id, frozenset(each.section for each in brought.sections))
        return brought

    async def _document(self, stored: Editable, shop: ShopId) -> dict[str, Any]:
        return await Reading(stored, shop, self._kinds).document()

    async def _grants(self, caller: Caller) -> Grants:
        return await self._scope.grants(CallerEyes(caller), fresh=True)


def _may(grants: Grants, section: str, *, to_change: bool) -> bool:
    see, change, _ = SECTIONS[section]
    return grants.get(change if to_change else see) is Reach.ALL


def _document_of(found: Read) -> Document:
    if not found.faults and found.data is None:
        found.faults.append(Fault("", "there is nothing in it"))
    if found.faults:
        raise _invalid(found.faults, found)
    try:
        return Document.model_validate(found.data)
    except ValidationError as error:
        faults = [
            Fault(
                ".".join(str(part) for part in each["loc"] if part != "[key]"),
                each["msg"].removeprefix("Value error, "),
            )
            for each in error.errors(include_url=False, include_input=False)
        ]
        raise _invalid(faults, found) from None


def _invalid(faults: list[Fault], found: Read) -> RequestError:
    return RequestError(
        ErrorCode.INVALID_PARAMS,
        "invalid_configuration",
        "This configuration cannot hold; see errors. Nothing was changed.",
        detail=[
            {
                "field": fault.place,
                "problem": fault.problem,
                "line": fault.line or found.at(fault.place) or None,
            }
            for fault in faults[:FAULTS_MAX]
        ],
    )


def _changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[SectionChange, ...]:
    found = (
        SectionChange(section, differences({"": _keyed(before[section])}, {"": _keyed(after[section])}))
        for section in SECTIONS
    )
    return tuple(
        SectionChange(
            each.section, tuple((place.removeprefix("."), old, new) for place, old, new in each.changes)
        )
        for each in found
        if each.changes
    )


def _keyed(part: Any) -> Any:
    """Lists of things that have names, as mappings by those names; order is told where it differs."""
    if isinstance(part, dict):
        return {name: _keyed(member) for name, member in cast("dict[str, Any]", part).items()}
    if not isinstance(part, list):
        return part
    things = cast("list[Any]", part)
    key = next(
        (key for key in _KEYS if things and all(isinstance(each, dict) and key in each for each in things)),
        None,
    )
    names = [] if key is None else [str(each[key]) for each in things]
    if key is None or len(set(names)) < len(names):
        return things
    return {**{name: _keyed(each) for name, each in zip(names, things, strict=True)}, "order": names}
