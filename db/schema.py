"""The tables. What must never change is held by `db.refusals`.

Big facts (usage, shares, allocations) are Parquet files that `snapshot` registers; small facts are
rows. Amounts are integer micros. Days are dates; instants are UTC text as `db.engine.now` writes
it, so that what is hashed is what is stored. Intervals of days are half-open, None is no bound.
"""

from __future__ import annotations

from datetime import date

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
    false,
)

HEAD = "0004"  # the migration that makes these tables; a test holds it to migrations/versions

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


def _day(name: str) -> Column[date]:
    return Column(name, Date, nullable=True)


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
    Column("territory", String, nullable=False, server_default="WW"),
    _maybe("recoupment"),  # advances of one name are recouped together; None: the party's own
    Column("reserve_months", Integer, nullable=False, server_default="12"),
    _maybe("jurisdiction"),  # that tax is withheld for
    Column("most_favoured", Boolean, nullable=False, server_default=false()),
)

# A recording that its owner keeps back: from being trained on, or from being paid for output.
withdrawal = Table(
    "withdrawal",
    metadata,
    Column("id", Integer, primary_key=True),
    _text("recording", ForeignKey("recording.id"), index=True),
    _text("use"),  # training | output
    _text("kind"),  # opt_out | takedown
    _text("reason"),
    Column("valid_from", Date, nullable=False),
    Column("valid_to", Date),
    _text("recorded_at"),
    _maybe("recorded_to"),
)

# What files call a recording or a party that the books know by another name.
alias = Table(
    "alias",
    metadata,
    Column("id", Integer, primary_key=True),
    _text("noun"),  # recording | party
    _text("alias", index=True),
    _text("noun_id"),
    _text("recorded_at"),
    _maybe("recorded_to"),
)

# What was written over, in the books' own words; closed months keep what they were paid by.
correction = Table(
    "correction",
    metadata,
    Column("id", Integer, primary_key=True),
    _text("noun"),  # recording | work | party
    _text("noun_id", index=True),
    _text("field"),
    _maybe("before"),
    _maybe("after"),
    _text("reason"),
    _text("recorded_at"),
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
    _maybe("root"),  # of the Merkle tree that fixes the period
    Column("root_version", Integer, nullable=False, server_default="1"),  # see `db.roots`
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

# What came in for a closed period: adjustments in the open one are made from it.
late_input = Table(
    "late_input",
    metadata,
    _key("period", ForeignKey("period.id")),
    _key("snapshot", ForeignKey("snapshot.sha256")),
    _text("kind"),  # usage | revenue
    _text("source"),
    _text("recorded_at"),
)

# What became of what came in: 1 it was withdrawn, 2 it came in again, 3 it was withdrawn, …
input_event = Table(
    "input_event",
    metadata,
    _key("period", ForeignKey("period.id")),
    _key("snapshot", ForeignKey("snapshot.sha256")),
    Column("late", Boolean, primary_key=True),  # of a late_input, not of a period_input
    Column("number", Integer, primary_key=True, autoincrement=False),
    _text("event"),  # withdrawn | imported
    _text("note"),  # the reason; the file that it came from
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

# Shares that a provider states anew; the highest version of a track holds, from now on.
corrected_share = Table(
    "corrected_share",
    metadata,
    _key("provider"),
    _key("track"),
    Column("version", Integer, primary_key=True, autoincrement=False),  # 2, 3, …
    _text("snapshot", ForeignKey("snapshot.sha256")),
    _text("content_sha256"),
    _number("unattributed_ppb"),
    _text("recorded_at"),
)

# One unit of `base` is rate_ppb / 10⁹ of `quote` on a day; never changed.
fx_rate = Table(
    "fx_rate",
    metadata,
    _key("id"),  # 2026-10-30/USD/EUR
    Column("day", Date, nullable=False),
    _text("base"),
    _text("quote"),
    _number("rate_ppb"),
    _text("source"),
    _text("recorded_at"),
    CheckConstraint("rate_ppb > 0", name="rate"),
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
    _maybe("settings"),  # of the workspace, as canonical JSON: with its inputs, all that decided
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
    _maybe("came_currency"),  # this and what follows: where the money came in another currency
    _number("came_micros", nullable=True),
    _maybe("fx_rate"),
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
    _maybe("fx_rate"),
)

# Columns that came after books had been written: a hash leaves them out where they are empty.
ADDED = frozenset({"settings", "came_currency", "came_micros", "fx_rate"})

# What becomes of what is owed.

restatement = Table(
    "restatement",
    metadata,
    _key("id"),  # 2026-10/1: the closed period's first
    _text("period", ForeignKey("period.id")),
    _text("posted_in", ForeignKey("period.id")),
    _text("snapshot", ForeignKey("snapshot.sha256")),  # of the allocations, all divided anew
    _text("reason"),
    _text("content_sha256"),
    _text("recorded_at"),
)

restatement_input = Table(
    "restatement_input",
    metadata,
    _key("restatement", ForeignKey("restatement.id")),
    _key("snapshot", ForeignKey("snapshot.sha256")),
    _text("kind"),
)

payment = Table(
    "payment",
    metadata,
    _key("id"),  # 2026-11/ann/1: posted in, payee, number
    _text("period", ForeignKey("period.id")),
    _text("payee", ForeignKey("party.id"), index=True),
    _text("currency"),  # of the books
    _number("gross_micros"),
    _number("withheld_micros"),
    _text("paid_currency"),
    _number("paid_micros"),  # whole minor units
    _maybe("fx_rate", ForeignKey("fx_rate.id")),
    Column("day", Date, nullable=False),
    _text("recorded_at"),
)

payment_event = Table(
    "payment_event",
    metadata,
    _key("payment", ForeignKey("payment.id")),
    Column("number", Integer, primary_key=True, autoincrement=False),  # 1, 2, …
    _text("event"),  # confirmed | failed | returned
    Column("day", Date, nullable=False),
    _text("note"),
    _text("recorded_at"),
)

# An amount that waits. Its transaction has the hold's id for a key; released, that is reversed.
hold = Table(
    "hold",
    metadata,
    _key("id"),  # hold/2026-10/ann/1
    _text("kind"),  # held | disputed
    _text("subject"),  # a statement line, a posting or a payee
    _text("payee", ForeignKey("party.id"), index=True),
    _maybe("track"),
    _maybe("recording"),
    _text("reason"),
    _text("opened_by"),
    _text("recorded_at"),
)

# What attribution says of a disputed track: what was paid by, and the exact re-score beside it.
hold_finding = Table(
    "hold_finding",
    metadata,
    _key("hold", ForeignKey("hold.id")),
    _key("method"),
    _text("evidence_sha256"),
    _text("summary"),  # the shares found, as canonical JSON
    _text("recorded_at"),
)

# Who did what. Names are as given.
act = Table(
    "act",
    metadata,
    Column("id", Integer, primary_key=True),
    _text("name"),
    _text("act"),  # prepared | approved | closed | …
    _text("period", index=True),
    _text("subject"),  # the rule, the payment, the hold
    _maybe("content_sha256"),
    _text("note"),
    _text("recorded_at"),
)
