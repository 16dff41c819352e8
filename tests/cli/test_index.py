"""Takedowns, later placebos, other settings and several runs: what follows for evidence."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from attribution.files import json_bytes
from attribution.index import SCHEMA, manifest_sha256, read_manifest
from attribution.methods.recipes import RECIPES
from cli.jobs.index import DONE
from cli.jobs.likeness import compare
from cli.jobs.recipes import Wanted, recipe_of
from cli.main import main
from cli.workspace import Workspace
from db.books.tracks import TrackFacts, record_tracks
from db.engine import now
from db.queries import EVERYONE, inputs
from royalty.period import Period
from tests.cli.conftest import Ran
from tests.cli.evaluation_world import content
from tests.cli.test_passages import PLACEBOS, TRAINING, WORKS, write_catalogue

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("soundless", "one_thread")]

COPIED = "w02"
Tantieme = Callable[..., Ran]


def options(**changed: object) -> list[str]:
    chosen = TRAINING | changed
    return [word for name, value in chosen.items() for word in (f"--{name}", str(value))]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A workspace in which a copy of a work was attributed, and the copy's id."""
    folder = tmp_path_factory.mktemp("index")
    write_catalogue(folder / "works", "w", WORKS)
    write_catalogue(folder / "placebos", "p", PLACEBOS)
    for arguments in (
        ("init",),
        ("catalogue", "import", folder / "works"),
        ("train", "--placebo", folder / "placebos", *options()),
        ("attribute", folder / "works" / "music" / f"{COPIED}.mid"),
    ):
        assert main(["--home", str(folder / "home"), *map(str, arguments)]) == 0
    (track,) = (folder / "home" / "tracks").glob("*.mid")
    return folder / "home", track.stem


@pytest.fixture
def home(made: tuple[Path, str], tmp_path: Path) -> Path:
    shutil.copytree(made[0], tmp_path / "home")
    return tmp_path / "home"


@pytest.fixture
def track(made: tuple[Path, str]) -> str:
    return made[1]


def evidence(home: Path, track: str, method: str = "") -> dict:
    return json.loads((home / "evidence" / method / f"{track}.json").read_text())


def providers(home: Path) -> set[str]:
    return set(inputs(EVERYONE, Workspace(home=home).books(), Period.parse("2026-10")).shares)


def described(tantieme: Tantieme) -> list[dict]:
    return json.loads(tantieme("index", "info", "--json").out)["indexes"]


def shares(ran: Ran) -> dict[str, int]:
    return {each["id"]: each["share_ppb"] for each in json.loads(ran.out)["recordings"]}


def test_a_removed_recording_earns_nothing_and_what_is_removed_is_told(tantieme, home, track):
    before = evidence(home, track)
    assert COPIED in {each["id"] for each in before["recordings"]}

    ran = tantieme("index", "remove", COPIED, "--json")
    after = shares(tantieme("attribute", track, "--json"))

    document = json.loads(ran.out)
    (index,) = document["indexes"]
    assert ran.code == 0, ran.err
    assert document["written"]
    assert index["before"] == before["index"]
    assert index["id"].startswith(f"{before['index']}-")
    assert 0 < index["drift"] < 1
    assert index["rows"] == index["taken_down"] > 0
    assert COPIED not in after
    assert COPIED not in {work["work"] for work in evidence(home, track)["works"]}
    assert evidence(home, track)["index_sha256"] != before["index_sha256"]
    assert described(tantieme)[0]["removed"] == [COPIED]
    assert f"Removed: {COPIED}" in tantieme("index", "info").out
    assert len(providers(home)) == 2
    assert tantieme("index", "verify").code == tantieme("verify").code == 0


def test_what_was_found_before_a_takedown_is_kept_with_its_passages(tantieme, home, track):
    places = [home / "evidence" / f"{track}.json", home / "evidence" / "passages" / f"{track}.json"]
    before = [place.read_bytes() for place in places]
    tantieme("index", "remove", COPIED)

    assert tantieme("attribute", track).code == 0

    (kept,) = (home / "evidence" / "earlier").glob("*/*.json")
    assert [kept.read_bytes(), (kept.parent / "passages" / kept.name).read_bytes()] == before
    assert all(place.exists() for place in places)


