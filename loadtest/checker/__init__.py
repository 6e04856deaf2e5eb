"""Whether everything held: a run's journal against PostgreSQL and `/v1/invariants`, when all is over.

Independent of the server: it knows the tables by plain SQL, and judges rows by pure functions, one file for each family
of invariants (docs/reliability.md):

| file | invariants |
|---|---|
| `transcripts` | I1: what was acknowledged is stored exactly once; everybody was given PostgreSQL's order |
| `numbers` | I2: both numberings are 1..n without holes, and read marks hold |
| `owners` | I3: one owner at a time, epochs only grow, nobody else's public words are stored |
| `loads` | I4: nobody was automatically given more than they may hold, but where a rule says so |
| `borders` | I5: no id of one shop was ever shown to another |
| `snapshots` | I7: old snapshot + events = fresh snapshot |
| `queues` | I8: nobody in a queue was passed over by a later one of the same class |
| `givings` | I9: nobody offline, excluded or out of scope was given anything automatically |

I3, I4 and I8 are counted once more by the server itself, on live data.
"""

from loadtest.checker.check import Verdict, check

__all__ = ["Verdict", "check"]
