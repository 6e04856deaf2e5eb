"""Joins the parts of automation and of durable deadlines, for the composition root (CO-07, CO-11)."""

from dataclasses import dataclass

from server.background import Background
from server.bus import Bus
from server.services.automation import Automation
from server.services.customer_news import CustomerNews
from server.services.delivery import Delivery
from server.services.handing_over import HandingOver
from server.services.live import Live
from server.services.names import Names
from server.services.participants import Participants
from server.services.routing import Routing
from server.services.rule_actions import RuleActions
from server.services.rule_subjects import RuleSubjects
from server.services.rules import Rules
from server.services.seeing import Seeing
from server.services.shops import Shops
from server.settings import Settings
from server.store.accounts import Accounts
from server.store.conversations import Conversations
from server.store.customer_list import CustomerList
from server.store.database import Database
from server.store.groups import Groups
from server.store.log import Log
from server.store.rule_facts import LOOK, RuleFacts
from server.store.rules import FIRING
from server.store.rules import Rules as RuleStore
from server.store.timers import Timers
from server.sweeps.runner import Sweep
from server.sweeps.timers import DueTimers


@dataclass(frozen=True, slots=True)
class AutomationParts:
    """What the rest of the house uses of them."""

    rules: Rules
    automation: Automation
    timers: Timers
    sweep: Sweep

    @classmethod
    def of(
        cls,
        settings: Settings,
        *,
        db: Database,
        bus: Bus,
        background: Background,
        shops: Shops,
        live: Live,
        names: Names,
        seeing: Seeing,
        delivery: Delivery,
        routing: Routing,
        writer: Log,
        participants: Participants,
        handing_over: HandingOver,
    ) -> "AutomationParts":
        """Hears through `delivery` from now on; the sweep is the caller's to start."""
        accounts, groups, customers, timers = Accounts(db), Groups(db), CustomerList(db), Timers(db)
        store, facts = RuleStore(db, timers), RuleFacts(db)
        subjects = RuleSubjects(facts, shops, live)
        rules = Rules(store, facts, subjects, shops, accounts, groups, seeing)
        actions = RuleActions(
            Conversations(db),
            accounts,
            groups,
            customers,
            CustomerNews(customers, names, delivery, background),
            participants,
            handing_over,
            routing,
            writer,
            delivery,
            bus,
        )
        automation = Automation(rules, store, subjects, timers, customers, actions, background)
        delivery.heard_by(automation)
        due = DueTimers(timers, {LOOK: automation.look, FIRING: automation.finish})
        return cls(rules, automation, timers, Sweep("timers", settings.timers_s, due.run, everywhere=True))
