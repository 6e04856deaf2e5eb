"""Joins the parts of supervision, for the composition root: the wall, watching, and what supervisors do (CO-12)."""

from collections.abc import Callable
from dataclasses import dataclass

from router.link import Link
from server.services.audit import Audit
from server.services.live import Live
from server.services.notes import Notes
from server.services.participants import Participants
from server.services.routing import Routing
from server.services.scope import Scope
from server.services.seeing import Seeing
from server.services.shops import Shops
from server.services.supervision import Supervision
from server.services.wall import Walls
from server.services.wall_figures import WallFigures
from server.services.wall_picture import Painter
from server.services.wall_reach import WallReach
from server.services.wall_settings import WallSettings
from server.services.watching import Watching
from server.session import Session
from server.settings import Settings
from server.store.alarms import Alarms
from server.store.collaborations import Collaborations
from server.store.conversations import Conversations
from server.store.database import Database
from server.store.participants import Participants as ParticipantStore
from server.store.statistics import Statistics
from server.store.wall import WallReads
from server.store.wall_settings import WallSettings as WallSettingsStore
from server.store.watching import Watched
from server.sweeps.runner import Sweep
from server.sweeps.watching import WatchingEnds


@dataclass(frozen=True, slots=True)
class SupervisionParts:
    """What the rest of the house uses of them."""

    walls: Walls
    watching: Watching
    requests: Supervision
    wall_settings: WallSettings
    wall_figures: WallFigures
    sweeps: list[Sweep]

    @classmethod
    def of(
        cls,
        settings: Settings,
        *,
        db: Database,
        link: Link,
        present: Callable[[Session], bool],
        node: Callable[[], str],
        shops: Shops,
        live: Live,
        scope: Scope,
        seeing: Seeing,
        audit: Audit,
        statistics: Statistics,
        participants: Participants,
        notes: Notes,
        routing: Routing,
    ) -> "SupervisionParts":
        """Opens nothing; the sweeps are the caller's to start. `present`: whether a session's connection is here;
        `node`: this node's name."""
        reads = WallReads(db)
        reach = WallReach(scope, reads)
        wall_settings = WallSettings(WallSettingsStore(db), audit)
        wall_figures = WallFigures(statistics, shops, reach, every_s=settings.wall_figures_s)
        painter = Painter(
            live,
            shops,
            reach,
            reads,
            Conversations(db),
            Collaborations(db),
            Alarms(db, node),
            wall_settings,
            wall_figures,
            settings.wall_most,
        )
        watching = Watching(ParticipantStore(db), participants, most=settings.watch_most)
        ends = WatchingEnds(link, shops, Watched(db), watching, scope, settings.watch_away_s)
        return cls(
            Walls(reach, painter, present, period_s=settings.wall_s),
            watching,
            Supervision(seeing, scope, audit, watching, participants, notes, routing),
            wall_settings,
            wall_figures,
            [Sweep("watching", settings.sweep_s, ends.run)],
        )