def test_what_is_shown_again_is_paid_as_before(tantieme, home, track):
    before = evidence(home, track)
    tantieme("index", "remove", COPIED)
    tantieme("attribute", track)

    ran = tantieme("index", "add", COPIED)
    tantieme("attribute", track)

    again = evidence(home, track)
    assert ran.code == 0, ran.err
    assert "from now on" in ran.err
    assert {key for key in before if before[key] != again[key]} == {"index_sha256"}
    assert described(tantieme)[0]["removed"] == []


@pytest.mark.usefixtures("home")
def test_indexes_built_later_leave_out_what_was_removed(tantieme, track):
    tantieme("index", "remove", COPIED)

    ran = tantieme("attribute", track, "--method", "trak", "--json")

    assert COPIED not in shares(ran)
    assert [each["removed"] for each in described(tantieme)] == [[COPIED]] * 2


@pytest.mark.usefixtures("home")
def test_removing_and_adding_twice_changes_nothing_the_second_time(tantieme):
    tantieme("index", "remove", COPIED)
    before = described(tantieme)

    removed = tantieme("index", "remove", COPIED)
    after = described(tantieme)
    tantieme("index", "add", COPIED)
    added = tantieme("index", "add", COPIED)

    assert (removed.code, added.code) == (0, 0)
    assert after == before
    assert "shows none of these rows already" in removed.err
    assert "lacks none of these rows" in added.err
    assert "Shares frozen before" not in removed.err + added.err


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("command", ["remove", "add"])
def test_a_dry_run_writes_nothing(tantieme, command: str):
    if command == "add":
        tantieme("index", "remove", COPIED)
    before = described(tantieme)

    ran = tantieme("index", command, COPIED, "--dry-run")

    assert ran.code == 0, ran.err
    assert {"remove": "would lose", "add": "would gain"}[command] in ran.err
    assert described(tantieme) == before


def test_amendments_that_make_no_sense_are_refused(tantieme, home):
    everything = [f"w{number:02d}" for number in range(WORKS)]
    unknown = tantieme("index", "remove", COPIED, "nobody")
    placebo = tantieme("index", "remove", "p03")
    untrained = tantieme("index", "add", "nobody")
    all_of_them = tantieme("index", "remove", *everything)
    nothing = tantieme("index", "add")
    left = described(tantieme)[0]["removed"]
    shutil.rmtree(home / "index")
    unbuilt = tantieme("index", "remove", COPIED)

    refused = (unknown, placebo, untrained, all_of_them, unbuilt)
    assert [each.code for each in refused] == [3] * 5
    assert "'p03' is a placebo" in placebo.err
    assert "no index holds 'nobody'" in unknown.err
    assert "no indexed run was trained on it" in untrained.err
    assert "no recording would be left" in all_of_them.err
    assert "run 'tantieme index build' first" in unbuilt.err
    assert nothing.code == 2
    assert left == []


def test_placebos_that_come_later_are_appended_and_equal_a_rebuild(tantieme, home, track, tmp_path):
    write_catalogue(tmp_path / "more", "q", 4)
    before = evidence(home, track)

    ran = tantieme("index", "add", "--placebo", tmp_path / "more", "--json")
    tantieme("attribute", track)
    appended = evidence(home, track)
    again = tantieme("index", "add", "--placebo", tmp_path / "more", "--json")
    shutil.rmtree(home / "index")
    (home / "evidence" / f"{track}.json").unlink()
    rebuilt = tantieme("attribute", track)

    (index,) = json.loads(ran.out)["indexes"]
    assert ran.code == rebuilt.code == 0, ran.err + rebuilt.err
    assert index["before"] == before["index"] != index["id"]
    assert index["rows"] > 0
    assert not json.loads(again.out)["written"]
    assert appended["null"]["works"] == PLACEBOS + 4
    assert appended["index"] == evidence(home, track)["index"]
    found = {each["work"]: each["mean"] for each in appended["works"]}
    assert found == pytest.approx(
        {each["work"]: each["mean"] for each in evidence(home, track)["works"]}, rel=1e-3
    )


