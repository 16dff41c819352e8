"""Evidence and passages, as those see them who see some of the recordings."""

from dashboard import narrowing, reads
from db.queries import EVERYONE, Viewer
from tests.dashboard.conftest import HARBOUR, KILN

ANN, CHO = (Viewer(each, frozenset({each})) for each in ("ann", "cho"))


def test_passages_are_those_of_the_viewers_recordings(where: reads.Place) -> None:
    everything, anns = (narrowing.passages_of(each, where, KILN) for each in (EVERYONE, ANN))

    assert everything is not None
    assert anns is not None
    assert [*everything.sources] == ["ben-1", "ann-2"]
    assert [*anns.sources] == ["ann-2"]
    assert [each.source.id for each in anns.strongest] == ["ann-2"]
    assert narrowing.passages_of(CHO, where, KILN) is None


def test_likenesses_are_to_the_viewers_recordings(where: reads.Place) -> None:
    found = {each: narrowing.evidence(each, where, HARBOUR) for each in (EVERYONE, CHO, ANN)}

    alike = {who: [a["recording"] for a in each["similarity"]] for who, each in found.items()}
    assert alike == {EVERYONE: ["cho-1"], CHO: ["cho-1"], ANN: []}
    assert narrowing.evidence(ANN, where, "t99") is None
