"""A supervisor: looks at the wall, watches a conversation now and then, whispers, and takes hold of the queue."""

from loadtest.people.person import Person, Span, overtaken
from protocol.states import Life

ROUND_S: Span = (0.7, 2.0)
WATCHED_S: Span = (0.5, 1.5)


class Supervisor(Person):
    """Lives until cancelled."""

    async def live(self) -> None:
        """Rounds over what the wall shows."""
        await self.client.start()
        await self.ask("monitor.subscribe")
        while True:
            await self.pause(ROUND_S)
            open_ones = [
                each.conversation_id
                for each in self.client.view.conversations.values()
                if each.state is Life.ACTIVE
            ]
            wall = self.client.view.wall
            if wall is not None:
                open_ones += [each.conversation_id for each in wall.unanswered]
            if open_ones:
                async with overtaken(self):
                    await self._watch(self.rng.choice(open_ones))

    async def _watch(self, conversation: str) -> None:
        await self.ask("monitor.watch", conversation_id=conversation)
        self.world.book.count("watched")
        await self.pause(WATCHED_S)
        if self.chance(0.3):
            await self.note(conversation, f"{self.name} whispers", whisper=True)
            self.world.book.count("whispers")
        await self.ask("monitor.unwatch", conversation_id=conversation)
