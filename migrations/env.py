"""How Alembic meets our books. Configured from pyproject.toml; there is no alembic.ini."""

from alembic import context
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine

from db import triggers
from db.engine import make_engine
from db.schema import metadata


def _after_each_step(*, ctx: MigrationContext, **_more: object) -> None:
    assert ctx.connection is not None, "triggers need a database, not a script"
    triggers.install(ctx.connection)  # rebuilding a table on SQLite loses its triggers


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
