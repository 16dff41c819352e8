"""The evidence pack of a month that was closed, and `tantieme verify` of it."""

import io
import json
import random
import shutil
import sqlite3
import wave
import zipfile
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from cli.jobs.evidence import keep_evidence, record_shares
from cli.jobs.evidence_pack import write_pack
from cli.main import main
from cli.workspace import Workspace
from db.books.ledger import post
from db.books.runs import RunFacts, record_run
from db.books.tracks import TrackFacts, record_tracks
from royalty.errors import Conflict, NotFound, NotReady, PeriodNotClosed
from royalty.ledger import Posting, Transaction
from royalty.money import Money
from royalty.period import Period
from royalty.reports.pack_verify import archive
from tests.cli.conftest import EXAMPLE, Tantieme

OCTOBER = Period(2026, 10)
RATE_HZ = 8000
LOUD = 600_000_000
SURE = {"method": "default-2", "mapping": "gated-1", "gate": "placebo-bh-1", "index": "i01"}


def packed(home: Path, payee: str = "bob", name: str = "pack.zip") -> Path:
    return write_pack(Workspace(home=home), OCTOBER, payee, home.parent / name)


def member(pack: Path, name: str) -> Any:
    return json.loads(zipfile.ZipFile(pack).read(name))


def texts(pack: Path) -> bytes:
    """Read all that is text in a pack but what is in every one."""
    with zipfile.ZipFile(pack) as zip_:
        names = [name for name in zip_.namelist() if name.endswith((".json", ".csv"))]
        return b"\n".join(map(zip_.read, names))


@pytest.fixture
def root(closed: Tantieme) -> str:
    return closed("close", "2026-10").out.split()[1]


def test_a_pack_holds_and_is_under_the_root_of_the_month(
    closed: Tantieme, root: str, tmp_path: Path
) -> None:
    pack = packed(tmp_path / "home")
    manifest = sha256(zipfile.ZipFile(pack).read("manifest.json")).hexdigest()

    given = closed("verify", pack, "--root", root.upper(), "--manifest", manifest)
    alone = closed("verify", pack)
    document = json.loads(closed("verify", pack, "--root", root, "--json").out)

    assert (given.code, alone.code) == (0, 0)
    assert "NO ROOT WAS GIVEN" in alone.out
    assert "NO ROOT WAS GIVEN" not in given.out
    assert document == {
        "schema": 1,
        "holds": True,
        "root": root,
        "given": ["root"],
        "manifest_sha256": manifest,
        "faults": [],
    }


def test_the_same_books_give_the_same_pack(closed: Tantieme, tmp_path: Path) -> None:
    assert closed("verify").code == 0
    one, two = (packed(tmp_path / "home", name=f"{n}.zip").read_bytes() for n in range(2))

    assert one == two


def test_a_pack_is_checked_where_no_workspace_is(
    closed_example: Path, tantieme: Tantieme, tmp_path: Path
) -> None:
    pack = write_pack(Workspace(home=closed_example), OCTOBER, "bob", tmp_path / "bob.zip")

    assert tantieme("verify", pack).code == 0
    assert tantieme("verify", tmp_path / "no.zip").code == 2
    assert tantieme("verify", "--manifest", "0" * 64).code == 2


def test_a_changed_byte_ends_with_5_and_names_the_file(closed: Tantieme, tmp_path: Path) -> None:
    pack = packed(tmp_path / "home")
    with zipfile.ZipFile(pack) as zip_:
        shares = zip_.read("shares.csv")
    content = pack.read_bytes()
    pack.write_bytes(content.replace(shares, shares.replace(b"250000000", b"350000000", 1)))

    ran = closed("verify", pack)

    assert ran.code == 5
    assert "shares.csv was changed" in ran.out


def test_what_is_no_pack_ends_with_5(tantieme: Tantieme) -> None:
    ran = tantieme("verify", EXAMPLE / "usage.csv")

    assert ran.code == 5
    assert "is no evidence pack" in ran.out


