"""The tables. What must never change is held by `db.triggers`.

Big facts (usage, shares, allocations) are Parquet files that `snapshot` registers; small facts are
rows. Amounts are integer micros. Days are dates; instants are UTC text as `db.engine.now` writes
it, so that what is hashed is what is stored. Intervals of days are half-open, None is no bound.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Integer,
    MetaData,
    String,
    Table,
    UniqueConstraint,
)

HEAD = "0001"  # the migration that makes these tables; a test holds it to migrations/versions

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    }
)


def _text(name: str, *more: ForeignKey, unique: bool = False, index: bool = False) -> Column[str]:
    return Column(name, String, *more, nullable=False, unique=unique or None, index=index or None)


def _maybe(name: str, *more: ForeignKey) -> Column[str]:
    return Column(name, String, *more, nullable=True)


def _number(name: str, *, nullable: bool = False) -> Column[int]:
    return Column(name, BigInteger, nullable=nullable)


def _key(name: str, *more: ForeignKey) -> Column[str]:
    return Column(name, String, *more, primary_key=True)


# Who and what.

party = Table(
    "party",
    metadata,
    _key("id"),
    _text("name"),
    _text("kind"),
    _text("payee", ForeignKey("party.id")),
    _maybe("ipi"),
    _maybe("isni"),
    _text("recorded_at"),
)

work = Table("work", metadata, _key("id"), _maybe("iswc"), _text("recorded_at"))

recording = Table(
    "recording",
    metadata,
    _key("id"),
    _text("title"),
    _text("artist", ForeignKey("party.id")),
    _text("work", ForeignKey("work.id"), index=True),
    _maybe("isrc"),
    _maybe("file"),
    _maybe("content_sha256"),
    _maybe("audio_sha256"),
    _number("duration_ms", nullable=True),
    Column("placebo", Boolean, nullable=False),  # held back from training, never paid
    Column("licensed_from", Date),
    Column("licensed_to", Date),
    _text("recorded_at"),
)

# Interests and terms have two clocks: valid says when it holds, recorded when we knew of it.
interest = Table(
    "interest",
    metadata,
    Column("id", Integer, primary_key=True),
    _text("subject"),
    _text("subject_id", index=True),
    _text("right"),
    _text("party", ForeignKey("party.id")),
    Column("ppm", Integer, nullable=False),
    _text("territory"),
    Column("valid_from", Date),
    Column("valid_to", Date),
    _text("recorded_at"),
    _maybe("recorded_to"),
    CheckConstraint("ppm > 0 and ppm <= 1000000", name="ppm"),
)

terms = Table(
    "terms",
    metadata,
    Column("id", Integer, primary_key=True),
    _text("party", ForeignKey("party.id"), index=True),
    Column("royalty_rate_ppm", Integer, nullable=False),
    _number("advance_micros"),
    Column("reserve_ppm", Integer, nullable=False),
    _number("minimum_payment_micros"),
    Column("withholding_ppm", Integer, nullable=False),
    _text("currency"),
    Column("valid_from", Date),
    Column("valid_to", Date),
    _text("recorded_at"),
    _maybe("recorded_to"),
)

# What was made.

run = Table(
    "run",
    metadata,
    _key("id"),
    _text("card_sha256"),
    _text("created_at"),
    _number("parameters"),
    _text("summary"),
)

run_recording = Table(
    "run_recording",
    metadata,
    _key("run", ForeignKey("run.id")),
    _key("recording", ForeignKey("recording.id")),
    Column("placebo", Boolean, nullable=False),
)

track = Table(
    "track",
    metadata,
    _key("id"),
    _text("title"),
    _maybe("run", ForeignKey("run.id")),  # None: it came from elsewhere
    _number("seed", nullable=True),
    _number("duration_ms", nullable=True),
    _maybe("midi"),
    _maybe("audio_sha256"),
    _text("created_at"),
)

# What came in.

snapshot = Table(
    "snapshot",
    metadata,
    _key("sha256"),
    _text("kind"),
    _number("rows"),
    _text("recorded_at"),
)

period = Table(
    "period",
    metadata,
    _key("id"),  # 2026-10
    _text("status"),
    _maybe("rule"),  # this and what follows: what it was closed with
    _maybe("payout"),
    _maybe("chain_head"),
    _maybe("closed_at"),
    CheckConstraint("status in ('open', 'closed')", name="status"),
)

period_input = Table(
    "period_input",
    metadata,
    _key("period", ForeignKey("period.id")),
    _key("snapshot", ForeignKey("snapshot.sha256")),
    _text("kind"),  # usage | revenue
    _text("source"),  # the file, as the user named it
    _text("recorded_at"),
)

period_revenue = Table(
    "period_revenue",
    metadata,
    _key("period", ForeignKey("period.id")),
    _key("snapshot", ForeignKey("snapshot.sha256")),
    _key("currency"),
    _number("micros"),
)

track_share = Table(
    "track_share",
    metadata,
    _key("provider"),
    _key("track"),
    _text("snapshot", ForeignKey("snapshot.sha256")),
    _text("content_sha256"),
    _number("unattributed_ppb"),
    _text("recorded_at"),
)

# What is owed: previews, replaced at will until the period closes.

payout = Table(
    "payout",
    metadata,
    _key("id"),
    _text("period", ForeignKey("period.id")),
    _text("rule"),
    _text("rule_version"),
    _text("provider"),
    _text("currency"),
    Column("publishing_ppm", Integer, nullable=False),
    _text("snapshot", ForeignKey("snapshot.sha256")),
    _number("platform_micros"),
    _text("content_sha256"),
    _text("recorded_at"),
    UniqueConstraint("period", "rule"),
)

payout_input = Table(
    "payout_input",
    metadata,
    _key("payout", ForeignKey("payout.id")),
    _key("snapshot", ForeignKey("snapshot.sha256")),
    _text("kind"),
)

payout_pool = Table(
    "payout_pool",
    metadata,
    _key("payout", ForeignKey("payout.id")),
    _key("id"),  # 2026-10/app/DE/EUR
    _text("source"),
    _text("territory"),
    _text("currency"),
    _number("gross_micros"),
    _number("pool_micros"),
    _number("idle_micros"),
    _number("unattributed_micros"),
)

payout_payee = Table(
    "payout_payee",
    metadata,
    _key("payout", ForeignKey("payout.id")),
    _key("payee", ForeignKey("party.id")),
    _number("micros"),
    _number("low_micros"),
    _number("high_micros"),
    _number("attributed_micros"),
)

payout_track = Table(
    "payout_track",
    metadata,
    _key("payout", ForeignKey("payout.id")),
    _key("track"),
    _number("plays"),
    _number("micros"),
)

payout_recording = Table(
    "payout_recording",
    metadata,
    _key("payout", ForeignKey("payout.id")),
    _key("recording", ForeignKey("recording.id")),
    _number("micros"),
    _number("low_micros"),
    _number("high_micros"),
)

payout_suspense = Table(
    "payout_suspense",
    metadata,
    _key("payout", ForeignKey("payout.id")),
    _key("kind"),
    _number("micros"),
)

PAYOUT_PARTS = (
    payout_input,
    payout_pool,
    payout_payee,
    payout_track,
    payout_recording,
    payout_suspense,
)

# The ledger.

transaction_ = Table(
    "transaction_",
    metadata,
    # Its place in the chain: 1, 2, 3, … without a gap.
    Column("id", Integer, primary_key=True, autoincrement=False),
    _text("key", unique=True),  # the same key and content again changes nothing
    _text("kind"),
    _text("period", ForeignKey("period.id"), index=True),
    Column("effective_on", Date, nullable=False),
    _text("recorded_at"),
    Column("reverses", Integer, ForeignKey("transaction_.id")),
    Column("adjusts", Integer, ForeignKey("transaction_.id")),
    _text("memo"),
    _text("content_sha256"),
    _text("prev_hash"),
    _text("hash", unique=True),
    Column("sealed", Boolean, nullable=False),
)

posting = Table(
    "posting",
    metadata,
    Column("transaction_id", Integer, ForeignKey("transaction_.id"), primary_key=True),
    Column("line", Integer, primary_key=True),
    _text("account", index=True),
    _number("amount_micros"),  # debit positive, credit negative
    _text("currency"),
    _maybe("right"),
    _maybe("pool"),
)
