"""Joins the parts of divided work, alarms and the customer list, for the composition root (CO-08, CO-09, GP-07)."""

from dataclasses import dataclass

from server.background import Background
from server.bus import Bus
from server.node import Node
from server.services.alarms import Alarms
from server.services.audit import Audit
from server.services.collaborations import Collaborations
from server.services.customer_list import CustomerList
from server.services.customer_news import CustomerNews
from server.services.delivery import Delivery
from server.services.items import Items
from server.services.names import Names
from server.services.overseers import Overseers
from server.services.reassignments import Reassignments
from server.services.scope import Scope
from server.services.seeing import Seeing
from server.services.shops import Shops
from server.settings import Settings
from server.store.accounts import Accounts
from server.store.alarms import Alarms as AlarmStore
from server.store.collaborations import Collaborations as CollaborationStore
from server.store.conversations import Conversations
from server.store.customer_list import CustomerList as CustomerListStore
from server.store.customers import Customers
from server.store.database import Database
from server.store.decisions import Decisions
from server.store.groups import Groups
from server.store.items import Items as ItemStore
from server.store.orders import Orders
from server.store.reassignments import Reassignments as ReassignmentStore
from server.store.roles import Roles
from server.sweeps.alarms import AlarmLooks
from server.sweeps.reassignments import ReassignmentWork
from server.sweeps.runner import Sweep

ALARM_SWEEPS = 5
"""What stalls has stalled for minutes: it is looked for in every fifth sweep."""


@dataclass(frozen=True, slots=True)
class WorkParts:
    """What the rest of the house uses of them."""

    items: Items
    alarms: Alarms
    overseers: Overseers
    collaborations: Collaborations
    customers: CustomerList
    reassignments: Reassignments
    sweeps: list[Sweep]

    @classmethod
    def of(
        cls,
        settings: Settings,
        *,
        db: Database,
        node: Node,
        bus: Bus,
        background: Background,
        shops: Shops,
        names: Names,
        scope: Scope,
        seeing: Seeing,
        delivery: Delivery,
        audit: Audit,
    ) -> "WorkParts":
        """Opens nothing; the sweeps are the caller's to start."""
        accounts, conversations = Accounts(db), Conversations(db)
        alarm_store = AlarmStore(db, lambda: node.name)
        overseers = Overseers(accounts, Groups(db), Roles(db), shops, scope)
        alarms = Alarms(
            alarm_store, shops, conversations, Decisions(db), overseers, scope, names, delivery, bus
        )
        customer_store = CustomerListStore(db)
        news = CustomerNews(customer_store, names, delivery, background)
        customers = CustomerList(customer_store, Customers(db), Orders(db), scope, names, news)
        reassignments = Reassignments(
            ReassignmentStore(db), accounts, customers, scope, audit, news, background
        )
        return cls(
            items=Items(ItemStore(db, lambda: node.name), shops, seeing, scope, delivery, bus, names),
            alarms=alarms,
            overseers=overseers,
            collaborations=Collaborations(
                CollaborationStore(db), alarm_store, alarms, conversations, seeing, scope, names
            ),
            customers=customers,
            reassignments=reassignments,
            sweeps=[
                Sweep("alarms", ALARM_SWEEPS * settings.sweep_s, AlarmLooks(shops, alarms).run),
                Sweep(
                    "reassignments", settings.sweep_s, ReassignmentWork(reassignments).run, everywhere=True
                ),
            ],
        )