def test_other_settings_have_a_name_of_their_own_and_pay_nobody(tantieme, home, track):
    paid = providers(home)
    built = tantieme("index", "build", "--damping", 0.01, "--kept", 500)
    same = tantieme("attribute", track, "--json")
    ran = tantieme("attribute", track, "--ridge", 8, "--json")
    usual = tantieme("attribute", track, "--ridge", RECIPES["default"].scoring.ridge, "--json")

    document = json.loads(ran.out)
    assert built.code == ran.code == 0, built.err + ran.err
    assert len(described(tantieme)) == 2
    assert document["method"].startswith("custom-default-ridge-8-")
    assert (
        evidence(home, track, "custom-default-ridge-8")["works"] != evidence(home, track)["works"]
    )
    assert json.loads(usual.out) == json.loads(same.out)
    assert providers(home) == paid


@pytest.mark.usefixtures("home")
def test_settings_that_a_method_does_not_have_are_refused(tantieme, track):
    plain = tantieme("index", "build", "--method", "tracin", "--damping", 0.1)
    exact = tantieme("index", "build", "--method", "ekfac", "--side", 8)
    every = tantieme("index", "build", "--method", "ekfac", "--kept", 8)
    without = tantieme("attribute", track, "--method", "gradcos", "--ridge", 1)

    assert [each.code for each in (plain, exact, every, without)] == [3, 3, 3, 3]
    assert "'ekfac' chooses no coordinates; leave --kept out" in every.err
    assert "'tracin' whitens nothing; leave --damping out" in plain.err
    assert "'ekfac' has no Kronecker sketch; leave --side out" in exact.err
    assert "'gradcos' has no Gram; leave --ridge out" in without.err


def test_three_runs_in_one_index_widen_intervals_and_say_so(tantieme, home, track):
    for seed in (1, 2):
        assert tantieme("train", *options(seed=seed)).code == 0
    runs = sorted(path.parent.name for path in (home / "runs").glob("*/card.json"))
    chosen = [word for run in runs for word in ("--run", run)]
    two = tantieme("index", "build", *chosen[:4])

    built = tantieme("index", "build", *chosen)
    ran = tantieme("attribute", track, *chosen, "--json")

    document = evidence(home, track)
    assert two.code == built.code == ran.code == 0, built.err + ran.err
    assert "from three on" in two.err
    assert "from three on" not in built.err
    assert document["runs"] == runs
    assert f"from runs {', '.join(runs)}:" in tantieme("attribute", track, *chosen).out
    assert document["interval"] == "90%, over 3 runs"
    assert len(document["checkpoints"]) == 9
    members = {len(each["runs"]): each["members"] for each in described(tantieme)}
    assert members == {count: count * members[1] for count in (1, 2, 3)}


def test_runs_of_other_music_or_size_are_refused_by_name(tantieme, home):
    (first,) = (path.parent.name for path in (home / "runs").glob("*/card.json"))
    tantieme("train", *options(**{"spans-max": 2}))
    (other,) = {path.parent.name for path in (home / "runs").glob("*/card.json")} - {first}
    tantieme("train", *options(width=32))
    (wide,) = {path.parent.name for path in (home / "runs").glob("*/card.json")} - {first, other}

    for run, what in ((other, "music"), (wide, "number of parameters")):
        ran = tantieme("index", "build", "--run", first, "--run", run)
        assert ran.code == 3
        assert f"another {what} than run" in ran.err
        assert first in ran.err
        assert run in ran.err


