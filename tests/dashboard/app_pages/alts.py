"""What a page says of its charts to those who do not see them."""

from streamlit.testing.v1 import AppTest


def alts(app: AppTest) -> list[str]:
    """List the alt texts of the charts, in the page's order; every chart has one."""
    found = [chart.proto.alt for chart in app.get("vega_lite_chart")]
    assert all(found), "a chart has no alt text"
    return found
