import pytest

from db import queries
from db.books.acts import Act, record_act
from db.engine import Books, now, writing
from db.queries import EVERYONE, Viewer
from royalty.errors import NotFound
from tests.db.world import NOVEMBER, OCTOBER


def test_acts_of_a_month_are_listed_in_order_with_what_they_were_done_to(books: Books) -> None:
    begun = now()
    with writing(books) as connection:
        for act, period in (("prepared", OCTOBER), ("paid", NOVEMBER), ("approved", OCTOBER)):
            record_act(
                connection,
                Act(
                    name="ann",
                    act=act,
                    period=period,
                    subject="pro_rata",
                    content_sha256="c" * 64,
                    note="as agreed",
                ),
            )

    first, second = queries.acts(EVERYONE, books, OCTOBER)

    assert (first.act, second.act) == ("prepared", "approved")
    assert (first.name, first.period, first.subject) == ("ann", OCTOBER, "pro_rata")
    assert (first.content_sha256, first.note) == ("c" * 64, "as agreed")
    assert begun <= first.recorded_at <= second.recorded_at <= now()


def test_who_did_what_is_for_auditors(books: Books) -> None:
    with pytest.raises(NotFound, match="who did what in 2026-10 is shown to auditors only"):
        queries.acts(Viewer("bob", frozenset({"bob"})), books, OCTOBER)
