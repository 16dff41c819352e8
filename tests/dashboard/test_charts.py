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


def test_two_rules_are_two_dots_joined_by_a_line() -> None:
    pair = charts.Pair(
        label="Zoe", first=1.0, second=2.0, first_shown="€1", second_shown="€2", difference="+1"
    )

    chart = charts.compared([pair], rules=("Pro rata", "User centric"), axis="EUR")
    marks = [layer["mark"]["type"] for layer in chart.to_dict()["layer"]]

    assert marks == ["rule", "circle", "circle"]


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