def test_a_pack_of_other_books_is_found_by_the_root_alone(
    closed: Tantieme, root: str, imported_example: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other" / "home"
    shutil.copytree(imported_example, other)
    more = tmp_path / "revenue.csv"
    more.write_text(
        "period,listener,source,territory,currency,net\n2026-10,u3,app,DE,EUR,5.00\n",
        encoding="utf-8",
    )
    for arguments in (("revenue", "import", more), ("close", "2026-10")):
        assert main(["--home", str(other), *map(str, arguments)]) == 0
    pack = packed(other)

    alone, given = closed("verify", pack), closed("verify", pack, "--root", root)

    assert alone.code == 0
    assert "proves little" in alone.out
    assert given.code == 5
    assert f"not the one given, {root}" in given.out


def test_a_pack_shows_one_payee_and_no_other(closed: Tantieme, tmp_path: Path) -> None:
    assert closed("verify").code == 0
    pack = packed(tmp_path / "home")
    text = texts(pack)

    for others in (b"ann", b"Ann", b"r1", b"r3", b"Harbour Lights", b"Night Ferry", b"payable.cy"):
        assert others not in text.replace(b"channel", b"")
    rows = zipfile.ZipFile(pack).read("shares.csv").decode().splitlines()
    assert "g1,own,r2,250000000,150000000,350000000" in rows
    assert "g1,others,,600000000,," in rows
    assert "g3" not in "".join(rows)


def test_imported_shares_are_said_to_be_somebody_elses(closed: Tantieme, tmp_path: Path) -> None:
    assert closed("verify").code == 0
    pack = packed(tmp_path / "home")

    assert member(pack, "manifest.json")["rests_on"]["shares"] == "imported from example"
    assert member(pack, "evidence/tracks.json")["imported_from"] == "example"
    assert "imported from example" in member(pack, "quality.json")["why_not"]


def test_a_pack_is_of_a_closed_month_and_a_payee(
    closed: Tantieme, imported_example: Path, tmp_path: Path
) -> None:
    assert closed("verify").code == 0
    path = tmp_path / "none.zip"
    with pytest.raises(NotFound, match="no payee 'eve'"):
        write_pack(Workspace(home=tmp_path / "home"), OCTOBER, "eve", path)
    with pytest.raises(PeriodNotClosed):
        write_pack(Workspace(home=imported_example), OCTOBER, "bob", path)
    assert not path.exists()


def test_a_month_in_which_the_account_only_moved_has_a_pack(
    closed: Tantieme, tmp_path: Path
) -> None:
    sides = (("payable.bob", 7), ("reserve.bob", -7))
    kept = Transaction(
        kind="reserve",
        key="2026-11/reserve/bob",
        period=OCTOBER.next,
        effective_on=date(2026, 11, 30),
        postings=tuple(Posting(account=each, amount=Money(n, "EUR")) for each, n in sides),
        memo="kept back",
    )
    workspace = Workspace(home=tmp_path / "home")
    post(workspace.books(), [kept])
    for noun, row in {"usage": "g1,app,DE,1", "revenue": "app,DE,EUR,0"}.items():
        header = (EXAMPLE / f"{noun}.csv").read_text(encoding="utf-8").splitlines()[0]
        path = tmp_path / f"{noun}.csv"
        path.write_text(f"{header}\n2026-11,listener-1,{row}\n", encoding="utf-8")
        assert closed(noun, "import", path).code == 0
    root = closed("close", "2026-11").out.split()[1]

    pack = write_pack(workspace, OCTOBER.next, "bob", tmp_path / "november.zip")
    ran = closed("verify", pack, "--root", root)
    statement, ledger = member(pack, "statement.json"), member(pack, "ledger.json")

    assert ran.code == 0, ran.out
    assert (statement["lines"], len(statement["movements"])) == ([], 1)
    assert ledger["closing"]["micros"] == ledger["opening"]["micros"] - 7
    assert '"amount_micros":7' in ledger["postings"][0]["leaf"]


def change_books(home: Path, table: str, change: str) -> None:
    """Change what the books let nobody change."""
    with sqlite3.connect(home / "ledger.db") as books:
        triggers = "select name from sqlite_master where type = 'trigger' and tbl_name = ?"
        for (name,) in books.execute(triggers, (table,)).fetchall():
            books.execute(f"drop trigger {name}")
        books.execute(change)


def test_nothing_is_proven_of_a_month_without_its_root(closed: Tantieme, tmp_path: Path) -> None:
    home = tmp_path / "home"
    to_eve = "update posting set account = 'payable.eve' where account = 'payable.ann'"
    change_books(home, "posting", to_eve)
    with pytest.raises(Conflict, match="are not those it was closed with"):
        packed(home)
    change_books(home, "period", "update period set root = null")
    with pytest.raises(NotReady, match="was closed without a root"):
        packed(home)
    assert closed("verify").code == 5


# --- Shares that were found here.


def found(track: str, own: str, other: str) -> dict[str, Any]:
    """Write down what attribution found: 60 % one recording's, 10 % another's."""

    def part(name: str | None, ppb: int) -> dict[str, Any]:
        named = {"id": name, "name": f"Title of {name}", "artist": "…"} if name else {}
        return {**named, "share_ppb": ppb, "low_ppb": ppb // 2, "high_ppb": min(ppb * 2, 10**9)}

    works = [
        {"work": f"w{name[1:]}", "recordings": {name: 40.5}, "items": 6, "mean": 30.25}
        for name in (own, other)
    ]
    return SURE | {
        "schema": 1,
        "track": track,
        "recordings": [part(own, LOUD), part(other, LOUD // 6)],
        "unattributed": part(None, 10**9 - LOUD - LOUD // 6),
        "why_unattributed": "2 of 3 works stand out.",
        "run": "run-1",
        "runs": ["run-1"],
        "options": {"seed": 0},
        "null": {"mean": 2.5},
        "works": works,
        "similarity": [{"recording": other, "overlap": 0.5}],
    }


def passages(evidence: Path, sounds: dict[str, str]) -> dict[str, Any]:
    of = {"items_ms": [[0, 1500], [1500, 60_000]], "scores": [[0.5, -1.0], [2.0, 9.5]]}
    recordings = [{"id": id_, "audio_sha256": sound, **of} for id_, sound in sounds.items()]
    return {
        "schema": 1,
        "evidence_sha256": sha256(evidence.read_bytes()).hexdigest(),
        "windows_ms": [[0, 2000], [2000, 4000]],
        "recordings": recordings,
    }


def wav(seed: int, seconds: int) -> bytes:
    """Make a sound of which no two stretches are alike."""
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE_HZ)
        out.writeframes(random.Random(seed).randbytes(2 * seconds * RATE_HZ))
    return file.getvalue()


def keep_sound(home: Path, seed: int, seconds: int) -> str:
    sound = wav(seed, seconds)
    name = sha256(sound).hexdigest()
    (home / "audio").mkdir(exist_ok=True)
    (home / "audio" / f"{name}.wav").write_bytes(sound)
    return name


def made(workspace: Workspace) -> None:
    """Write a run's card and the tracks that it made; of g2 nothing sounds but its beginning."""
    card = {"corpus_sha256": "c0", "checkpoints": [], "code_version": "0.1.0", "losses": [1.0]}
    folder = workspace.folder("runs") / "run-1"
    folder.mkdir()
    (folder / "card.json").write_text(json.dumps(card), encoding="utf-8")
    facts = RunFacts(
        id="run-1",
        card_sha256=sha256((folder / "card.json").read_bytes()).hexdigest(),
        created_at_iso="2026-10-01T00:00:00Z",
        parameters=1,
        recordings=("r1", "r2"),
        placebos=(),
        summary="",
    )
    record_run(workspace.books(), facts)
    tracks = [
        TrackFacts(
            id=id_,
            title=f"Track of {id_}",
            run="run-1",
            seed=1,
            duration_ms=12_000,
            midi=None,
            audio_sha256=keep_sound(workspace.home, seed, 12),
            created_at="2026-10-02T00:00:00Z",
        )
        for id_, seed in (("g1", 11), ("g2", 12))
    ]
    record_tracks(workspace.books(), tracks)
    prompts = {"g1": "r2", "g2": "r1"}
    for id_, prompt in prompts.items():
        text = json.dumps({"seed": 1, "prompt": {"recording": prompt, "events": 32}, "path": "x"})
        (workspace.folder("tracks") / f"{id_}.json").write_text(text, encoding="utf-8")


@pytest.fixture(scope="module")
def found_here(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The README's world, its shares found here: r2 shaped g1 and g2, r1 a little of both."""
    workspace = Workspace(home=tmp_path_factory.mktemp("found") / "home")

    def done(*arguments: object) -> None:
        assert main(["--home", str(workspace.home), *map(str, arguments)]) == 0

    done("init")
    for what, file in (("catalogue", ""), ("usage", "usage.csv"), ("revenue", "revenue.csv")):
        done(what, "import", EXAMPLE / file)
    made(workspace)
    documents = [found(track, "r2", "r1") for track in ("g1", "g2")]
    for document in documents:
        keep_evidence(workspace, document)
    sounds = {id_: keep_sound(workspace.home, int(id_[1]), 20) for id_ in ("r1", "r2")}
    folder = workspace.folder("evidence") / "passages"
    folder.mkdir()
    met = passages(workspace.home / "evidence" / "g1.json", sounds)
    (folder / "g1.json").write_text(json.dumps(met), encoding="utf-8")
    record_shares(workspace, documents)
    done("close", "2026-10")
    return workspace.home


@pytest.fixture
def home(found_here: Path, tmp_path: Path) -> Path:
    shutil.copytree(found_here, tmp_path / "home")
    return tmp_path / "home"


def test_a_pack_says_what_shares_that_were_found_here_rest_on(
    home: Path, tantieme: Tantieme
) -> None:
    pack = packed(home)
    rests_on = member(pack, "manifest.json")["rests_on"]
    [run] = rests_on["runs"]
    [by] = rests_on["found_by"]

    assert tantieme("verify", pack).code == 0
    assert rests_on["shares"] == "found here"
    assert (run["id"], run["corpus_sha256"]) == ("run-1", "c0")
    assert "losses" not in run
    assert by["options"] == {"seed": 0}
    assert (by["method"], by["mapping"], by["gate"]) == ("default-2", "gated-1", "placebo-bh-1")
    assert "tantieme evaluate lds" in member(pack, "quality.json")["why_not"]


def test_evidence_is_of_own_recordings_only(home: Path) -> None:
    pack = packed(home)
    tracks = member(pack, "evidence/tracks.json")["tracks"]

    assert [each["track"] for each in tracks] == ["g2", "g1"]  # g2 brought more
    assert [list(work["recordings"]) for work in tracks[0]["works"]] == [["r2"]]
    assert [each["id"] for each in tracks[0]["recordings"]] == ["r2"]
    assert tracks[0]["null"] == {"mean": 2.5}
    assert b"r1" not in texts(pack)
    prompts = {
        each["id"]: each["prompt"] for each in member(pack, "tracks/references.json")["tracks"]
    }
    assert prompts == {"g1": {"recording": "r2", "events": 32}, "g2": None}


def test_clips_are_short_and_cut_from_where_passages_met(home: Path) -> None:
    pack = packed(home)
    strongest, other = member(pack, "evidence/passages.json")["passages"]
    with zipfile.ZipFile(pack) as zip_:
        clips = {name: zip_.read(name) for name in zip_.namelist() if name.endswith(".wav")}

    assert sorted(clips) == [
        "recordings/passage-01.wav",
        "recordings/passage-02.wav",
        "tracks/beginning-01.wav",
        "tracks/passage-01.wav",
        "tracks/passage-02.wav",
    ]
    assert (strongest["score"], other["score"]) == (9.5, 2.0)
    assert (strongest["track_ms"], strongest["recording_ms"]) == ([2000, 4000], [1500, 60_000])
    whole = wav(2, 20)[44:]
    assert clips[strongest["recording_clip"]][44:] == whole[2 * 12_000 : 2 * (12_000 + 80_000)]
    assert clips[strongest["track_clip"]][44:] == wav(11, 12)[44:][32_000:64_000]
    assert len(clips["tracks/beginning-01.wav"]) == 44 + 2 * 80_000


def test_sound_that_is_not_what_it_was_is_left_out(home: Path) -> None:
    for path in (home / "audio").glob("*.wav"):
        path.write_bytes(path.read_bytes()[:-1] + b"!")
    pack = packed(home)

    assert not [name for name in zipfile.ZipFile(pack).namelist() if name.endswith(".wav")]
    assert [each["track_clip"] for each in member(pack, "evidence/passages.json")["passages"]] == [
        None,
        None,
    ]


def test_passages_of_other_evidence_are_left_out(home: Path) -> None:
    (home / "evidence" / "passages" / "g1.json").write_text(
        json.dumps({"evidence_sha256": "0" * 64}), encoding="utf-8"
    )

    assert member(packed(home), "evidence/passages.json")["passages"] == []


def test_the_quality_card_is_the_latest_measurement_without_other_artists(home: Path) -> None:
    (home / "evaluation").mkdir()
    names = {"bob": "Bob", "ann": "Ann"}
    for day, value in ((1, 0.5), (2, 0.75)):
        document = {
            "kind": "lds",
            "id": f"lds-{day}",
            "made_at": f"2026-11-0{day}",
            "run": "run-1",
            "about": {"by": "artist"},
            "names": names,
            "sentences": ["Foretells well.", "Ann's is 0.1."],
            "rows": [
                {"of": of, "figure": "LDS", "value": value} for of in ("artist", "ann", "bob")
            ],
        }
        path = home / "evaluation" / f"lds-{day}.json"
        path.write_text(json.dumps(document), encoding="utf-8")

    [measured] = member(packed(home), "quality.json")["measured"]

    assert measured["id"] == "lds-2"
    assert [(row["of"], row["value"]) for row in measured["rows"]] == [
        ("artist", 0.75),
        ("bob", 0.75),
    ]
    assert measured["sentences"] == ["Foretells well."]


def test_no_pack_is_written_of_what_is_gone_or_changed(home: Path) -> None:
    (home / "runs" / "run-1" / "card.json").write_text("{}", encoding="utf-8")
    with pytest.raises(Conflict, match="has not the card"):
        packed(home)
    (home / "evidence" / "g1.json").unlink()
    with pytest.raises(NotFound, match="is gone"):
        packed(home)
    assert not (home.parent / "pack.zip").exists()


def test_a_member_taken_out_with_its_hash_is_missed_by_what_needs_it(
    home: Path, tantieme: Tantieme
) -> None:
    pack = packed(home)
    with zipfile.ZipFile(pack) as zip_:
        files = {name: zip_.read(name) for name in zip_.namelist() if name != "ledger.json"}
    manifest = json.loads(files["manifest.json"])
    del manifest["files"]["ledger.json"]
    files["manifest.json"] = (json.dumps(manifest, ensure_ascii=False, indent=2) + "\n").encode()
    pack.write_bytes(archive(files))

    ran = tantieme("verify", pack)

    assert ran.code == 5
    assert "cannot be read: KeyError 'ledger.json'" in ran.out
