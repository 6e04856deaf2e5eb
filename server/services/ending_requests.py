"""Requests about the end of a conversation: ending, taking it back, what became of it, and what its customer says.

What became of it stands in the conversation before it is ended: whoever hears of the end hears of that too.
"""

from collections.abc import Sequence

from protocol.codes import ErrorCode
from protocol.errors import RequestError
from protocol.ids import AccountId, ConversationId, CustomerId
from protocol.methods import conversations as m
from protocol.methods.session import Nothing
from protocol.states import PersonKind
from server.services.audit import Audit
from server.services.delivery import Delivery
from server.services.ending_settings import EndingSettings
from server.services.routing import Routing
from server.services.seeing import Seeing
from server.services.shops import Shops
from server.session import Session
from server.store.conversations import Conversations
from server.store.rows import ConversationRow


class EndRequests:
    """`conversation.end`, `.reopen`, `.tag`, `.rate`, `.choices`."""

    def __init__(
        self,
        store: Conversations,
        shops: Shops,
        routing: Routing,
        delivery: Delivery,
        seeing: Seeing,
        audit: Audit,
    ) -> None:
        self._store = store
        self._shops = shops
        self._routing = routing
        self._delivery = delivery
        self._seeing = seeing
        self._audit = audit

    async def end(self, session: Session, params: m.EndParams) -> m.ConversationResult:
        """`conversation.end` (KS-20). What is ended for a reason, or is not the caller's, is in the audit.

        INVALID_PARAMS `unknown_result_tag`; `result_tag_required` when the shop wants one of who serves."""
        row = await self._seeing.serving(session, params.conversation_id)
        facts = await self._shops.get(row.shop_id)
        tags = _chosen(facts.endings, params.result_tags, row)
        own = row.owner_id == session.person_id
        if own and facts.endings.result_tag_required and not tags:
            raise _bad_tags("result_tag_required", "Choose what became of this conversation to end it.")
        epoch = row.assign_epoch if params.assign_epoch is None else params.assign_epoch
        if params.reason or not own:
            await self._audit.done(
                row.shop_id,
                "conversation.end",
                "conversation",
                row.id,
                reason=params.reason,
                after={"result_tags": [tag.name for tag in facts.endings.tags(tags)]},
            )
        noted = await self._store.set_result(row.shop_id, row.id, tags, epoch=epoch, end_reason=params.reason)
        try:
            await self._routing.do(
                row.shop_id,
                lambda engine, stamp: engine.end(
                    row.id,
                    op_id=stamp.op_id,
                    day=stamp.day,
                    wrap_up_ms=facts.policy.wrap_up_s * 1000,
                    expected_epoch=epoch,
                    by=AccountId(session.person_id),
                ),
            )
        except RequestError:
            await self._delivery.changed_for_staff(noted)  # it goes on, with what was said of it
            raise
        return await self._shown(session, row)

    async def reopen(self, session: Session, params: m.ConversationParams) -> m.ConversationResult:
        """`conversation.reopen`: the agent undoes the end (KS-20); what was said of it stays until the next end."""
        row = await self._seeing.serving(session, params.conversation_id)
        await self._routing.do(
            row.shop_id,
            lambda engine, stamp: engine.reopen(
                row.id, op_id=stamp.op_id, day=stamp.day, by=AccountId(session.person_id)
            ),
        )
        return await self._shown(session, row)

    async def tag(self, session: Session, params: m.TagParams) -> m.ConversationResult:
        """`conversation.tag`: by whoever may end it, in service and in wrap-up; in the audit. INVALID_PARAMS
        `unknown_result_tag`, `result_tag_required` (in wrap-up)."""
        row = await self._seeing.serving(session, params.conversation_id)
        endings = (await self._shops.get(row.shop_id)).endings
        tags = _chosen(endings, params.result_tags, row)
        if row.result_tags and not tags and endings.result_tag_required:
            raise _bad_tags("result_tag_required", "Choose what became of this conversation.")
        epoch = row.assign_epoch if params.assign_epoch is None else params.assign_epoch
        if tags != row.result_tags:
            await self._audit.done(
                row.shop_id,
                "conversation.tag",
                "conversation",
                row.id,
                before={"result_tags": [tag.name for tag in endings.tags(row.result_tags)]},
                after={"result_tags": [tag.name for tag in endings.tags(tags)]},
            )
            changed = await self._store.set_result(row.shop_id, row.id, tags, epoch=epoch)
            await self._delivery.changed_for_staff(changed)
        return await self._shown(session, row)

    async def rate(self, session: Session, params: m.RateParams) -> m.ConversationResult:
        """`conversation.rate`: an ended or closed one. INVALID_PARAMS `unknown_rating_reason`; INVALID_STATE
        `not_ended`, `rated_already` (longer ago than it may be corrected)."""
        endings = (await self._shops.get(session.shop_id)).endings
        offered = {each.reason_id for each in endings.rating_reasons if each.offered_with(params.rating)}
        reasons = tuple(dict.fromkeys(params.reasons))
        if not offered.issuperset(reasons):
            raise RequestError(
                ErrorCode.INVALID_PARAMS,
                "unknown_rating_reason",
                "This reason is not offered with this rating.",
                detail=[{"field": "reasons", "problem": "Choose from conversation.choices."}],
            )
        row = await self._store.rate(
            session.shop_id,
            CustomerId(session.person_id),
            ConversationId(params.conversation_id),
            params.rating,
            params.comment,
            reasons=reasons,
            correct_s=endings.rating_correct_s,
        )
        await self._delivery.changed(row)
        return await self._shown(session, row)

    async def choices(self, session: Session, _params: Nothing) -> m.ChoicesResult:
        """`conversation.choices`: what is offered now."""
        endings = (await self._shops.get(session.shop_id)).endings
        if session.kind is PersonKind.CUSTOMER:
            return m.ChoicesResult(
                rating_reasons=[each.shown() for each in endings.rating_reasons if not each.archived],
                rating_correct_s=endings.rating_correct_s,
            )
        return m.ChoicesResult(
            result_tags=[tag.shown() for tag in endings.result_tags if not tag.archived],
            result_tag_required=endings.result_tag_required,
            undo_s=endings.undo_s,
        )

    async def _shown(self, session: Session, row: ConversationRow) -> m.ConversationResult:
        return m.ConversationResult(conversation=await self._seeing.show(session, row.id))


def _chosen(endings: EndingSettings, asked: Sequence[str] | None, row: ConversationRow) -> tuple[str, ...]:
    """What is asked for, each once; absent: what there is. An archived tag may stay where it is."""
    if asked is None:
        return row.result_tags
    known = {tag.tag_id for tag in endings.result_tags if not tag.archived}.union(row.result_tags)
    if not known.issuperset(asked):
        raise _bad_tags("unknown_result_tag", "The shop has no such result tag, or offers it no more.")
    return tuple(dict.fromkeys(asked))


def _bad_tags(reason: str, message: str) -> RequestError:
    return RequestError(
        ErrorCode.INVALID_PARAMS, reason, message, detail=[{"field": "result_tags", "problem": message}]
    )
