"""Who may give what to whom (GP-02 to GP-04, CO-06, KS-07, KS-21): everywhere the same answer, and what was refused has
changed nothing and is recorded."""

import httpx
import pytest

from protocol.codes import ErrorCode
from protocol.ids import AccountId, ConversationId
from protocol.states import Role
from server.services.handing_over import Giving
from tests.scenarios.house import Agent, House, Shop

TEAM = {"conversation_serve": "own", "conversation_view": "own", "conversation_transfer": "groups"}
"""What an agent of a team may do: give on within the team."""
LEADER = {
    "conversation_serve": "own",
    "conversation_view": "groups",
    "conversation_assign": "groups",
    "conversation_pull": "groups",
    "agent_manage": "groups",
}


async def two_teams(house: House) -> tuple[Shop, Agent, Agent, Agent]:
    """Phones has Lily and Max, Shoes has Nora; Lily and Nora have a customer each."""
    shop = await house.shop()
    await shop.grouped({"placed_unpaid": "Phones", "after_sale": "Shoes"})
    await shop.role("agent", **TEAM)
    lily = await shop.agent("Lily", groups=("Phones",))
    nora = await shop.agent("Nora", groups=("Shoes",))
    await (await shop.customer("Zoe", order_state="placed_unpaid")).opens()
    await (await shop.customer("Yan", order_state="after_sale")).opens()
    max_ = await shop.agent("Max", groups=("Phones",))
    return shop, lily, max_, nora


async def only(agent: Agent) -> str:
    [conversation] = await agent.mine()
    return conversation.conversation_id


async def unchanged(shop: Shop, conversation: str) -> tuple[object, ...]:
    """All that could have moved."""
    row = await shop.app.conversations.get(shop.id, ConversationId(conversation))
    return row.owner_id, row.assign_epoch, row.rev, row.head_seq, row.pool, await shop.loads()


@pytest.mark.req("GP-02", "GP-03", "KS-21")
async def test_a_team_member_gives_to_the_team_and_to_nobody_else(house: House) -> None:
    shop, lily, max_, nora = await two_teams(house)
    conversation = await only(lily)
    before = await unchanged(shop, conversation)

    refused = await lily.refused("conversation.transfer", conversation_id=conversation, account_id=nora.id)

    assert (refused.code, refused.reason) == (ErrorCode.FORBIDDEN, "out_of_scope")
    assert await unchanged(shop, conversation) == before
    await lily.asks("conversation.transfer", conversation_id=conversation, account_id=max_.id)
    await max_.sees(conversation, owner=max_.id)


@pytest.mark.req("GP-03", "GP-05")
async def test_a_try_across_groups_is_recorded_with_who_and_what(house: House) -> None:
    shop, lily, _, nora = await two_teams(house)
    conversation = await only(lily)

    await lily.refused("conversation.transfer", conversation_id=conversation, account_id=nora.id)
    await lily.refused(
        "conversation.transfer", conversation_id=conversation, group_id=shop.groups["Shoes"], reason="psst"
    )

    assert await shop.refusals() == [("Lily", "conversation.transfer", "out_of_scope")] * 2
    rows = await shop.app.db.fetch(
        "SELECT after, source FROM audit WHERE shop_id = $1 AND outcome = 'refused' ORDER BY at, id", shop.id
    )
    assert [row["after"] for row in rows] == [
        {"conversation_id": conversation, "account_id": nora.id},
        {"conversation_id": conversation, "group_id": shop.groups["Shoes"]},
    ]
    assert rows[0]["source"]["via"] == "socket"


@pytest.mark.req("GP-02", "GP-03", "KS-07")
async def test_a_leader_assigns_what_the_team_has_within_the_team(house: House) -> None:
    shop, lily, max_, nora = await two_teams(house)
    await shop.role("leader", **{**LEADER, "conversation_view": "all"})
    lea = await shop.agent("Lea", roles=("leader",), groups=("Phones",), status="offline")
    ours, theirs = await only(lily), await only(nora)

    for conversation, to in ((ours, nora), (theirs, max_), (theirs, nora)):
        refused = await lea.refused("conversation.assign", conversation_id=conversation, account_id=to.id)
        assert (refused.code, refused.reason) == (ErrorCode.FORBIDDEN, "out_of_scope")

    await lea.asks("conversation.assign", conversation_id=ours, account_id=max_.id)
    await max_.sees(ours, owner=max_.id)
    assert await only(nora) == theirs


