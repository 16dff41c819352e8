from royalty.period import Period
from royalty.reports.variance import variance_document
from tests.royalty.test_variance import euros, varied

NOVEMBER = Period(2026, 11)


def test_every_total_is_there_with_its_change() -> None:
    document = variance_document(NOVEMBER, "pro_rata", varied({"ann": 6}, {"ann": 9}))

    assert list(document) == [
        *("schema", "period", "rule", "against", "summary", "totals", "payees", "missing", "came"),
    ]
    assert document["against"] == {"period": "2026-10", "rule": "pro_rata"}
    totals = document["totals"]
    assert list(totals) == [
        *("revenue", "pool", "unattributed", "suspense", "payees", "plays", "tracks")
    ]
    assert totals["pool"] == {
        "before": euros(8).json,
        "now": euros(12).json,
        "change": euros(4).json,
        "change_ppm": 500_000,
    }
    assert totals["plays"] == {"before": 12, "now": 20, "change": 8, "change_ppm": 666_667}


def test_who_is_new_has_no_before_and_who_is_gone_no_now() -> None:
    document = variance_document(NOVEMBER, "pro_rata", varied({"ann": 6}, {"cy": 3}))

    assert document["payees"] == [
        {
            "id": "ann",
            "name": "Ann",
            "before": euros(6).json,
            "now": None,
            "change": euros(-6).json,
            "change_ppm": -1_000_000,
        },
        {
            "id": "cy",
            "name": "Cy",
            "before": None,
            "now": euros(3).json,
            "change": euros(3).json,
            "change_ppm": None,
        },
    ]


def test_sources_are_named_with_their_revenue() -> None:
    came = {("app", "FR"): (euros(1),)}
    document = variance_document(NOVEMBER, "pro_rata", varied({}, {}, came_before=came))

    assert document["missing"] == [{"source": "app", "territory": "FR", "revenue": [euros(1).json]}]
    assert document["came"] == []


def test_without_a_month_before_there_is_nothing_against() -> None:
    assert variance_document(NOVEMBER, "pro_rata", None) == {
        "schema": 1,
        "period": "2026-11",
        "rule": "pro_rata",
        "against": None,
    }
