"""What a node does by itself: deadlines, repairs, and keeping house."""

import time
from collections.abc import Callable

from server.services.untold import Untold
from server.settings import Settings
from server.store.audit import AuditStore
from server.storeys.surfaces import Surfaces
from server.sweeps.deadlines import Deadlines
from server.sweeps.duty import Duty
from server.sweeps.housekeeping import Housekeeping
from server.sweeps.invitations import OverdueInvitations
from server.sweeps.loans import Loans
from server.sweeps.presence import DeadNodes, Liveness, SilentNodes
from server.sweeps.queue_places import QueuePlaces
from server.sweeps.repairs import Repairs
from server.sweeps.runner import Runner, Sweep
from server.sweeps.strays import Strays
from server.sweeps.summing import SummingUp
from server.sweeps.unused_files import UnusedFiles

SILENT_S = 0.5
"""What a dead node wrote is heard within 3 s (fault 11): after 1.5 s it is late, then it takes at most twice this."""
STRAYS_S = 15.0
HOUSEKEEPING_S = 3600.0
STATISTICS_S = 60.0
UNUSED_FILES_S = 60.0
FINISH_S = 3.0
"""How long deliveries and farewells under way may take at the end."""


class Upkeep(Surfaces):
    """All sweeps."""

    def __init__(self, settings: Settings, *, now: Callable[[], float] = time.time) -> None:
        super().__init__(settings, now=now)
        deadlines = Deadlines(
            self.shops, self.live, self.routing, self.conversations, self.feed, self.agent_states
        )
        repairs = Repairs(
            self.shops,
            self.live,
            self.routing,
            self.returning,
            self.conversations,
            self.names,
            settings.unconfirmed_s,
        )
        places = QueuePlaces(
            self.shops,
            self.live,
            self.conversations,
            self.paces,
            self.bus,
            settings.queue_places_told,
            settings.queue_places_s,
        )
        untold = Untold(
            self.contacts,
            self.history,
            self.conversations,
            self.participant_store,
            self.delivery,
            self.participants,
            self.work.items,
            self.work.alarms,
            self.together.naming,
            AuditStore(self.db),
            self.bus,
            redeliver_s=settings.redeliver_s,
        )
        silent = SilentNodes(self.node, untold)
        dead = DeadNodes(self.node, self.shops, self.routing, untold)
        liveness = Liveness(self.live, self.sessions, self.hub.sessions)
        self.duty = Duty(
            self.shops,
            self.profiles,
            self.changes,
            self.duty_times,
            look_s=settings.sweep_s,
            now=self.now,
        )
        self.runner = Runner(
            self.link,
            [
                Sweep("deadlines", settings.sweep_s, deadlines.run),
                self.automation.sweep,
                Sweep("repairs", settings.sweep_s, repairs.run),
                Sweep("queue_places", settings.queue_places_s, places.run),
                Sweep("silent_nodes", min(SILENT_S, settings.sweep_s), silent.run),
                Sweep("dead_nodes", settings.sweep_s, dead.run),
                Sweep("liveness", settings.sweep_s, liveness.run, everywhere=True),
                Sweep("strays", STRAYS_S, Strays(self.shops, self.live, self.conversations).run),
                Sweep("screens", settings.sweep_s, self.screens_held.run, everywhere=True),
                Sweep("loans", settings.sweep_s, Loans(self.break_glass).run),
                Sweep(
                    "invitations",
                    settings.sweep_s,
                    OverdueInvitations(self.invitation_store, self.participants).run,
                ),
                Sweep("unused_files", UNUSED_FILES_S, UnusedFiles(self.files.transfer).run),
                *self.work.sweeps,
                *self.supervision.sweeps,
                Sweep("statistics", STATISTICS_S, SummingUp(self.statistics).run),
                Sweep("housekeeping", HOUSEKEEPING_S, Housekeeping(self.refresh_tokens).run),
            ],
        )
