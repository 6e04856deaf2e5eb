"""The verbs about agents, settings and connections, on dicts. Promises: see `router.engine.Engine`."""

from protocol.ids import AccountId, ConnectionId, PersonId
from protocol.states import AgentStatus
from router.memory_turn import MemoryTurn
from router.memory_verb import MemoryVerbs
from router.model import LivePolicy, Outcome, Profile, Refusal


class AgentVerbs(MemoryVerbs):
    """Everything that is done to an agent, the live policy, and the directory of connections."""

    async def set_status(
        self, agent: AccountId, status: AgentStatus, *, op_id: str, day: int, now_ms: int | None = None
    ) -> Outcome:
        """See `Engine.set_status`."""

        def act(turn: MemoryTurn) -> Refusal | None:
            record = self._shop.agents.get(agent)
            if record is None:
                return Refusal.UNKNOWN_AGENT
            turn.choose(record, status)
            return None

        return self.run_verb(op_id, day, now_ms, act)

    async def set_profile(
        self, profile: Profile, *, op_id: str, day: int, now_ms: int | None = None
    ) -> Outcome:
        """See `Engine.set_profile`."""

        def act(turn: MemoryTurn) -> Refusal | None:
            record = self._shop.agents.get(profile.agent)
            if record is None:
                turn.enrol(profile)
            else:
                record.profile = profile
            return None

        return self.run_verb(op_id, day, now_ms, act)

    async def remove_agent(
        self, agent: AccountId, *, op_id: str, day: int, now_ms: int | None = None
    ) -> Outcome:
        """See `Engine.remove_agent`."""

        def act(turn: MemoryTurn) -> Refusal | None:
            record = self._shop.agents.get(agent)
            if record is None:
                return Refusal.UNKNOWN_AGENT
            turn.forget_agent(record)
            return None

        return self.run_verb(op_id, day, now_ms, act)

    async def set_policy(
        self, policy: LivePolicy, *, op_id: str, day: int, now_ms: int | None = None
    ) -> Outcome:
        """See `Engine.set_policy`."""

        def act(_: MemoryTurn) -> Refusal | None:
            self._shop.policy = policy
            return None

        return self.run_verb(op_id, day, now_ms, act)

    async def connect(
        self,
        person: PersonId,
        connection: ConnectionId,
        *,
        op_id: str,
        day: int,
        node: str,
        offline_after_ms: int | None,
        now_ms: int | None = None,
    ) -> Outcome:
        """See `Engine.connect`."""

        def act(turn: MemoryTurn) -> Refusal | None:
            self._shop.directory.setdefault(person, {})[connection] = node
            if agent := self._shop.agents.get(AccountId(person)):
                turn.hear_from(agent, offline_after_ms)
            return None

        return self.run_verb(op_id, day, now_ms, act)

    async def disconnect(
        self,
        person: PersonId,
        connection: ConnectionId,
        *,
        op_id: str,
        day: int,
        node: str,
        now_ms: int | None = None,
    ) -> Outcome:
        """See `Engine.disconnect`."""

        def act(turn: MemoryTurn) -> Refusal | None:
            if self._shop.directory.get(person, {}).get(connection) == node:
                turn.hang_up(person, [connection])
            return None

        return self.run_verb(op_id, day, now_ms, act)
