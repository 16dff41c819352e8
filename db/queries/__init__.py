"""Reads: one file a noun, viewer first, so that nobody is shown another's money.

The dashboard and the command line import from here.
"""

from db.engine import Books, open_books
from db.queries.accounts import Balance, agreements, balances, currency_of, standing
from db.queries.acts import ActRow, acts
from db.queries.audits import (
    Broken,
    RootFound,
    conservation,
    conservations,
    find_root,
    verify_books,
    verify_chain,
    verify_snapshots,
)
from db.queries.catalogue import (
    RecordingRow,
    interests,
    kept_back,
    parties,
    recordings,
    rights,
    terms,
    withdrawals,
)
from db.queries.comparisons import differences
from db.queries.fx import rate, rates
from db.queries.generated import RunRow, ShareRow, TrackDetail, TrackRow, runs, track, tracks
from db.queries.holds import FindingRow, HoldRow, disputes, holds
from db.queries.ledger import PostingRow, postings
from db.queries.months import Inputs, PeriodRow, earlier_usage, inputs, periods
from db.queries.names import AliasRow, CorrectionRow, aliases, corrections
from db.queries.owed import Owed, owed_by_line, owed_by_posting, owed_for_track, owed_to_payee
from db.queries.payments import PaymentEvent, PaymentRow, payment, payments
from db.queries.payouts import Decided, decided, payout, stale
from db.queries.reproductions import divided, root_with
from db.queries.restatements import (
    RestatementRow,
    in_force,
    late,
    restated_by,
    restatements,
)
from db.queries.shares import corrected, shares_in
from db.queries.sources import revenue_by_source
from db.queries.statements import stated, statement
from db.queries.steps import Step
from db.queries.suspense import Cause, Causes, causes_of, suspense, suspense_causes
from db.queries.trails import Trail, trail
from db.queries.versions import VersionRow, versions
from db.queries.viewer import EVERYONE, Viewer
from royalty.differences import Difference
from royalty.payout import PayeeAmount, Payout, PoolAmount, RecordingAmount, TrackAmount

__all__ = [
    "EVERYONE",
    "ActRow",
    "AliasRow",
    "Balance",
    "Books",
    "Broken",
    "Cause",
    "Causes",
    "CorrectionRow",
    "Decided",
    "Difference",
    "FindingRow",
    "HoldRow",
    "Inputs",
    "Owed",
    "PayeeAmount",
    "PaymentEvent",
    "PaymentRow",
    "Payout",
    "PeriodRow",
    "PoolAmount",
    "PostingRow",
    "RecordingAmount",
    "RecordingRow",
    "RestatementRow",
    "RootFound",
    "RunRow",
    "ShareRow",
    "Step",
    "TrackAmount",
    "TrackDetail",
    "TrackRow",
    "Trail",
    "VersionRow",
    "Viewer",
    "acts",
    "agreements",
    "aliases",
    "balances",
    "causes_of",
    "conservation",
    "conservations",
    "corrected",
    "corrections",
    "currency_of",
    "decided",
    "differences",
    "disputes",
    "divided",
    "earlier_usage",
    "find_root",
    "holds",
    "in_force",
    "inputs",
    "interests",
    "kept_back",
    "late",
    "open_books",
    "owed_by_line",
    "owed_by_posting",
    "owed_for_track",
    "owed_to_payee",
    "parties",
    "payment",
    "payments",
    "payout",
    "periods",
    "postings",
    "rate",
    "rates",
    "recordings",
    "restated_by",
    "restatements",
    "revenue_by_source",
    "rights",
    "root_with",
    "runs",
    "shares_in",
    "stale",
    "standing",
    "stated",
    "statement",
    "suspense",
    "suspense_causes",
    "terms",
    "track",
    "tracks",
    "trail",
    "verify_books",
    "verify_chain",
    "verify_snapshots",
    "versions",
    "withdrawals",
]
