import json
from dataclasses import replace
from unittest.mock import patch

from attribution.evaluation.estimate import Estimate
from attribution.evaluation.removal import Arm, Removal
from attribution.evaluation.report import Evaluation
from cli.jobs.evaluation_files import Judged, document_of, keep
from cli.jobs.evaluation_picture import Picture
from cli.workspace import Workspace
from tests.dashboard.evaluation_documents import LEVELS, lds


def judged(value=0.5, **about):
    methods = {name: Evaluation(about={}, lds={LEVELS[0]: lds(value)}) for name in ("a", "b")}
    return Judged(
        kind="lds",
        run="r01",
        about={"by": "item", **about},
        evaluations=methods,
        sentences=("So be it.",),
        picture=Picture(title="LDS", figures=("LDS",)),
        extra={"chosen": Estimate(value=1.0, low=0.0, high=float("nan"), level=0.9)},
    )


def test_every_row_names_its_method_and_nothing_is_not_a_number():
    document = document_of(judged())

    assert {row["method"] for row in document["rows"]} == {"a", "b"}
    assert document["chosen"] == {"value": 1.0, "low": 0.0, "high": None, "level": 0.9}
    json.dumps(document, allow_nan=False)


def test_the_id_is_of_what_was_asked_and_not_of_the_answer():
    assert document_of(judged(0.5))["id"] == document_of(judged(0.6))["id"]
    assert document_of(judged())["id"] != document_of(judged(bank="other"))["id"]
    assert document_of(judged())["id"] != document_of(replace(judged(), run="r02"))["id"]


def test_found_again_it_keeps_its_day_and_another_answer_has_a_new_one(tmp_path):
    workspace = Workspace(home=tmp_path)
    with patch("cli.jobs.evaluation_files.now", side_effect=["day 1", "day 2", "day 3"]):
        first, path = keep(workspace, judged(0.5))
        again, _ = keep(workspace, judged(0.5))
        changed, _ = keep(workspace, judged(0.6))

    assert (first["made_at"], again["made_at"], changed["made_at"]) == ("day 1", "day 1", "day 3")
    assert json.loads(path.read_bytes())["made_at"] == "day 3"
    assert "0.6" in path.with_suffix(".svg").read_text()


def test_a_harmed_file_is_written_anew(tmp_path):
    workspace = Workspace(home=tmp_path)
    _, path = keep(workspace, judged())
    path.write_text("{")

    assert keep(workspace, judged())[0] == json.loads(path.read_bytes())


def test_a_picture_of_several_figures_names_each(tmp_path):
    arms = ("default", "random")
    found = Removal(
        arms=tuple(
            Arm(
                name=name,
                change=2.0,
                change_error=0.1,
                beyond_random=1.0,
                beyond_random_error=0.1,
                per_query=[2.0],
                rows_removed=3.0,
            )
            for name in arms
        ),
        queries=1,
        seeds=5,
    )
    figures = tuple(f"{name}: nats lost" for name in arms)
    one = replace(
        judged(),
        evaluations={"": Evaluation(about={}, removal={"item": found})},
        picture=Picture(title="", figures=figures),
    )
    _, path = keep(Workspace(home=tmp_path), one)

    for figure in figures:
        assert f"item, {figure}" in path.with_suffix(".svg").read_text()
