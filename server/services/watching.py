"""Following a conversation silently: beginning it, and every way in which it ends (CO-12).

Watching is in the conversation's row and in no log: nobody but the watcher is told, unless the shop shows its agents
who watches. It lasts until the watcher ends it, signs out, takes part or owns it, loses the right, or has had no
connection for a while; and no longer than the conversation.
"""

from protocol.codes import ErrorCode
from protocol.errors import RequestError
from protocol.ids import AccountId, ConversationId, ShopId
from server.services.participants import Participants
from server.store.participants import Participants as Store


class Watching:
    """Who watches what. `most`: conversations that one account watches at once."""

    def __init__(self, store: Store, participants: Participants, *, most: int) -> None:
        self._store = store
        self._participants = participants
        self._most = most

    async def of(self, shop: ShopId, account: AccountId) -> tuple[ConversationId, ...]:
        """What somebody watches, in the order in which they began to."""
        return (await self._store.watched_by(shop, (account,)))[account]

    async def room(self, shop: ShopId, account: AccountId) -> None:
        """Raises CONFLICT `watching_too_many` when somebody watches as many as anybody may."""
        watched = len(await self.of(shop, account))
        if watched >= self._most:
            raise RequestError(
                ErrorCode.CONFLICT,
                "watching_too_many",
                f"You watch {watched} conversations, as many as anybody may at once; stop watching one of them first.",
            )

    async def begin(
        self, shop: ShopId, conversation: ConversationId, account: AccountId, reason: str
    ) -> None:
        """From now on every entry goes to them. Who watches or takes part already goes on. Raises INVALID_STATE
        `conversation_closed`, CONFLICT `too_many`."""
        await self._participants.add(shop, conversation, account, "watcher", by=account, reason=reason)

    async def end(self, shop: ShopId, conversation: ConversationId, account: AccountId) -> None:
        """They watch it no longer; who did not does not either."""
        await self._participants.drop(shop, conversation, account, watching=True)

    async def end_all(self, shop: ShopId, account: AccountId) -> int:
        """They signed out, or are gone. Returns of how many conversations it was the end."""
        watched = await self.of(shop, account)
        for conversation in watched:
            await self.end(shop, conversation, account)
        return len(watched)
