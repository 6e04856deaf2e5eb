"""Every Redis key of a shop: its name, type, owner, content and lifetime.

All keys of a shop begin with `prefix(shop)`; its braces are a hash tag, so a shop's keys stay together wherever keys
are spread by hash. Keys without a TTL live as long as what they describe, and are all forgotten by `rebuild` but for
`op:*` and `fence:*`. Lua builds the names below from the prefix; the owner of every key is the router's scripts, and
nobody else writes.
Lists of words inside a value are separated by `SEPARATOR`; "packed" is msgpack.

The shop:
    live                string  two letters: distribution (e, l), wrap-up holds the slot (1, 0). Absent: not live
    drain               string  there while the last fill stopped at its limit
    rebuild             hash    op, policy of the rebuild under way
    pools               hash    bound pool -> its groups
    seq                 string  how many conversations were given out
    op:<op_id>          string  a verb's first answer. TTL 60 s
    fence:<node>        string  when the node incarnation was declared dead. TTL 24 h
Conversations:
    conv:<id>           string  packed: life, owner, epoch, rev, priority, arrived, pool, wrap-up until, reason,
                                previous owner. Until closed
    pool:<pool>         zset    waiting conversations by priority * 2^45 + arrival in ms
    waiting             set     pools in which somebody waits
    due                 zset    wrap:<conversation>, grace:<agent>, requeue:<agent> by ms
    unconfirmed         zset    <conversation>:<rev> by the decision's ms. Until confirmed
    decisions           hash    <conversation>:<rev> -> decision (JSON). Until confirmed
Agents:
    agents              set     all of them
    agent:<id>          hash    p: profile (JSON); s: packed capacity, pause at (-1: never), base, groups, on offline
                                list, status, counted offline, excluded; d: packed load, received, its day, last
                                seq; since: when the status was chosen, ms; after: longest offline-after seen, ms
                                or `never`
    slots:<id>          hash    conversation -> packed since, over capacity, reason
    orphans:<owner>     set     conversations held by one who is no agent any more
    lost_owners         set     all such owners
    offline_list        set     agents on the offline list, not excluded
    owners              set     agents marked as owner
Indices (a group, `*` everybody, `~` the offline list):
    group:<group>       set     routable agents
    groups              set     groups that ever had one, and `*`
    work:<group>        set     agents at work
    lru:<index>         zset    agents with room by last seq
    best:<index>        zset    the same by rank * 2^35 + last seq; rank: received that day, or load * 2^18 / capacity
The directory of connections:
    at:<person>         hash    connection -> node incarnation. While connected
    node:<node>         set     persons with a connection there
    nodes               set     node incarnations with connections
"""

from collections.abc import Iterable

from protocol.ids import AccountId, ConversationId, PersonId, ShopId

SEPARATOR = "\x1f"


def prefix(shop: ShopId) -> str:
    """What all keys of a shop begin with."""
    return f"pm:{{{shop}}}:"


def at_key(shop: ShopId, person: PersonId) -> str:
    """Hash connection -> node incarnation: where a person is connected. The bus reads it."""
    return f"{prefix(shop)}at:{person}"


def live_key(shop: ShopId) -> str:
    """String; there iff the shop's live state is complete."""
    return f"{prefix(shop)}live"


def conversation_key(shop: ShopId, conversation: ConversationId) -> str:
    """String; the live record of one conversation."""
    return f"{prefix(shop)}conv:{conversation}"


def agent_key(shop: ShopId, agent: AccountId) -> str:
    """Hash; one agent."""
    return f"{prefix(shop)}agent:{agent}"


def words(items: Iterable[str]) -> str:
    """A list of ids as one value."""
    return SEPARATOR.join(items)
