import pytest

from dashboard import flow, flow_of_money
from dashboard.flow import Band, Box
from db.queries import Flow
from tests.dashboard.made import earnings, euros, payee


def box(id_: str, column: int) -> Box:
    return Box(id=id_, name=id_.upper(), shown="€1", column=column)


def band(source: str, target: str, value: float) -> Band:
    return Band(source=source, target=target, value=value, shown="€1")


BOXES = [box("a", 0), box("b", 1), box("c", 1), box("d", 2)]
BANDS = [band("a", "b", 3.0), band("a", "c", 1.0), band("c", "d", 1.0), band("b", "d", 3.0)]


def height(place: flow.Placed) -> float:
    return place.bottom - place.top


def test_a_box_is_as_high_as_it_holds_much_in_every_column() -> None:
    places = flow.placed(BOXES, BANDS)

    assert height(places["b"]) == pytest.approx(3 * height(places["c"]))
    assert height(places["a"]) == pytest.approx(4 * height(places["c"]))
    assert height(places["d"]) == pytest.approx(height(places["a"]))
    assert places["c"].top == pytest.approx(places["b"].bottom + flow.GAP_PX)
    assert all(place.top >= 0 and place.bottom <= flow.HEIGHT_PX for place in places.values())


def test_bands_fill_their_boxes_side_by_side_in_the_order_of_the_other_end() -> None:
    places = flow.placed(BOXES, BANDS)

    ends = flow.ends(BOXES, BANDS, places)

    into_d = {
        band.source: end for band, (_, end) in zip(BANDS, ends, strict=True) if band.target == "d"
    }
    assert into_d["b"].top == pytest.approx(places["d"].top)
    assert into_d["c"].top == pytest.approx(into_d["b"].bottom)
    assert into_d["c"].bottom == pytest.approx(places["d"].bottom)


def test_the_picture_takes_its_colours_from_the_palette_and_names_every_box() -> None:
    document = flow.picture(BOXES, BANDS).to_dict()
    rows = [row for rows in document["datasets"].values() for row in rows]

    assert {row["label"] for row in rows if "label" in row} == {
        f"{name}   €1" for name in ("A", "B", "C", "D")
    }
    assert document["layer"][0]["encoding"]["color"]["scale"] == {
        "domain": ["attributed", "other", "unattributed"]
    }


FLOWS = (
    Flow(recording="r1", title="Harbour", payee="ann", amount=euros(6)),
    Flow(recording="r1", title="Harbour", payee=None, amount=euros(1)),
    Flow(recording=None, title=None, payee="ann", amount=euros(2)),
)
EARNED = earnings(
    pool=20, paid=15, attributed=9, suspense=4, platform=1, payees=(payee("ann", 12, 8),)
)


@pytest.mark.parametrize(("whole", "left"), [(True, 20), (False, 15)])
def test_what_leaves_the_pool_arrives(whole: bool, left: int) -> None:
    moved = flow_of_money.moves(EARNED, FLOWS, whole=whole)

    out = sum(amount.micros for (source, _), amount in moved.items() if source == "pool")
    paid = sum(amount.micros for (_, target), amount in moved.items() if target.startswith("p/"))
    assert out == left * 10**6
    assert paid == 15 * 10**6
    assert moved["equally", "p/ann"] == euros(4)
    assert moved["equally", "p/"] == euros(2)


def test_the_others_stand_together_below_the_largest() -> None:
    moved = flow_of_money.moves(EARNED, FLOWS, whole=True)

    boxes = flow_of_money.boxes_of(EARNED, FLOWS, moved)

    assert [(each.name, each.shown, each.column, each.kind) for each in boxes] == [
        ("Money", "€20.00", 0, "attributed"),
        ("Harbour", "€7.00", 1, "attributed"),
        ("Other recordings", "€2.00", 1, "other"),
        ("No single recording", "€6.00", 1, "unattributed"),
        ("Suspense", "€4.00", 1, "unattributed"),
        ("Platform, by terms", "€1.00", 1, "unattributed"),
        ("Ann", "€12.00", 2, "attributed"),
        ("Other payees", "€3.00", 2, "other"),
    ]
    assert flow_of_money.told(boxes) == (
        "Of €20.00, Harbour brought most, €7.00 and €6.00 came by no single recording"
    )


def test_nothing_is_drawn_of_nothing() -> None:
    moved = flow_of_money.moves(
        earnings(pool=0, paid=0, attributed=0, suspense=0, platform=0), (), whole=True
    )

    assert moved == {}