@pytest.mark.parametrize("method", ["ngram", "similarity"])
def test_similarity_is_printed_alone_and_never_paid(tantieme, home, track, method: str):
    before = content(home)
    ran = tantieme("attribute", track, "--method", method, "--json")
    shown = tantieme("attribute", track, "--method", method)
    refused = tantieme("attribute", track, "--method", method, "--compare-mappings")

    document = json.loads(ran.out)
    assert ran.code == 0, ran.err
    assert document["similarity"][0]["recording"] == COPIED
    assert document["similarity"][0]["likeness"] > document["similarity"][1]["likeness"]
    assert not document["paid"]
    assert "not influence; nobody is paid for it" in shown.out
    assert refused.code == 2
    assert "leave --compare-mappings out" in refused.err
    assert content(home) == before


@pytest.mark.parametrize("method", ["ngram", "similarity"])
def test_a_comparison_says_how_far_it_is(home, track, method: str):
    told = []

    compare(Workspace(home=home), None, [track], method, report=lambda *far: told.append(far))

    done, total = told[-1]
    assert done == total > 0


def test_evidence_of_an_older_version_is_made_anew(tantieme, home, track):
    path, before = home / "evidence" / f"{track}.json", evidence(home, track)
    older = {key: value for key, value in before.items() if key != "runs"}
    path.write_text(json.dumps(older | {"method": "default-1"}))

    ran = tantieme("attribute", track, "--json")

    assert ran.code == 0, ran.err
    assert evidence(home, track) == before


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("value", ["nan", "inf", "0", "-1"])
@pytest.mark.parametrize("option", ["--ridge", "--damping"])
def test_settings_are_numbers_to_reckon_with(tantieme, track, option: str, value: str):
    ran = tantieme("attribute", track, option, value)

    assert ran.code == 2
    assert f"Invalid value for '{option}'" in ran.err


def test_no_two_settings_are_named_alike():
    names = {recipe_of(Wanted(ridge=value)).name for value in (8.0, 8.000001, 8e6, 8e6 + 1)}

    assert len(names) == 4
    assert "custom-default-ridge-8" in names
    assert recipe_of(Wanted(kept=43_521)).name == "custom-default-kept-43521"


def generated(home: Path, track: str, run: str) -> None:
    """Write a track into the books as if this run had generated it."""
    shutil.copy(next((home / "tracks").glob("*.mid")), home / "tracks" / f"{track}.mid")
    facts = TrackFacts(
        id=track,
        title=track,
        run=run,
        seed=1,
        duration_ms=1,
        midi=f"tracks/{track}.mid",
        audio_sha256=None,
        created_at=now(),
    )
    record_tracks(Workspace(home=home).books(), [facts])


def test_a_run_that_did_not_generate_a_track_cannot_have_shaped_it(tantieme, home, track):
    (first,) = (path.parent.name for path in (home / "runs").glob("*/card.json"))
    tantieme("train", *options(seed=1))
    (other,) = {path.parent.name for path in (home / "runs").glob("*/card.json")} - {first}
    generated(home, "tfirst", first)
    generated(home, "tother", other)

    refused = tantieme("attribute", "tfirst", "--run", other)
    alike = tantieme("attribute", "tfirst", "--run", other, "--method", "similarity")
    among = tantieme("attribute", "tfirst", "--run", first, "--run", other)
    every = tantieme("attribute", "--all-new", "--run", first)

    assert refused.code == 3
    assert (
        f"tfirst was generated by {first}; {other} cannot have shaped it; "
        f"leave --run out, or name {first} among the runs"
    ) in refused.err
    assert (alike.code, among.code, every.code) == (0, 0, 0), among.err + every.err
    assert all(f"{id_}  " in every.out for id_ in ("tfirst", track))
    assert "tother" not in every.out


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("given", [("--method", "trak"), ("--ridge", 8), ("--side", 8)])
def test_mappings_are_compared_by_the_method_that_pays_only(tantieme, track, given):
    ran = tantieme("attribute", track, "--compare-mappings", *given)

    assert ran.code == 2
    assert f"leave {given[0]} out" in ran.err


