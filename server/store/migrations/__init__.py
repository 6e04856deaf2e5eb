"""The schema's history: one file per step, applied in order by `server.store.migrate`.

Steps only add while the version before may still run beside this one (expand); what nobody reads any more goes
one release later (contract).
"""
