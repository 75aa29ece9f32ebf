"""Alembic's door: migrates as the owner, gives up on a lock rather than block the programme."""

from alembic import context
from sqlalchemy import create_engine, pool, text

from carbon_credits.config import owner_url
from carbon_credits.tables import metadata

PATIENCE = ("set lock_timeout = '4s'", "set statement_timeout = '60s'", "set timezone = 'UTC'")


def migrate_online() -> None:
    """Run against the database; each revision in its own transaction."""
    engine = create_engine(owner_url(), poolclass=pool.NullPool)
    with engine.connect() as connection:
        for setting in PATIENCE:
            connection.execute(text(setting))
        connection.commit()
        context.configure(connection=connection, target_metadata=metadata, transaction_per_migration=True)
        with context.begin_transaction():
            context.run_migrations()
    engine.dispose()


def migrate_offline() -> None:
    """Print the SQL instead, for a reader or a linter."""
    context.configure(url="postgresql+psycopg://", target_metadata=metadata, literal_binds=True)
    with context.begin_transaction():
        context.run_migrations()


if context.is_offline_mode():
    migrate_offline()
else:
    migrate_online()
