"""Reads: one file a noun, viewer first, so that nobody is shown another's money.

The dashboard and the command line import from here.
"""

from db.engine import Books, open_books, stand
from db.queries.account_months import AccountMonth, account_month
from db.queries.accounts import AccountBalance, agreements, balances, currency_of, standing
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
from db.queries.bands import Band, bands
from db.queries.came import CameRow, came
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
from db.queries.comparisons import differences, differences_of, paid_to, ranked
from db.queries.concentrations import concentrations
from db.queries.earnings import LARGEST, Earnings, Gains, earnings, gains
from db.queries.entries import entries
from db.queries.flows import Flow, flows
from db.queries.fx import rate, rates
from db.queries.generated import (
    RunRow,
    ShareRow,
    TrackDetail,
    TrackRow,
    TracksPage,
    runs,
    track,
    tracks,
    tracks_page,
)
from db.queries.holds import FindingRow, HoldRow, disputes, holds
from db.queries.ledger import (
    AccountTotal,
    PostingRow,
    Sought,
    account_totals,
    posted,
    posted_count,
    postings,
)
from db.queries.listening import Listener, heaviest, pseudonyms
from db.queries.months import (
    Inputs,
    PeriodRow,
    closed_by,
    closed_period,
    closed_periods,
    earlier_usage,
    inputs,
    periods,
)
from db.queries.names import AliasRow, CorrectionRow, aliases, corrections
from db.queries.owed import Owed, owed_by_line, owed_by_posting, owed_for_track, owed_to_payee
from db.queries.payees import PayeesPage, payees_page
from db.queries.payments import PaymentEvent, PaymentRow, payment, payments
from db.queries.payouts import Decided, decided, payout, payout_totals, stale
from db.queries.people import access, viewer_of
from db.queries.recordings_used import (
    RecordingsPage,
    Shaped,
    Used,
    not_to_be_used,
    payees_of,
    recording,
    recordings_page,
    titles,
    used,
)
from db.queries.reproductions import divided, root_with
from db.queries.restatements import (
    RestatementRow,
    in_force,
    late,
    restated_by,
    restatements,
)
from db.queries.shares import corrected, shares_in, shares_now
from db.queries.sources import revenue_by_source
from db.queries.statements import stated, statement
from db.queries.steps import Step
from db.queries.suspense import Cause, Causes, causes_of, suspense, suspense_causes
from db.queries.trails import Trail, trail
from db.queries.versions import VersionRow, versions
from db.queries.viewer import EVERYONE, Viewer
from db.queries.windows import ROWS_MAX, Window
from royalty.access import Access
from royalty.differences import Difference
from royalty.payout import PayeeAmount, Payout, PoolAmount, RecordingAmount, TrackAmount

__all__ = [
    "EVERYONE",
    "LARGEST",
    "ROWS_MAX",
    "Access",
    "AccountBalance",
    "AccountMonth",
    "AccountTotal",
    "ActRow",
    "AliasRow",
    "Band",
    "Books",
    "Broken",
    "CameRow",
    "Cause",
    "Causes",
    "CorrectionRow",
    "Decided",
    "Difference",
    "Earnings",
    "FindingRow",
    "Flow",
    "Gains",
    "HoldRow",
    "Inputs",
    "Listener",
    "Owed",
    "PayeeAmount",
    "PayeesPage",
    "PaymentEvent",
    "PaymentRow",
    "Payout",
    "PeriodRow",
    "PoolAmount",
    "PostingRow",
    "RecordingAmount",
    "RecordingRow",
    "RecordingsPage",
    "RestatementRow",
    "RootFound",
    "RunRow",
    "Shaped",
    "ShareRow",
    "Sought",
    "Step",
    "TrackAmount",
    "TrackDetail",
    "TrackRow",
    "TracksPage",
    "Trail",
    "Used",
    "VersionRow",
    "Viewer",
    "Window",
    "access",
    "account_month",
    "account_totals",
    "acts",
    "agreements",
    "aliases",
    "balances",
    "bands",
    "came",
    "causes_of",
    "closed_by",
    "closed_period",
    "closed_periods",
    "concentrations",
    "conservation",
    "conservations",
    "corrected",
    "corrections",
    "currency_of",
    "decided",
    "differences",
    "differences_of",
    "disputes",
    "divided",
    "earlier_usage",
    "earnings",
    "entries",
    "find_root",
    "flows",
    "gains",
    "heaviest",
    "holds",
    "in_force",
    "inputs",
    "interests",
    "kept_back",
    "late",
    "not_to_be_used",
    "open_books",
    "owed_by_line",
    "owed_by_posting",
    "owed_for_track",
    "owed_to_payee",
    "paid_to",
    "parties",
    "payees_of",
    "payees_page",
    "payment",
    "payments",
    "payout",
    "payout_totals",
    "periods",
    "posted",
    "posted_count",
    "postings",
    "pseudonyms",
    "ranked",
    "rate",
    "rates",
    "recording",
    "recordings",
    "recordings_page",
    "restated_by",
    "restatements",
    "revenue_by_source",
    "rights",
    "root_with",
    "runs",
    "shares_in",
    "shares_now",
    "stale",
    "stand",
    "standing",
    "stated",
    "statement",
    "suspense",
    "suspense_causes",
    "terms",
    "titles",
    "track",
    "tracks",
    "tracks_page",
    "trail",
    "used",
    "verify_books",
    "verify_chain",
    "verify_snapshots",
    "versions",
    "viewer_of",
    "withdrawals",
]
