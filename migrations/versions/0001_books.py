"""The books, as they begin. Triggers follow from db.triggers, after every migration.

SQLite gives a table a hidden key, by which REPLACE takes away rows that no trigger sees; so a table
has none unless its key is an integer, which is that key itself.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "party",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("payee", sa.String(), nullable=False),
        sa.Column("ipi", sa.String(), nullable=True),
        sa.Column("isni", sa.String(), nullable=True),
        sa.Column("recorded_at", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["payee"], ["party.id"], name=op.f("fk_party_payee_party")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_party")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "period",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("rule", sa.String(), nullable=True),
        sa.Column("payout", sa.String(), nullable=True),
        sa.Column("chain_head", sa.String(), nullable=True),
        sa.Column("closed_at", sa.String(), nullable=True),
        sa.CheckConstraint("status in ('open', 'closed')", name=op.f("ck_period_status")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_period")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "run",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("card_sha256", sa.String(), nullable=False),
        sa.Column("created_at", sa.String(), nullable=False),
        sa.Column("parameters", sa.BigInteger(), nullable=False),
        sa.Column("summary", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_run")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "snapshot",
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("recorded_at", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_snapshot")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "work",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("iswc", sa.String(), nullable=True),
        sa.Column("recorded_at", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_work")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "interest",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("subject_id", sa.String(), nullable=False),
        sa.Column("right", sa.String(), nullable=False),
        sa.Column("party", sa.String(), nullable=False),
        sa.Column("ppm", sa.Integer(), nullable=False),
        sa.Column("territory", sa.String(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("recorded_at", sa.String(), nullable=False),
        sa.Column("recorded_to", sa.String(), nullable=True),
        sa.CheckConstraint("ppm > 0 and ppm <= 1000000", name=op.f("ck_interest_ppm")),
        sa.ForeignKeyConstraint(["party"], ["party.id"], name=op.f("fk_interest_party_party")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_interest")),
    )
    with op.batch_alter_table("interest", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_interest_subject_id"), ["subject_id"], unique=False)

    op.create_table(
        "payout",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("period", sa.String(), nullable=False),
        sa.Column("rule", sa.String(), nullable=False),
        sa.Column("rule_version", sa.String(), nullable=False),
        sa.Column("provider", sa.String(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("publishing_ppm", sa.Integer(), nullable=False),
        sa.Column("snapshot", sa.String(), nullable=False),
        sa.Column("platform_micros", sa.BigInteger(), nullable=False),
        sa.Column("content_sha256", sa.String(), nullable=False),
        sa.Column("recorded_at", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["period"], ["period.id"], name=op.f("fk_payout_period_period")),
        sa.ForeignKeyConstraint(
            ["snapshot"], ["snapshot.sha256"], name=op.f("fk_payout_snapshot_snapshot")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payout")),
        sa.UniqueConstraint("period", "rule", name=op.f("uq_payout_period")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "period_input",
        sa.Column("period", sa.String(), nullable=False),
        sa.Column("snapshot", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("recorded_at", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["period"], ["period.id"], name=op.f("fk_period_input_period_period")
        ),
        sa.ForeignKeyConstraint(
            ["snapshot"], ["snapshot.sha256"], name=op.f("fk_period_input_snapshot_snapshot")
        ),
        sa.PrimaryKeyConstraint("period", "snapshot", name=op.f("pk_period_input")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "period_revenue",
        sa.Column("period", sa.String(), nullable=False),
        sa.Column("snapshot", sa.String(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("micros", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["period"], ["period.id"], name=op.f("fk_period_revenue_period_period")
        ),
        sa.ForeignKeyConstraint(
            ["snapshot"], ["snapshot.sha256"], name=op.f("fk_period_revenue_snapshot_snapshot")
        ),
        sa.PrimaryKeyConstraint("period", "snapshot", "currency", name=op.f("pk_period_revenue")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "recording",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("artist", sa.String(), nullable=False),
        sa.Column("work", sa.String(), nullable=False),
        sa.Column("isrc", sa.String(), nullable=True),
        sa.Column("file", sa.String(), nullable=True),
        sa.Column("content_sha256", sa.String(), nullable=True),
        sa.Column("audio_sha256", sa.String(), nullable=True),
        sa.Column("duration_ms", sa.BigInteger(), nullable=True),
        sa.Column("placebo", sa.Boolean(), nullable=False),
        sa.Column("licensed_from", sa.Date(), nullable=True),
        sa.Column("licensed_to", sa.Date(), nullable=True),
        sa.Column("recorded_at", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["artist"], ["party.id"], name=op.f("fk_recording_artist_party")),
        sa.ForeignKeyConstraint(["work"], ["work.id"], name=op.f("fk_recording_work_work")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recording")),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("recording", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_recording_work"), ["work"], unique=False)

    op.create_table(
        "terms",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("party", sa.String(), nullable=False),
        sa.Column("royalty_rate_ppm", sa.Integer(), nullable=False),
        sa.Column("advance_micros", sa.BigInteger(), nullable=False),
        sa.Column("reserve_ppm", sa.Integer(), nullable=False),
        sa.Column("minimum_payment_micros", sa.BigInteger(), nullable=False),
        sa.Column("withholding_ppm", sa.Integer(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("recorded_at", sa.String(), nullable=False),
        sa.Column("recorded_to", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["party"], ["party.id"], name=op.f("fk_terms_party_party")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_terms")),
    )
    with op.batch_alter_table("terms", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_terms_party"), ["party"], unique=False)

    op.create_table(
        "track",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("run", sa.String(), nullable=True),
        sa.Column("seed", sa.BigInteger(), nullable=True),
        sa.Column("duration_ms", sa.BigInteger(), nullable=True),
        sa.Column("midi", sa.String(), nullable=True),
        sa.Column("audio_sha256", sa.String(), nullable=True),
        sa.Column("created_at", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["run"], ["run.id"], name=op.f("fk_track_run_run")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_track")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "track_share",
        sa.Column("provider", sa.String(), nullable=False),
        sa.Column("track", sa.String(), nullable=False),
        sa.Column("snapshot", sa.String(), nullable=False),
        sa.Column("content_sha256", sa.String(), nullable=False),
        sa.Column("unattributed_ppb", sa.BigInteger(), nullable=False),
        sa.Column("recorded_at", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["snapshot"], ["snapshot.sha256"], name=op.f("fk_track_share_snapshot_snapshot")
        ),
        sa.PrimaryKeyConstraint("provider", "track", name=op.f("pk_track_share")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "transaction_",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("period", sa.String(), nullable=False),
        sa.Column("effective_on", sa.Date(), nullable=False),
        sa.Column("recorded_at", sa.String(), nullable=False),
        sa.Column("reverses", sa.Integer(), nullable=True),
        sa.Column("adjusts", sa.Integer(), nullable=True),
        sa.Column("memo", sa.String(), nullable=False),
        sa.Column("content_sha256", sa.String(), nullable=False),
        sa.Column("prev_hash", sa.String(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("sealed", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["adjusts"], ["transaction_.id"], name=op.f("fk_transaction__adjusts_transaction_")
        ),
        sa.ForeignKeyConstraint(
            ["period"], ["period.id"], name=op.f("fk_transaction__period_period")
        ),
        sa.ForeignKeyConstraint(
            ["reverses"], ["transaction_.id"], name=op.f("fk_transaction__reverses_transaction_")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_transaction_")),
        sa.UniqueConstraint("hash", name=op.f("uq_transaction__hash")),
        sa.UniqueConstraint("key", name=op.f("uq_transaction__key")),
    )
    with op.batch_alter_table("transaction_", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_transaction__period"), ["period"], unique=False)

    op.create_table(
        "payout_input",
        sa.Column("payout", sa.String(), nullable=False),
        sa.Column("snapshot", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["payout"], ["payout.id"], name=op.f("fk_payout_input_payout_payout")
        ),
        sa.ForeignKeyConstraint(
            ["snapshot"], ["snapshot.sha256"], name=op.f("fk_payout_input_snapshot_snapshot")
        ),
        sa.PrimaryKeyConstraint("payout", "snapshot", name=op.f("pk_payout_input")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "payout_payee",
        sa.Column("payout", sa.String(), nullable=False),
        sa.Column("payee", sa.String(), nullable=False),
        sa.Column("micros", sa.BigInteger(), nullable=False),
        sa.Column("low_micros", sa.BigInteger(), nullable=False),
        sa.Column("high_micros", sa.BigInteger(), nullable=False),
        sa.Column("attributed_micros", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["payee"], ["party.id"], name=op.f("fk_payout_payee_payee_party")),
        sa.ForeignKeyConstraint(
            ["payout"], ["payout.id"], name=op.f("fk_payout_payee_payout_payout")
        ),
        sa.PrimaryKeyConstraint("payout", "payee", name=op.f("pk_payout_payee")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "payout_pool",
        sa.Column("payout", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("territory", sa.String(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("gross_micros", sa.BigInteger(), nullable=False),
        sa.Column("pool_micros", sa.BigInteger(), nullable=False),
        sa.Column("idle_micros", sa.BigInteger(), nullable=False),
        sa.Column("unattributed_micros", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["payout"], ["payout.id"], name=op.f("fk_payout_pool_payout_payout")
        ),
        sa.PrimaryKeyConstraint("payout", "id", name=op.f("pk_payout_pool")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "payout_recording",
        sa.Column("payout", sa.String(), nullable=False),
        sa.Column("recording", sa.String(), nullable=False),
        sa.Column("micros", sa.BigInteger(), nullable=False),
        sa.Column("low_micros", sa.BigInteger(), nullable=False),
        sa.Column("high_micros", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["payout"], ["payout.id"], name=op.f("fk_payout_recording_payout_payout")
        ),
        sa.ForeignKeyConstraint(
            ["recording"], ["recording.id"], name=op.f("fk_payout_recording_recording_recording")
        ),
        sa.PrimaryKeyConstraint("payout", "recording", name=op.f("pk_payout_recording")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "payout_suspense",
        sa.Column("payout", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("micros", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["payout"], ["payout.id"], name=op.f("fk_payout_suspense_payout_payout")
        ),
        sa.PrimaryKeyConstraint("payout", "kind", name=op.f("pk_payout_suspense")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "payout_track",
        sa.Column("payout", sa.String(), nullable=False),
        sa.Column("track", sa.String(), nullable=False),
        sa.Column("plays", sa.BigInteger(), nullable=False),
        sa.Column("micros", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["payout"], ["payout.id"], name=op.f("fk_payout_track_payout_payout")
        ),
        sa.PrimaryKeyConstraint("payout", "track", name=op.f("pk_payout_track")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "posting",
        sa.Column("transaction_id", sa.Integer(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("amount_micros", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("right", sa.String(), nullable=True),
        sa.Column("pool", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["transaction_id"],
            ["transaction_.id"],
            name=op.f("fk_posting_transaction_id_transaction_"),
        ),
        sa.PrimaryKeyConstraint("transaction_id", "line", name=op.f("pk_posting")),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("posting", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_posting_account"), ["account"], unique=False)

    op.create_table(
        "run_recording",
        sa.Column("run", sa.String(), nullable=False),
        sa.Column("recording", sa.String(), nullable=False),
        sa.Column("placebo", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["recording"], ["recording.id"], name=op.f("fk_run_recording_recording_recording")
        ),
        sa.ForeignKeyConstraint(["run"], ["run.id"], name=op.f("fk_run_recording_run_run")),
        sa.PrimaryKeyConstraint("run", "recording", name=op.f("pk_run_recording")),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    op.drop_table("run_recording")
    with op.batch_alter_table("posting", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_posting_account"))

    op.drop_table("posting")
    op.drop_table("payout_track")
    op.drop_table("payout_suspense")
    op.drop_table("payout_recording")
    op.drop_table("payout_pool")
    op.drop_table("payout_payee")
    op.drop_table("payout_input")
    with op.batch_alter_table("transaction_", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_transaction__period"))

    op.drop_table("transaction_")
    op.drop_table("track_share")
    op.drop_table("track")
    with op.batch_alter_table("terms", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_terms_party"))

    op.drop_table("terms")
    with op.batch_alter_table("recording", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_recording_work"))

    op.drop_table("recording")
    op.drop_table("period_revenue")
    op.drop_table("period_input")
    op.drop_table("payout")
    with op.batch_alter_table("interest", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_interest_subject_id"))

    op.drop_table("interest")
    op.drop_table("work")
    op.drop_table("snapshot")
    op.drop_table("run")
    op.drop_table("period")
    op.drop_table("party")
