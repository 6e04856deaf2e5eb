"""The shop's bot: greets, answers the first words, and hands over to people."""

from loadtest.people.person import Person, overtaken
from protocol.shapes import Message


class Bot(Person):
    """Lives until cancelled."""

    async def live(self) -> None:
        """Answer every first message of a customer, and hand over on the second or the first, as the dice say."""
        heard = self.client.subscribe()
        await self.client.start()
        await self.ask("agent.set_status", status="online")
        async for frame in heard:
            message = frame.params
            if isinstance(message, Message) and message.sender.kind == "customer":
                await self._react(message)

    async def _react(self, message: Message) -> None:
        conversation = message.conversation_id
        known = self.client.view.conversations.get(conversation)
        if known is None or known.owner is None or known.owner.id != self.id:
            return
        async with overtaken(self):
            await self.say(conversation, "A colleague will be with you in a moment.")
            await self.ask("conversation.hand_off", conversation_id=conversation)
            self.world.book.count("handed over by the bot")
