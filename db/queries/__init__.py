"""Reads: one file a noun, viewer first, so that nobody is shown another's money.

The dashboard and the command line import from here.
"""

from db.engine import Books, open_books
from db.queries.audits import Broken, conservation, verify_books, verify_chain, verify_snapshots
from db.queries.catalogue import RecordingRow, interests, parties, recordings, rights, terms
from db.queries.comparisons import differences
from db.queries.generated import RunRow, ShareRow, TrackDetail, TrackRow, runs, track, tracks
from db.queries.ledger import PostingRow, postings
from db.queries.months import Inputs, PeriodRow, earlier_usage, inputs, periods
from db.queries.payouts import is_current, payout, stale
from db.queries.statements import statement
from db.queries.trails import Step, Trail, trail
from db.queries.viewer import EVERYONE, Viewer
from royalty.differences import Difference
from royalty.payout import PayeeAmount, Payout, PoolAmount, RecordingAmount, TrackAmount

__all__ = [
    "EVERYONE",
    "Books",
    "Broken",
    "Difference",
    "Inputs",
    "PayeeAmount",
    "Payout",
    "PeriodRow",
    "PoolAmount",
    "PostingRow",
    "RecordingAmount",
    "RecordingRow",
    "RunRow",
    "ShareRow",
    "Step",
    "TrackAmount",
    "TrackDetail",
    "TrackRow",
    "Trail",
    "Viewer",
    "conservation",
    "differences",
    "earlier_usage",
    "inputs",
    "interests",
    "is_current",
    "open_books",
    "parties",
    "payout",
    "periods",
    "postings",
    "recordings",
    "rights",
    "runs",
    "stale",
    "statement",
    "terms",
    "track",
    "tracks",
    "trail",
    "verify_books",
    "verify_chain",
    "verify_snapshots",
]
