"""Where Alembic is told how to run: on the connection, and in the transaction, of ``service.store.migrate``."""

from alembic import context

from service.store import tables

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=tables.metadata,
    render_as_batch=True,  # SQLite changes a table by making it anew
)
context.run_migrations()
