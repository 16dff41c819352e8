from unittest.mock import patch

from tests.dashboard.conftest import OpenPage, texts
from tests.dashboard.evaluation_documents import every_document, lds_document

FOUND = "dashboard.reads.evaluations"


def test_without_an_evaluation_the_page_names_what_makes_one(open_page: OpenPage) -> None:
    app = open_page("quality")

    assert not app.exception
    assert "tantieme evaluate lds" in [code.value for code in app.code]


def test_one_number_comes_first_with_its_interval_and_date(open_page: OpenPage) -> None:
    with patch(FOUND, return_value=every_document()):
        app = open_page("quality")
    facts = app.markdown[0].value

    assert not app.exception
    assert app.title[0].value == "LDS 0.71"
    assert "by artist" in app.caption[0].value
    assert "0.63 to 0.79, 90 %" in facts
    assert "2026-11-03" in facts
    assert "What lds means." in texts(app)


def test_methods_stand_beside_ngram_overlap_and_the_ceiling(open_page: OpenPage) -> None:
    with patch(FOUND, return_value=every_document()):
        app = open_page("quality")
    table = app.dataframe[0].value
    charts = [str(each.proto) for each in app.get("vega_lite_chart")]

    assert [each.value for each in app.subheader][:2] == [
        "By artist, generated",
        "By artist, held-out",
    ]
    assert list(table["Method"]) == ["n-gram overlap", "default"]
    assert list(table["LDS / ceiling"])[1].startswith("0.81")
    assert list(table["More than n-gram overlap"]) == ["–", "0.11 (0.03 to 0.19)"]  # noqa: RUF001
    assert "ceiling 0.88" in charts[0]


def test_artists_have_their_informativeness_by_name(open_page: OpenPage) -> None:
    with patch(FOUND, return_value=every_document()):
        app = open_page("quality")
    (table,) = [each.value for each in app.dataframe if "Artist" in each.value.columns]

    assert list(table["Artist"]) == ["Ann *Aalto*", "Ben Brandt", "Cho Chen"]
    assert list(table["I"]) == ["1.04", "0.42", "–"]  # noqa: RUF001
    assert list(table["Truth repeats"]) == ["0.83"] * 3


def test_coverage_and_sanity_say_what_they_mean(open_page: OpenPage) -> None:
    with patch(FOUND, return_value=every_document()):
        app = open_page("quality")
    said = texts(app)

    assert "80 to 97 % is the aim" in said
    assert ":green-badge[Sound] Scores of random weights correlate 0.12" in said
    assert ":red-badge[Fails] One direction holds 60% of the scores" in said


def test_what_was_not_measured_has_its_command(open_page: OpenPage) -> None:
    with patch(FOUND, return_value=[lds_document("item", 0.36)]):
        app = open_page("quality")
    commands = [code.value for code in app.code]

    assert not app.exception
    assert app.title[0].value == "LDS 0.36"
    for words in ("lds --by artist", "informativeness", "coverage", "sanity", "removal", "planted"):
        assert any(command.endswith(f"evaluate {words}") for command in commands)


def test_without_lds_the_page_still_stands(open_page: OpenPage) -> None:
    with patch(FOUND, return_value=every_document()[2:]):
        app = open_page("quality")

    assert not app.exception
    assert app.title[0].value == "not measured"


def test_a_bank_of_one_seed_has_no_ceiling_and_says_so(open_page: OpenPage) -> None:
    document = lds_document("artist", 0.5)
    for row in document["rows"]:
        if row["figure"] in {"ceiling", "LDS / ceiling"}:
            row |= {"value": None, "low": None, "high": None}
    with patch(FOUND, return_value=[document]):
        app = open_page("quality")

    assert not app.exception
    assert "No ceiling: it needs retrainings at two seeds or more." in texts(app)
