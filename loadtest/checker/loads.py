"""I4: nobody was automatically given more than they may hold, but where a rule says so (KS-08, KS-16). Pure: a shop's
decisions in the order of time, moment by moment."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from loadtest.checker.histories import History
from loadtest.checker.rows import AUTOMATIC, STICKY, Decision, Violation, standing

NO_LIMIT: Final = 1 << 30


class Loads:
    """The slots that every agent of a shop holds, as decisions take them and give them back.

    `capacities`: of each agent over time. `wrap_up_holds`: wrap-up uses a slot until the conversation is closed.
    """

    def __init__(self, capacities: Mapping[str, History[int]], *, wrap_up_holds: bool) -> None:
        self._capacities = capacities
        self._wrap_up_holds = wrap_up_holds
        self._holder: dict[str, str] = {}
        self._load: Counter[str] = Counter()

    def at(self, moment: Sequence[Decision]) -> Iterator[Violation]:
        """What was decided in one millisecond, in no order: slots are taken to have been freed before others were
        taken, and automatically before by hand."""
        by_hand: Counter[str] = Counter()
        chosen: dict[str, list[Decision]] = {}
        for decision in moment:
            self._free(decision.conversation)
        for decision in standing(moment):
            if not self._holds(decision):
                continue
            self._holder[decision.conversation] = decision.owner
            self._load[decision.owner] += 1
            if decision.change == "assigned" and decision.reason in AUTOMATIC - STICKY:
                chosen.setdefault(decision.owner, []).append(decision)
            else:
                by_hand[decision.owner] += 1
        for agent, given in chosen.items():
            capacity = self._capacity(agent, given[0].at_ms)
            load = self._load[agent] - by_hand[agent]
            if load > capacity:
                yield Violation(
                    "I4",
                    given[-1].conversation,
                    f"{given[-1].reason} gave {agent} number {load}, who may hold {capacity}",
                )

    def _holds(self, decision: Decision) -> bool:
        if decision.change == "ended":
            return self._wrap_up_holds and decision.owner != ""
        return decision.change in ("assigned", "reopened")

    def _free(self, conversation: str) -> None:
        holder = self._holder.pop(conversation, None)
        if holder is not None:
            self._load[holder] -= 1
            if not self._load[holder]:
                del self._load[holder]

    def _capacity(self, agent: str, at_ms: int) -> int:
        history = self._capacities.get(agent)
        return NO_LIMIT if history is None else max(history.around(at_ms), default=NO_LIMIT)
