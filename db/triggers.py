"""The triggers by which the database refuses what `db.refusals` lists.

How a refusal becomes a trigger is the dialect's business (`RENDERERS`). Migrations install the
whole registry after the last step, since altering a table on SQLite silently loses its triggers.
"""

from __future__ import annotations

from sqlalchemy import Connection, text

from db.refusals import REFUSALS, Refusal


def install(connection: Connection) -> None:
    """Make the triggers of the registry; those that stood before are replaced."""
    remove(connection)
    for refusal in REFUSALS:
        connection.execute(text(RENDERERS[connection.dialect.name](refusal)))


def remove(connection: Connection) -> None:
    """Take all triggers away, as a migration must that takes away what they speak of."""
    for name in present(connection):
        connection.execute(text(f'drop trigger "{name}"'))


def present(connection: Connection) -> dict[str, str]:
    """Name the triggers that the database has, with their definitions."""
    found = connection.execute(text("select name, sql from sqlite_master where type = 'trigger'"))
    return dict(found.all())


def faults(connection: Connection) -> list[str]:
    """Say which triggers are missing, are not as the registry has them, or are none of ours."""
    there = present(connection)
    wanted = {each.trigger: RENDERERS[connection.dialect.name](each) for each in REFUSALS}
    return [
        *(f"trigger {name} is missing" for name in wanted if name not in there),
        *(
            f"trigger {name} is not the one that was installed"
            for name, definition in wanted.items()
            if name in there and there[name] != definition
        ),
        *(f"trigger {name} is none of ours" for name in there if name not in wanted),
    ]


def _sqlite(refusal: Refusal) -> str:
    when = f"\nwhen {refusal.condition}" if refusal.condition else ""
    return (
        f"CREATE TRIGGER {refusal.trigger} before {refusal.event} on {refusal.table}{when}\n"
        f"begin select raise(abort, '{refusal.sentence}'); end"
    )


RENDERERS = {"sqlite": _sqlite}
