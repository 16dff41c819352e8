"""What was ever posted to payees' accounts, in plain words."""

from __future__ import annotations

from sqlalchemy import select

from db import schema
from db.engine import Books, reading
from db.queries.ledger import PostingRow, posting_row, selected
from db.queries.movements import movements
from db.queries.viewer import Viewer
from royalty.ledger import payable
from royalty.movements import EARNED, Movement, worded
from royalty.period import Period
from royalty.reports.accounts import Entry


def entries(viewer: Viewer, books: Books, to: Period, *, payee: str | None = None) -> list[Entry]:
    """List the postings on payees' accounts up to the end of a month, in the chain's order.

    All accounts that the viewer may see, or one payee's; none where nothing was posted to it.
    """
    account = schema.posting.c.account
    theirs = account.startswith(payable(""), autoescape=True)
    mine = theirs if payee is None else account == payable(payee)
    wanted = selected().where(mine, schema.transaction_.c.period <= str(to))
    with reading(books) as connection:
        rows = [posting_row(row) for row in connection.execute(wanted)]
        names = dict(connection.execute(select(schema.party.c.id, schema.party.c.name)).all())
        moved = {each.posting: each for each in movements(connection, rows)}
    return [
        _entry(row, owner, names[owner], moved.get(row.id))
        for row in rows
        if (owner := row.payee) is not None and viewer.sees(owner)
    ]


def _entry(row: PostingRow, payee: str, name: str, moved: Movement | None) -> Entry:
    what, why = (worded([EARNED]), row.memo) if moved is None else (moved.what, moved.why)
    return Entry(
        payee=payee,
        name=name,
        period=row.period,
        effective_on=row.effective_on,
        what=what,
        why=why,
        right=row.right,
        pool=row.pool,
        posting=row.id,
        amount=-row.amount,  # a credit of what is payable is money to the payee
    )
