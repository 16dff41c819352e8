from streamlit.testing.v1 import AppTest

from dashboard import charts


def bar(label: str, value: float, kind: str = "attributed") -> charts.Bar:
    return charts.Bar(
        label=label,
        value=value,
        low=value / 2,
        high=value * 2,
        shown=f"€{value}",
        interval="a to b",
        kind=kind,
    )


def test_bars_stand_in_the_order_given_and_each_has_its_interval() -> None:
    chart = charts.ranked([bar("Zoe", 2.0), bar("Ann", 1.0), bar("Rest", 3.0)], axis="EUR")

    document = chart.to_dict()
    marks = [layer["mark"]["type"] for layer in document["layer"]]
    rows = next(iter(document["datasets"].values()))

    assert marks == ["bar", "rule", "tick", "tick"]
    assert all(layer["encoding"]["y"]["sort"] is None for layer in document["layer"])
    assert [row["label"] for row in rows] == ["Zoe", "Ann", "Rest"]


def test_the_unattributed_part_has_a_colour_of_its_own() -> None:
    chart = charts.ranked([bar("Zoe", 2.0), bar("Rest", 3.0, "unattributed")], axis="EUR")

    scale = chart.to_dict()["layer"][0]["encoding"]["color"]["scale"]

    assert scale == {"domain": charts.KINDS}  # no colours: those are in config.toml


def dot(label: str, rule: str, value: float) -> charts.Dot:
    return charts.Dot(label=label, rule=rule, value=value, shown=f"€{value}")


def test_two_rules_are_dots_of_colour_on_a_line_that_spans_all_rules() -> None:
    dots = [dot("Zoe", "Hybrid", 3), dot("Zoe", "Pro rata", 1), dot("Zoe", "User centric", 2)]

    line, others, two = charts.spread(
        dots, rules=("Pro rata", "User centric"), axis="EUR"
    ).to_dict()["layer"]

    assert [layer["mark"]["type"] for layer in (line, others, two)] == ["rule", "tick", "circle"]
    assert line["encoding"]["x"]["aggregate"] == "min"
    assert line["encoding"]["x2"]["aggregate"] == "max"
    assert two["encoding"]["color"]["scale"] == {"domain": ["Pro rata", "User centric"]}
    assert two["transform"][0]["filter"]["oneOf"] == ["Pro rata", "User centric"]


def test_gains_and_losses_have_colours_of_their_own() -> None:
    bars = [bar("Zoe", 2.0, "gain"), bar("Ann", -3.0, "loss")]

    document = charts.ranked(bars, axis="EUR", kinds=charts.CHANGES).to_dict()

    assert document["layer"][0]["encoding"]["color"]["scale"] == {"domain": ["gain", "loss"]}


def test_lines_can_be_read_in_the_dark() -> None:
    def drawn() -> None:
        import streamlit as st

        from dashboard import charts

        st.altair_chart(
            charts.ranked(
                [charts.Bar(label="Zoe", value=1, low=0, high=2, shown="1", interval="0 to 2")],
                axis="EUR",
            ),
            alt="Zoe earned 1",
        )

    app = AppTest.from_function(drawn)
    app.context = {"theme": "dark"}
    app.run()

    assert not app.exception
    assert charts.INK["dark"] in str(app.get("vega_lite_chart")[0].proto)


def cell(window: int, item: int, score: float) -> charts.Cell:
    return charts.Cell(
        window=window,
        item=item,
        start=2.0 * window,
        end=2.0 * window + 2,
        from_start=5.0 * item,
        from_end=5.0 * item + 5,
        score=score,
        track="0:00",
        recording="0:05",
    )


def test_a_heat_picture_has_time_both_ways_and_one_scale() -> None:
    chart = charts.heat([cell(0, 0, 1.0), cell(1, 0, -2.0)], most=4.0, picked=(1, 0)).to_dict()

    places = {channel: chart["encoding"][channel]["field"] for channel in ("x", "x2", "y", "y2")}
    assert places == {"x": "start", "x2": "end", "y": "from_start", "y2": "from_end"}
    assert chart["encoding"]["color"]["scale"]["domain"] == [-4.0, 0, 4.0]
    assert chart["params"][0]["name"] == charts.CELL
    assert chart["params"][0]["value"] == [{"window": 1, "item": 0}]


def test_estimates_have_a_line_for_the_interval_and_one_to_read_them_against() -> None:
    points = [
        charts.Point(label="Ann", value=1.1, low=0.4, high=1.9, shown="1.10", interval="a to b"),
        charts.Point(label="Ben", value=0.2, low=-900, high=900, shown="0.20", interval="wild"),
    ]

    document = charts.estimates(points, axis="I", mark=1.0, mark_label="fair").to_dict()
    marks = [layer["mark"]["type"] for layer in document["layer"]]
    low, high = document["layer"][0]["encoding"]["x"]["scale"]["domain"]

    assert marks == ["rule", "circle", "rule", "text"]
    assert -4 < low < 0.4  # a wild interval does not crush the rest
    assert 1.9 < high < 4
    assert len(charts.estimates(points, axis="I").to_dict()["layer"]) == 2


def test_months_stand_in_the_order_given_with_kinds_on_top_of_each_other() -> None:
    bars = [bar("2026-10", 2.0), bar("2026-10", 1.0, "unattributed"), bar("2026-09", 3.0)]

    document = charts.monthly(bars, axis="EUR").to_dict()
    drawn, line = document["layer"]
    rows = next(iter(document["datasets"].values()))

    assert drawn["encoding"]["x"]["sort"] is None
    assert [row["order"] for row in rows] == [0, 2, 0]
    assert drawn["encoding"]["color"]["legend"]["values"] == ["attributed", "unattributed"]
    assert "attributed" in str(line["transform"])