@pytest.mark.req("GP-02")
async def test_what_a_leader_may_not_see_does_not_exist_for_them(house: House) -> None:
    shop, lily, max_, nora = await two_teams(house)
    await shop.role("leader", **LEADER)
    lea = await shop.agent("Lea", roles=("leader",), groups=("Phones",), status="offline")
    ours, theirs = await only(lily), await only(nora)

    refused = await lea.refused("conversation.assign", conversation_id=theirs, account_id=max_.id)

    assert refused.code is ErrorCode.NOT_FOUND
    assert (await lea.refused("conversation.get", conversation_id=theirs)).code is ErrorCode.NOT_FOUND
    listed = (await lea.asks("conversation.list", scope="all")).conversations
    assert [each.conversation_id for each in listed] == [ours]


@pytest.mark.req("GP-02", "GP-03", "KS-21")
async def test_who_may_pull_for_the_team_pulls_its_pool_and_open_ones(house: House) -> None:
    shop = await house.shop()
    await shop.grouped({"placed_unpaid": "Phones", "after_sale": "Shoes"})
    await shop.role("leader", **LEADER)
    lea = await shop.agent("Lea", roles=("leader",), groups=("Phones",), status="offline")
    waiting: dict[str, str] = {}
    for name, state in (("Ada", "after_sale"), ("Bob", "placed_unpaid"), ("Cem", "trade_done")):
        waiting[name] = await (await shop.customer(name, order_state=state)).opens()

    queue = (await lea.asks("conversation.list", scope="queue")).conversations
    assert [each.customer.name for each in queue] == ["Bob", "Cem"]
    refused = await lea.refused("conversation.pull", conversation_id=waiting["Ada"])
    assert refused.code is ErrorCode.NOT_FOUND
    refused = await lea.refused("conversation.pull", pool="after_sale")
    assert (refused.code, refused.reason) == (ErrorCode.FORBIDDEN, "out_of_scope")
    taken = [(await lea.asks("conversation.pull")).conversation.customer.name for _ in range(2)]

    assert taken == ["Bob", "Cem"]
    assert (await lea.refused("conversation.pull")).reason == "pool_empty"


@pytest.mark.req("GP-02", "GP-03", "KS-21")
async def test_the_queue_of_another_department_is_no_way_around_the_scope(house: House) -> None:
    shop, lily, _, _ = await two_teams(house)
    conversation = await only(lily)
    before = await unchanged(shop, conversation)

    refused = await lily.refused("conversation.requeue", conversation_id=conversation, pool="after_sale")

    assert (refused.code, refused.reason) == (ErrorCode.FORBIDDEN, "out_of_scope")
    assert await unchanged(shop, conversation) == before
    await lily.sets("paused")
    await lily.asks("conversation.requeue", conversation_id=conversation)
    assert await lily.mine() == []


@pytest.mark.req("GP-04", "GP-02", "KS-14", "KS-21")
@pytest.mark.parametrize("act", ["transfer", "assign"])
async def test_what_the_chooser_offers_is_what_the_act_does(house: House, act: str) -> None:
    shop, lily, _, _ = await two_teams(house)
    await shop.agent("Tom", groups=("Phones",), excluded=True)
    await shop.agent("Uma", groups=("Phones",), status="offline")
    await shop.agent("Bot", roles=(Role.BOT,), groups=("Phones",))
    await shop.role("leader", **LEADER)
    lea = await shop.agent("Lea", roles=("leader",), groups=("Phones",), status="offline")
    conversation = await only(lily)
    who = lily if act == "transfer" else lea

    chooser = await who.asks("agent.targets", act=act, conversation_id=conversation)

    why = {target.agent.name: target.why_not for target in chooser.agents}
    assert why == {
        "Max": None,
        "Uma": None,
        "Nora": "out_of_scope",
        "Bot": "bot",
        "Lily": "oneself" if act == "transfer" else "owner_already",
        "Tom": "excluded" if act == "transfer" else None,
        "Lea": None,
    }
    assert [target.permitted for target in chooser.agents] == sorted(
        (reason is None for reason in why.values()), reverse=True
    ), "the permitted come first"
    assert chooser.agents[0].agent.name == "Max", "the lightest who is there at the top"
    groups = {group.name: (group.permitted, group.why_not, group.online) for group in chooser.groups}
    assert groups == {"Phones": (True, None, 2), "Shoes": (False, "out_of_scope", 1)}
    for target in chooser.agents:
        if not target.permitted:
            await who.refused(
                f"conversation.{act}", conversation_id=conversation, account_id=target.agent.account_id
            )
    for target in chooser.agents:
        if target.permitted:
            await who.asks(
                f"conversation.{act}", conversation_id=conversation, account_id=target.agent.account_id
            )
            row = await shop.app.conversations.get(shop.id, ConversationId(conversation))
            await shop.app.handing_over.to_account(row, AccountId(lily.id), Giving(by=None))


