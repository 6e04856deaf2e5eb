"""The people of a load: customers, agents, supervisors and a bot, on the reference client, all written down.

party = Party(stage.shops[0], journal, profile, seed=7)
await party.staff_come()
await party.customers_come(50)
...                                      # they live by themselves; faults happen
await party.go_home()                    # customers finish, everybody catches up, the journal says who stayed
"""

from loadtest.people.book import Book
from loadtest.people.party import Party
from loadtest.people.profile import PROFILES, Profile

__all__ = ["PROFILES", "Book", "Party", "Profile"]
