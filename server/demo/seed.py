"""The shop "demo": made over the HTTP API like any other shop, and found again when it is there already.

Three groups serve the six order states. Chen and Wang answer before the sale, Wang and Zhao on deliveries; the
after-sale group are Lin and Zhou, whose accounts are left to whoever tries the desk or the terminal.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from protocol.states import OrderState
from server.chat.door import Door, SignIn
from server.chat.identity import IdentityKey

SHOP: Final = "demo"
PASSWORD: Final = "pointsman-demo"
"""Of every demo account. The demo listens on loopback only."""
KEY_FILE: Final = "identity.key"


@dataclass(frozen=True, slots=True)
class Person:
    """An account of the demo shop."""

    key: str
    names: dict[str, str]
    roles: tuple[str, ...]
    capacity: int | None = None
    groups: tuple[str, ...] = ()

    @property
    def email(self) -> str:
        return f"{self.key}@demo.example"


@dataclass(frozen=True, slots=True)
class Team:
    """A group of the demo shop and the order states bound to it."""

    key: str
    names: dict[str, str]
    kind: str
    states: tuple[OrderState, ...]


OWNER: Final = Person("owner", {"en": "Owner", "zh": "店主"}, ("owner",))
HUMAN: Final = Person("lin", {"en": "Lin", "zh": "林小美"}, ("agent",), 1, ("after_sale",))
SECOND_HUMAN: Final = Person("zhou", {"en": "Zhou", "zh": "周宁"}, ("agent",), 5, ("after_sale",))
HUMANS: Final = (HUMAN, SECOND_HUMAN)
ROBOTS: Final = (
    Person("chen", {"en": "Chen", "zh": "陈晨"}, ("agent",), 3, ("pre_sale",)),
    Person("wang", {"en": "Wang", "zh": "王磊"}, ("agent",), 3, ("pre_sale", "delivery")),
    Person("zhao", {"en": "Zhao", "zh": "赵敏"}, ("agent",), 2, ("delivery",)),
)
SUPERVISOR: Final = Person("supervisor", {"en": "Supervisor", "zh": "主管"}, ("supervisor",))
ADMIN: Final = Person("admin", {"en": "Admin", "zh": "管理员"}, ("admin", "service_admin"))
BOT: Final = Person("robo", {"en": "Robo", "zh": "小派"}, ("bot",), 500)
PEOPLE: Final = (*HUMANS, *ROBOTS, SUPERVISOR, ADMIN, BOT)

TEAMS: Final = (
    Team(
        "pre_sale",
        {"en": "Pre-sale", "zh": "售前组"},
        "customer_type",
        (OrderState.NO_ACTIVE_ORDER, OrderState.PLACED_UNPAID),
    ),
    Team(
        "delivery",
        {"en": "Delivery", "zh": "物流组"},
        "product_line",
        (OrderState.PAID_UNSHIPPED, OrderState.SHIPPED_UNSIGNED),
    ),
    Team(
        "after_sale",
        {"en": "After-sale", "zh": "售后组"},
        "customer_type",
        (OrderState.TRADE_DONE, OrderState.AFTER_SALE),
    ),
)


@dataclass(frozen=True, slots=True)
class Tag:
    """What may have become of a conversation."""

    key: str
    names: dict[str, str]
    colour: str


TAGS: Final = (
    Tag("solved", {"en": "Solved", "zh": "已解决"}, "green"),
    Tag("follow_up", {"en": "Follow up", "zh": "待跟进"}, "orange"),
    Tag("refund", {"en": "Refund or return", "zh": "退换货"}, "blue"),
    Tag("complaint", {"en": "Complaint", "zh": "投诉"}, "red"),
    Tag("no_answer", {"en": "Customer went away", "zh": "买家未回复"}, "grey"),
)


@dataclass(frozen=True, slots=True)
class Seeded:
    """The demo shop as it is: account ids by key, group ids by key, and the key for identity tokens."""

    shop_id: str = ""
    accounts: dict[str, str] = field(default_factory=dict[str, str])
    groups: dict[str, str] = field(default_factory=dict[str, str])
    identity: IdentityKey = field(default_factory=lambda: IdentityKey("", ""))


async def seed(door: Door, *, language: str, ports: list[int], folder: Path, bot: bool) -> Seeded:
    """Make what is missing and set what differs. The owner exists already (see `server.setup`)."""
    owner = await door.sign_in(SHOP, OWNER.email, PASSWORD)
    speech = "zh" if language.startswith("zh") else "en"
    accounts = await _accounts(door, owner, speech)
    groups = await _groups(door, owner, speech)
    for person in PEOPLE:
        for group in person.groups:
            path = f"/v1/groups/{groups[group]}/members/{accounts[person.key]}"
            await door.ask("PUT", path, token=owner.access_token)
    await _routing(door, owner, groups, accounts, bot=bot, note="演示店铺" if speech == "zh" else "demo shop")
    await _endings(door, owner, speech)
    await _surfaces(door, owner, ports)
    table = (Path(__file__).parent / f"quick_replies.{speech}.csv").read_text(encoding="utf-8")
    await door.ask(
        "POST", "/v1/quick-replies/table", {"whose": "shop", "csv": table}, token=owner.access_token
    )
    me = await door.ask("GET", "/v1/me", token=owner.access_token)
    return Seeded(me["shop"]["id"], accounts, groups, await _identity(door, owner, folder))


async def _accounts(door: Door, owner: SignIn, speech: str) -> dict[str, str]:
    page = await door.ask("GET", "/v1/accounts?limit=200", token=owner.access_token)
    there = {account["email"]: account for account in page["items"]}
    accounts: dict[str, str] = {}
    for person in PEOPLE:
        account = there.get(person.email)
        if account is None:
            body: dict[str, Any] = {
                "email": person.email,
                "name": person.names[speech],
                "roles": list(person.roles),
                "password": PASSWORD,
            }
            if person.capacity is not None:
                body["capacity"] = person.capacity
            account = await door.ask("POST", "/v1/accounts", body, token=owner.access_token)
        elif account["name"] != person.names[speech]:
            change = {"name": person.names[speech]}
            await door.ask("PATCH", f"/v1/accounts/{account['id']}", change, token=owner.access_token)
        accounts[person.key] = account["id"]
    return accounts


async def _groups(door: Door, owner: SignIn, speech: str) -> dict[str, str]:
    listed = await door.ask("GET", "/v1/groups", token=owner.access_token)
    groups: dict[str, str] = {}
    for team in TEAMS:
        # Found under any language's name: the board's language may change from run to run.
        group = next((one for one in listed["items"] if one["name"] in team.names.values()), None)
        if group is None:
            body = {"name": team.names[speech], "kind": team.kind}
            group = await door.ask("POST", "/v1/groups", body, token=owner.access_token)
        groups[team.key] = group["id"]
    return groups


async def _routing(
    door: Door, owner: SignIn, groups: dict[str, str], accounts: dict[str, str], *, bot: bool, note: str
) -> None:
    current = await door.ask("GET", "/v1/settings/routing", token=owner.access_token)
    policy: dict[str, Any] = {
        **current["policy"],
        "mode": "grouped",
        "distribution": "even",
        "order_state_groups": {state: [groups[team.key]] for team in TEAMS for state in team.states},
        "new_customer_priority": True,
        # Long enough to be seen, short enough that a demo moves.
        "wrap_up_s": 10,
        "bot": {"enabled": bot, "account": accounts[BOT.key], "keep_stickiness": True},
    }
    if policy == current["policy"]:
        return
    body = {"rev": current["rev"], "policy": policy, "note": note}
    await door.ask("PUT", "/v1/settings/routing", body, token=owner.access_token)


async def _endings(door: Door, owner: SignIn, speech: str) -> None:
    path = "/v1/settings/endings"
    current = await door.ask("GET", path, token=owner.access_token)
    if current["result_tags"]:
        return
    tags = [{"tag_id": tag.key, "name": tag.names[speech], "colour": tag.colour} for tag in TAGS]
    # Wrap-up is short in this shop; the customer shall see something of it.
    body = {**current, "result_tags": tags, "undo_s": 5}
    await door.ask("PUT", path, body, token=owner.access_token)


async def _surfaces(door: Door, owner: SignIn, ports: list[int]) -> None:
    origins = [f"http://{host}:{port}" for port in ports for host in ("127.0.0.1", "localhost")]
    for surface in ("widget", "desk"):
        revs = (await door.ask("GET", "/v1/settings/origins", token=owner.access_token))["revs"]
        path = f"/v1/settings/origins/{surface}"
        body = {"origins": origins, "rev": revs[surface]}
        await door.ask("PUT", path, body, token=owner.access_token)
    widget = await door.ask("GET", "/v1/settings/widget", token=owner.access_token)
    settings = {**widget, "identity_mode": "enforce", "anonymous_allowed": True}
    await door.ask("PUT", "/v1/settings/widget", settings, token=owner.access_token)


async def _identity(door: Door, owner: SignIn, folder: Path) -> IdentityKey:
    """The key kept in `folder` while it holds, else a new one."""
    kept = folder / KEY_FILE
    listed = await door.ask("GET", "/v1/settings/identity-keys", token=owner.access_token)
    holding = [key for key in listed["items"] if key["revoked_at"] is None]
    if kept.exists():
        key = IdentityKey.parse(kept.read_text(encoding="utf-8"))
        if any(one["kid"] == key.kid for one in holding):
            return key
    # At most two hold at once, and a key whose secret is lost is of no use.
    for lost in holding[1:]:
        await door.ask("DELETE", f"/v1/settings/identity-keys/{lost['kid']}", token=owner.access_token)
    made = await door.ask("POST", "/v1/settings/identity-keys", token=owner.access_token)
    key = IdentityKey(made["kid"], made["secret"])
    kept.touch(mode=0o600)
    kept.write_text(f"{key.kid}:{key.secret}\n", encoding="utf-8")
    return key