@pytest.mark.req("GP-02", "GP-03", "KS-18", "KS-19")
async def test_a_leader_sets_status_and_capacity_in_the_own_team(house: House) -> None:
    shop, lily, _, nora = await two_teams(house)
    await shop.role("leader", **LEADER)
    lea = await shop.agent("Lea", roles=("leader",), groups=("Phones",), status="offline")

    await lea.asks("agent.set_capacity", account_id=lily.id, capacity=9)
    await lea.asks("agent.set_status", account_id=lily.id, status="paused")
    for method, params in (
        ("agent.set_capacity", {"capacity": 9}),
        ("agent.set_status", {"status": "paused"}),
    ):
        refused = await lea.refused(method, account_id=nora.id, **params)
        assert (refused.code, refused.reason) == (ErrorCode.FORBIDDEN, "out_of_scope")

    assert ((await lily.card()).capacity, (await lily.card()).status) == (9, "paused")
    assert ((await nora.card()).capacity, (await nora.card()).status) == (5, "online")


@pytest.mark.req("GP-02", "GP-03")
async def test_over_http_the_same_is_seen_and_the_same_is_not(house: House) -> None:
    shop, lily, _, nora = await two_teams(house)
    await shop.role("leader", **LEADER)
    row = await shop.account("Lea", "leader", groups=("Phones",))
    ours, theirs = await only(lily), await only(nora)
    token = shop.app.tokens.access(shop.id, row.id, row.roles, row.token_version)

    for node in house.nodes:
        async with httpx.AsyncClient(
            base_url=node.url, headers={"Authorization": f"Bearer {token}"}, trust_env=False
        ) as http:
            found = [
                (await http.get("/v1/conversations")).json(),
                (await http.get("/v1/conversations/search", params={"q": "hello"})).json(),
            ]
            statuses = [
                (await http.get(f"/v1/conversations/{conversation}")).status_code
                for conversation in (ours, theirs)
            ]
        assert [[each["conversation_id"] for each in page["conversations"]] for page in found] == [[ours]] * 2
        assert statuses == [200, 404]


@pytest.mark.req("CO-06", "GP-02", "GP-04")
async def test_who_may_be_invited_is_a_matter_of_scope(house: House) -> None:
    shop, lily, max_, nora = await two_teams(house)
    await shop.role("agent", **TEAM, conversation_invite="groups")
    conversation = await only(lily)

    chooser = await lily.asks("agent.targets", act="invite", conversation_id=conversation)
    assert {target.agent.name: target.why_not for target in chooser.agents} == {
        "Max": None,
        "Lily": "oneself",
        "Nora": "out_of_scope",
    }
    refused = await lily.refused(
        "participant.invite", conversation_id=conversation, account_ids=[max_.id, nora.id]
    )

    assert (refused.code, refused.reason) == (ErrorCode.FORBIDDEN, "out_of_scope")
    invited = await lily.asks("participant.invite", conversation_id=conversation, account_ids=[max_.id])
    assert invited.invited == [max_.id]


@pytest.mark.req("CO-06")
async def test_who_may_not_start_a_collaboration_is_told_by_the_chooser_too(house: House) -> None:
    _, lily, max_, _ = await two_teams(house)
    conversation = await only(lily)

    for method, params in (
        ("participant.invite", {"account_ids": [max_.id]}),
        ("agent.targets", {"act": "invite"}),
    ):
        refused = await lily.refused(method, conversation_id=conversation, **params)
        assert (refused.code, refused.reason) == (ErrorCode.FORBIDDEN, "no_right")


@pytest.mark.req("GP-04")
async def test_a_department_where_only_oneself_is_online_says_so(house: House) -> None:
    shop = await house.shop()
    await shop.group("Phones")
    await shop.group("Shoes")
    lily = await shop.agent("Lily", groups=("Phones", "Shoes"))
    await shop.agent("Max", groups=("Shoes",), status="paused")
    ada = await shop.customer("Ada")
    assert await ada.reaches() == "Lily"
    conversation = await only(lily)

    chooser = await lily.asks("agent.targets", act="transfer", conversation_id=conversation)

    why = {group.name: (group.why_not, group.online) for group in chooser.groups}
    assert why == {"Phones": ("only_oneself", 1), "Shoes": ("only_oneself", 2)}
    refusal = await lily.refused(
        "conversation.transfer", conversation_id=conversation, group_id=shop.groups["Phones"]
    )
    assert refusal.reason == "only_oneself"


@pytest.mark.req("GP-04")
async def test_a_department_whose_members_are_all_paused_is_not_said_to_be_offline(house: House) -> None:
    shop = await house.shop()
    await shop.group("Shoes")
    lily = await shop.agent("Lily")
    await shop.agent("Max", groups=("Shoes",), status="paused")
    ada = await shop.customer("Ada")
    assert await ada.reaches() == "Lily"

    chooser = await lily.asks("agent.targets", act="transfer", conversation_id=await only(lily))

    assert [(group.why_not, group.online) for group in chooser.groups] == [("all_paused", 1)]
