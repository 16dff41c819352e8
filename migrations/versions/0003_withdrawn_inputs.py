"""Usage and revenue that were imported can be withdrawn."""

import sqlalchemy as sa
from alembic import op

from db import triggers

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "input_event",
        sa.Column("period", sa.String(), nullable=False),
        sa.Column("snapshot", sa.String(), nullable=False),
        sa.Column("late", sa.Boolean(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("event", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("recorded_at", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["period"], ["period.id"], name=op.f("fk_input_event_period_period")
        ),
        sa.ForeignKeyConstraint(
            ["snapshot"], ["snapshot.sha256"], name=op.f("fk_input_event_snapshot_snapshot")
        ),
        sa.PrimaryKeyConstraint(
            "period", "snapshot", "late", "number", name=op.f("pk_input_event")
        ),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    triggers.remove(op.get_bind())
    op.drop_table("input_event")