def harmed(home: Path, pattern: str) -> Path:
    path = min((home / "index").glob(f"*/{pattern}"))
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    return path


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("member-000/train/shard-*.npy", "is built again, and whole"),
        ("tombstones-*.bitmap", "is built again from scratch"),
        ("manifest.json", "is built again from scratch"),
    ],
)
def test_what_is_harmed_in_an_index_is_built_again(tantieme, home, pattern: str, said: str):
    tantieme("index", "remove", COPIED)
    before = described(tantieme)
    path = harmed(home, pattern)
    broken = tantieme("index", "verify")

    built = tantieme("index", "build")

    assert (broken.code, built.code) == (5, 0), built.err
    assert built.err.startswith("Harmed: ")
    assert path.name in built.err
    assert said in built.err
    assert tantieme("index", "verify").code == 0
    assert described(tantieme) == before
    assert "was already here" in tantieme("index", "build").err


def test_an_appended_index_has_its_name_only_once_it_is_whole(
    tantieme, home, tmp_path, monkeypatch: pytest.MonkeyPatch
):
    write_catalogue(tmp_path / "more", "q", 4)
    rename, whole = Path.rename, []

    def renamed(draft: Path, name: Path) -> Path:
        whole.append((draft / DONE).exists())
        return rename(draft, name)

    monkeypatch.setattr(Path, "rename", renamed)
    ran = tantieme("index", "add", "--placebo", tmp_path / "more")

    assert ran.code == 0, ran.err
    assert whole == [True]
    assert len(list((home / "index").glob(f"*/{DONE}"))) == 2


def test_an_appended_index_that_is_harmed_is_built_from_scratch(tantieme, home, tmp_path):
    write_catalogue(tmp_path / "more", "q", 4)
    tantieme("index", "add", "--placebo", tmp_path / "more")
    (appended,) = (
        path.parent
        for path in (home / "index").glob("*/manifest.json")
        if json.loads(path.read_text())["appended"]
    )
    shard = min(appended.glob("member-000/placebo/shard-*.npy"))
    shard.unlink()

    built = tantieme("index", "build")

    assert built.code == 0, built.err
    assert f"Index {appended.name} of run" in built.err
    assert "is built again from scratch" in built.err
    assert shard.exists()
    assert not read_manifest(appended)["appended"]
    assert tantieme("index", "verify").code == 0


def test_an_index_of_an_older_version_is_named_and_in_nobodys_way(tantieme, home):
    (path,) = (home / "index").glob("*/manifest.json")
    older = home / "index" / "iolder000"
    shutil.copytree(path.parent, older)
    manifest = json.loads(path.read_text()) | {"schema": SCHEMA - 1}
    manifest["sha256"] = manifest_sha256(manifest)
    (older / "manifest.json").write_bytes(json_bytes(manifest))

    shown = tantieme("index", "info")
    document = json.loads(tantieme("index", "info", "--json").out)
    removed = tantieme("index", "remove", COPIED)
    verified = tantieme("index", "verify")

    assert (shown.code, removed.code, verified.code) == (0, 0, 5), removed.err
    assert "iolder000 is older, not readable: delete its folder" in shown.out
    assert document["older"] == ["iolder000"]
    assert [each["id"] for each in document["indexes"]] == [path.parent.name]
    assert verified.out.startswith("index iolder000 is older")


def test_an_index_says_which_methods_score_by_it(tantieme, home):
    tantieme("index", "build", "--method", "trak")
    tantieme("index", "build", "--kept", 500)

    methods = sorted(each["methods"] for each in described(tantieme))

    assert methods == [[], ["default"], ["trak", "graddot", "gradcos"]]
    assert "is scored by: trak, graddot, gradcos" in tantieme("index", "info").out

    (card,) = (home / "runs").glob("*/card.json")
    card.write_bytes(card.read_bytes() + b"!")

    assert [each["methods"] for each in described(tantieme)] == [[], [], []]
