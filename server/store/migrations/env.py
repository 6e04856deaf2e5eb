"""Alembic's entry: writes the SQL of the steps asked for, for PostgreSQL, without a connection.

`server.store.migrate` gives the script to the server in one transaction; alembic's own needs a second driver.
"""

from alembic import context

context.configure(
    dialect_name="postgresql",
    dialect_opts={"paramstyle": "named"},
    literal_binds=True,
    transactional_ddl=False,
)
context.run_migrations()
