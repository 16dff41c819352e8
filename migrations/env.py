"""How Alembic meets our books. Configured from pyproject.toml; there is no alembic.ini."""

from alembic import context
from alembic.runtime.migration import MigrationContext, MigrationInfo
from sqlalchemy import Engine

from db import triggers
from db.engine import make_engine
from db.schema import HEAD, metadata


def _after_each_step(*, ctx: MigrationContext, step: MigrationInfo, **_more: object) -> None:
    """Install what the database refuses, once it has all that the refusals speak of.

    Before that nobody can open the books: they do not stand at the last step.
    """
    assert ctx.connection is not None, "triggers need a database, not a script"
    if step.is_upgrade and step.up_revision_id == HEAD:
        triggers.install(ctx.connection)


def _migrate(engine: Engine) -> None:
    with engine.connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=metadata,
            render_as_batch=connection.dialect.name == "sqlite",
            compare_server_default=True,
            transactional_ddl=True,
            transaction_per_migration=True,
            on_version_apply=_after_each_step,
        )
        with context.begin_transaction():
            context.run_migrations()


given: Engine | None = context.config.attributes.get("engine")
engine = given or make_engine()  # $TANTIEME_DATABASE_URL, else the workspace's ledger
_migrate(engine)
if given is None:
    engine.dispose()  # else psycopg warns of an open connection
