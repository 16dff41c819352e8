"""The life of a month: agreements, withdrawals, adjustments, payments, holds, rates, approvals.

Columns are added in place: a table that is built anew would lose what keeps its keys from REPLACE.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

from db import triggers

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def _added() -> tuple[tuple[str, sa.Column[Any]], ...]:
    return (
        ("payout", sa.Column("settings", sa.String(), nullable=True)),
        ("payout_pool", sa.Column("came_currency", sa.String(), nullable=True)),
        ("payout_pool", sa.Column("came_micros", sa.BigInteger(), nullable=True)),
        ("payout_pool", sa.Column("fx_rate", sa.String(), nullable=True)),
        ("period", sa.Column("root", sa.String(), nullable=True)),
        ("posting", sa.Column("fx_rate", sa.String(), nullable=True)),
        ("terms", sa.Column("territory", sa.String(), server_default="WW", nullable=False)),
        ("terms", sa.Column("recoupment", sa.String(), nullable=True)),
        ("terms", sa.Column("reserve_months", sa.Integer(), server_default="12", nullable=False)),
        ("terms", sa.Column("jurisdiction", sa.String(), nullable=True)),
        (
            "terms",
            sa.Column("most_favoured", sa.Boolean(), server_default=sa.false(), nullable=False),
        ),
    )


def upgrade() -> None:
    op.create_table(
        "act",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("act", sa.String(), nullable=False),
        sa.Column("period", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("content_sha256", sa.String(), nullable=True),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("recorded_at", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_act")),
    )
    op.create_index(op.f("ix_act_period"), "act", ["period"], unique=False)

    op.create_table(
        "alias",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("noun", sa.String(), nullable=False),
        sa.Column("alias", sa.String(), nullable=False),
        sa.Column("noun_id", sa.String(), nullable=False),
        sa.Column("recorded_at", sa.String(), nullable=False),
        sa.Column("recorded_to", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alias")),
    )
    op.create_index(op.f("ix_alias_alias"), "alias", ["alias"], unique=False)

    op.create_table(
        "correction",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("noun", sa.String(), nullable=False),
        sa.Column("noun_id", sa.String(), nullable=False),
        sa.Column("field", sa.String(), nullable=False),
        sa.Column("before", sa.String(), nullable=True),
        sa.Column("after", sa.String(), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("recorded_at", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_correction")),
    )
    op.create_index(op.f("ix_correction_noun_id"), "correction", ["noun_id"], unique=False)

    op.create_table(
        "fx_rate",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("base", sa.String(), nullable=False),
        sa.Column("quote", sa.String(), nullable=False),
        sa.Column("rate_ppb", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("recorded_at", sa.String(), nullable=False),
        sa.CheckConstraint("rate_ppb > 0", name=op.f("ck_fx_rate_rate")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fx_rate")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "corrected_share",
        sa.Column("provider", sa.String(), nullable=False),
        sa.Column("track", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("snapshot", sa.String(), nullable=False),
        sa.Column("content_sha256", sa.String(), nullable=False),
        sa.Column("unattributed_ppb", sa.BigInteger(), nullable=False),
        sa.Column("recorded_at", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["snapshot"], ["snapshot.sha256"], name=op.f("fk_corrected_share_snapshot_snapshot")
        ),
        sa.PrimaryKeyConstraint("provider", "track", "version", name=op.f("pk_corrected_share")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "hold",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("payee", sa.String(), nullable=False),
        sa.Column("track", sa.String(), nullable=True),
        sa.Column("recording", sa.String(), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("opened_by", sa.String(), nullable=False),
        sa.Column("recorded_at", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["payee"], ["party.id"], name=op.f("fk_hold_payee_party")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hold")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_hold_payee"), "hold", ["payee"], unique=False)

    op.create_table(
        "late_input",
        sa.Column("period", sa.String(), nullable=False),
        sa.Column("snapshot", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("recorded_at", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["period"], ["period.id"], name=op.f("fk_late_input_period_period")
        ),
        sa.ForeignKeyConstraint(
            ["snapshot"], ["snapshot.sha256"], name=op.f("fk_late_input_snapshot_snapshot")
        ),
        sa.PrimaryKeyConstraint("period", "snapshot", name=op.f("pk_late_input")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "payment",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("period", sa.String(), nullable=False),
        sa.Column("payee", sa.String(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("gross_micros", sa.BigInteger(), nullable=False),
        sa.Column("withheld_micros", sa.BigInteger(), nullable=False),
        sa.Column("paid_currency", sa.String(), nullable=False),
        sa.Column("paid_micros", sa.BigInteger(), nullable=False),
        sa.Column("fx_rate", sa.String(), nullable=True),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("recorded_at", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["fx_rate"], ["fx_rate.id"], name=op.f("fk_payment_fx_rate_fx_rate")
        ),
        sa.ForeignKeyConstraint(["payee"], ["party.id"], name=op.f("fk_payment_payee_party")),
        sa.ForeignKeyConstraint(["period"], ["period.id"], name=op.f("fk_payment_period_period")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_payment_payee"), "payment", ["payee"], unique=False)

    op.create_table(
        "restatement",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("period", sa.String(), nullable=False),
        sa.Column("posted_in", sa.String(), nullable=False),
        sa.Column("snapshot", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("content_sha256", sa.String(), nullable=False),
        sa.Column("recorded_at", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["period"], ["period.id"], name=op.f("fk_restatement_period_period")
        ),
        sa.ForeignKeyConstraint(
            ["posted_in"], ["period.id"], name=op.f("fk_restatement_posted_in_period")
        ),
        sa.ForeignKeyConstraint(
            ["snapshot"], ["snapshot.sha256"], name=op.f("fk_restatement_snapshot_snapshot")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_restatement")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "hold_finding",
        sa.Column("hold", sa.String(), nullable=False),
        sa.Column("method", sa.String(), nullable=False),
        sa.Column("evidence_sha256", sa.String(), nullable=False),
        sa.Column("summary", sa.String(), nullable=False),
        sa.Column("recorded_at", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["hold"], ["hold.id"], name=op.f("fk_hold_finding_hold_hold")),
        sa.PrimaryKeyConstraint("hold", "method", name=op.f("pk_hold_finding")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "payment_event",
        sa.Column("payment", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("event", sa.String(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("recorded_at", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["payment"], ["payment.id"], name=op.f("fk_payment_event_payment_payment")
        ),
        sa.PrimaryKeyConstraint("payment", "number", name=op.f("pk_payment_event")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "restatement_input",
        sa.Column("restatement", sa.String(), nullable=False),
        sa.Column("snapshot", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["restatement"],
            ["restatement.id"],
            name=op.f("fk_restatement_input_restatement_restatement"),
        ),
        sa.ForeignKeyConstraint(
            ["snapshot"], ["snapshot.sha256"], name=op.f("fk_restatement_input_snapshot_snapshot")
        ),
        sa.PrimaryKeyConstraint("restatement", "snapshot", name=op.f("pk_restatement_input")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "withdrawal",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("recording", sa.String(), nullable=False),
        sa.Column("use", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("recorded_at", sa.String(), nullable=False),
        sa.Column("recorded_to", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["recording"], ["recording.id"], name=op.f("fk_withdrawal_recording_recording")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_withdrawal")),
    )
    op.create_index(op.f("ix_withdrawal_recording"), "withdrawal", ["recording"], unique=False)

    for table, column in _added():
        op.add_column(table, column)


def downgrade() -> None:
    triggers.remove(op.get_bind())
    for table, column in reversed(_added()):
        op.drop_column(table, column.name)
    op.drop_index(op.f("ix_withdrawal_recording"), table_name="withdrawal")
    op.drop_table("withdrawal")
    op.drop_table("restatement_input")
    op.drop_table("payment_event")
    op.drop_table("hold_finding")
    op.drop_table("restatement")
    op.drop_index(op.f("ix_payment_payee"), table_name="payment")
    op.drop_table("payment")
    op.drop_table("late_input")
    op.drop_index(op.f("ix_hold_payee"), table_name="hold")
    op.drop_table("hold")
    op.drop_table("corrected_share")
    op.drop_table("fx_rate")
    op.drop_index(op.f("ix_correction_noun_id"), table_name="correction")
    op.drop_table("correction")
    op.drop_index(op.f("ix_alias_alias"), table_name="alias")
    op.drop_table("alias")
    op.drop_index(op.f("ix_act_period"), table_name="act")
    op.drop_table("act")
