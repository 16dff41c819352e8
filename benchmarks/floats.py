"""The same division in floats, by Polars and by pandas: what speed is held against.

Each as somebody who knows the library would write it: Polars streams, pandas reads ids as
categories. A float has no remainders to give out and nothing to trace, so the peers leave out
intervals and what each recording brought; pools stay apart, since interests differ by territory
and the books are posted by pool. Both return source, territory, payee, micros.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.months import PUBLISHING_PPM, ROYALTY_RATE_PPM, Month

POOL = ["source", "territory"]
RATE = ROYALTY_RATE_PPM / 1e6
RIGHTS = {"master": 1 - PUBLISHING_PPM / 1e6, "publishing": PUBLISHING_PPM / 1e6}
Frame = Any  # of libraries without types, of which Polars may be absent


def by_polars(month: Month, rule: str) -> pa.Table:
    """Divide with Polars's streaming engine."""
    import polars as pl  # noqa: PLC0415  only in the peers' environment

    scan: Callable[[str], Frame] = lambda name: pl.scan_parquet(month.file(name))  # noqa: E731
    fees = scan("revenue").group_by(*POOL, "listener").agg(fee=pl.sum("net_micros") * RATE)
    divide = _polars_pro_rata if rule == "pro_rata" else _polars_user_centric
    recordings = _polars_recordings(pl, scan, divide(pl, scan("usage"), fees))
    # Two steps, since every recording's part of the unattributed money needs all of the first.
    money = recordings.collect(engine="streaming").lazy()
    paid = money.join(_polars_parts(pl, scan), on=["territory", "recording"])
    paid = paid.group_by(*POOL, "payee").agg(micros=(pl.col("micros") * pl.col("part")).sum())
    return paid.collect(engine="streaming").to_arrow()


def _polars_pro_rata(pl: Any, usage: Frame, fees: Frame) -> Frame:  # noqa: ANN401
    plays = usage.group_by(*POOL, "track").agg(pl.sum("plays"))
    return _polars_by_plays(pl, plays, fees.group_by(POOL).agg(pl.sum("fee")))


def _polars_by_plays(pl: Any, plays: Frame, takings: Frame) -> Frame:  # noqa: ANN401
    pools = plays.group_by(POOL).agg(of=pl.sum("plays")).join(takings, on=POOL)
    worth = pl.col("fee") / pl.col("of")
    return plays.join(pools, on=POOL).select(*POOL, "track", micros=worth * pl.col("plays"))


def _polars_user_centric(pl: Any, usage: Frame, fees: Frame) -> Frame:  # noqa: ANN401
    who = [*POOL, "listener"]
    heard = usage.group_by(who).agg(of=pl.sum("plays"))
    worth = fees.join(heard, on=who).select(*who, worth=pl.col("fee") / pl.col("of"))
    own = usage.join(worth, on=who).group_by(*POOL, "track")
    own = own.agg(pl.sum("plays"), micros=(pl.col("worth") * pl.col("plays")).sum())
    idle = fees.join(heard, on=who, how="anti").group_by(POOL).agg(pl.sum("fee"))
    plays = usage.group_by(*POOL, "track").agg(pl.sum("plays"))
    tracks = pl.concat([own.drop("plays"), _polars_by_plays(pl, plays, idle)])
    return tracks.group_by(*POOL, "track").agg(pl.sum("micros"))


def _polars_recordings(pl: Any, scan: Callable[[str], Frame], tracks: Frame) -> Frame:  # noqa: ANN401
    """Sum money by pool and recording; the unattributed goes equally to licensed works."""
    shares = scan("shares").select("track", "recording", "share_ppb")
    money = tracks.join(shares, on="track").group_by(*POOL, "recording")
    money = money.agg(micros=(pl.col("micros") * pl.col("share_ppb")).sum() / 1e9)
    licensed = scan("recordings").filter("licensed").select("recording", "work")
    parts = licensed.select("recording", part=1 / pl.len().over("work") / pl.n_unique("work"))
    own = money.join(parts, on="recording").select(*POOL, "recording", "micros")
    common = money.join(parts, on="recording", how="anti").group_by(POOL).agg(pl.sum("micros"))
    shared = common.join(parts, how="cross").select(
        *POOL, "recording", micros=pl.col("micros") * pl.col("part")
    )
    return pl.concat([own, shared]).group_by(*POOL, "recording").agg(pl.sum("micros"))


def _polars_parts(pl: Any, scan: Callable[[str], Frame]) -> Frame:  # noqa: ANN401
    """Say what part of a recording's money a payee gets in a territory."""
    interests, subject = scan("interests"), ["right", "subject_id"]
    own = interests.filter(pl.col("territory") != "WW")
    territories = scan("revenue").select("territory").unique()
    world = interests.filter(pl.col("territory") == "WW").drop("territory")
    world = world.join(territories, how="cross")
    world = world.join(own, on=[*subject, "territory"], how="anti")
    held = pl.concat([own, world], how="diagonal").join(scan("parties"), on="party")
    part = pl.col("ppm") / 1e6 * pl.col("rate_ppm") / 1e6
    held = held.select(*subject, "territory", "payee", part=part)
    catalogue = scan("recordings")
    by_right = [
        catalogue.select("recording", subject_id=of)
        .join(held.filter(pl.col("right") == right), on="subject_id")
        .with_columns(part=pl.col("part") * RIGHTS[right])
        for right, of in (("master", "recording"), ("publishing", "work"))
    ]
    return pl.concat(by_right).group_by("territory", "recording", "payee").agg(pl.sum("part"))


def by_pandas(month: Month, rule: str) -> pa.Table:
    """Divide with pandas, ids as categories."""
    fees = _read(month, "revenue", [*POOL, "listener", "net_micros"])
    fees = _sum(fees, [*POOL, "listener"], "net_micros").rename(columns={"net_micros": "fee"})
    fees["fee"] *= RATE
    divide = _pandas_pro_rata if rule == "pro_rata" else _pandas_user_centric
    money = _pandas_recordings(month, divide(month, fees))
    paid = money.merge(_pandas_parts(month), on=["territory", "recording"])
    paid["micros"] *= paid["part"]
    return pa.Table.from_pandas(_sum(paid, [*POOL, "payee"], "micros"), preserve_index=False)


def _read(month: Month, name: str, columns: list[str]) -> Frame:
    ids = [each for each in columns if not each.endswith(("plays", "micros", "ppb"))]
    return pq.read_table(month.file(name), columns=columns, read_dictionary=ids).to_pandas(
        split_blocks=True, self_destruct=True
    )


def _sum(rows: Frame, by: list[str], what: str) -> Frame:
    sums = rows.groupby(by, observed=True, sort=False)[what].sum().reset_index()
    return sums.astype(dict.fromkeys(by, "str"))


def _coded(ids: Frame, like: Frame) -> Frame:
    """Give ids the codes of another column; those that it does not have become missing."""
    return ids.astype("category").cat.set_categories(like.cat.categories)


def _pandas_pro_rata(month: Month, fees: Frame) -> Frame:
    plays = _sum(_read(month, "usage", [*POOL, "track", "plays"]), [*POOL, "track"], "plays")
    return _pandas_by_plays(plays, _sum(fees, POOL, "fee"))


def _pandas_by_plays(plays: Frame, takings: Frame) -> Frame:
    pools = _sum(plays, POOL, "plays").rename(columns={"plays": "of"}).merge(takings, on=POOL)
    rows = plays.merge(pools, on=POOL)
    rows["micros"] = rows["fee"] / rows["of"] * rows["plays"]
    return rows[[*POOL, "track", "micros"]]


def _pandas_user_centric(month: Month, fees: Frame) -> Frame:
    import pandas as pd  # noqa: PLC0415  half a second

    who = [*POOL, "listener"]
    usage = _read(month, "usage", [*who, "track", "plays"])
    plays = _sum(usage, [*POOL, "track"], "plays")
    heard = _sum(usage, who, "plays").rename(columns={"plays": "of"})
    fees = fees.merge(heard, on=who, how="left")
    idle = _sum(fees[fees["of"].isna()], POOL, "fee")
    worth = fees.dropna(subset=["of"])
    worth = worth.assign(worth=worth["fee"] / worth["of"])[[*who, "worth"]]
    for name in who:  # as categories of the same codes, so that the merge hashes no text
        worth[name] = _coded(worth[name], usage[name])
    usage = usage.merge(worth, on=who)
    usage["micros"] = usage["worth"] * usage["plays"]
    own = _sum(usage, [*POOL, "track"], "micros")
    return _sum(pd.concat([own, _pandas_by_plays(plays, idle)]), [*POOL, "track"], "micros")


def _pandas_recordings(month: Month, tracks: Frame) -> Frame:
    """Sum money by pool and recording; the unattributed goes equally to licensed works."""
    import pandas as pd  # noqa: PLC0415

    shares = _read(month, "shares", ["track", "recording", "share_ppb"])
    shares["recording"] = shares["recording"].cat.add_categories("").fillna("")
    tracks = tracks.assign(track=_coded(tracks["track"], shares["track"]))
    rows = tracks.dropna(subset=["track"]).astype(dict.fromkeys(POOL, "category"))
    rows = rows.merge(shares, on="track")
    rows["micros"] *= rows["share_ppb"] / 1e9
    money = _sum(rows, [*POOL, "recording"], "micros")
    licensed = pq.read_table(month.file("recordings")).to_pandas().query("licensed")
    pieces = licensed.groupby("work")["recording"].transform("size")
    licensed = licensed.assign(part=1 / pieces / licensed["work"].nunique())
    own = money["recording"].isin(licensed["recording"])
    common = _sum(money[~own], POOL, "micros").merge(licensed[["recording", "part"]], how="cross")
    common["micros"] *= common["part"]
    return _sum(pd.concat([money[own], common]), [*POOL, "recording"], "micros")


def _pandas_parts(month: Month) -> Frame:
    """Say what part of a recording's money a payee gets in a territory."""
    import pandas as pd  # noqa: PLC0415

    files = {n: pq.read_table(month.file(n)) for n in ("interests", "parties", "recordings")}
    interests, parties, catalogue = (table.to_pandas() for table in files.values())
    territories = pq.read_table(month.file("revenue"), columns=["territory"])
    every = pd.DataFrame({"territory": territories["territory"].unique().to_pandas()})
    own, subject = interests[interests["territory"] != "WW"], ["right", "subject_id", "territory"]
    world = interests[interests["territory"] == "WW"].drop(columns="territory")
    world = world.merge(every, how="cross")
    replaced = (
        world[subject].merge(
            own[subject].drop_duplicates(), on=subject, how="left", indicator=True
        )["_merge"]
        == "both"
    )
    held = pd.concat([own, world[~replaced.to_numpy()]]).merge(parties, on="party")
    held["part"] = held["ppm"] / 1e6 * held["rate_ppm"] / 1e6 * held["right"].map(RIGHTS)
    held = held[["right", "subject_id", "territory", "payee", "part"]]
    by_right = [
        catalogue[["recording", of]]
        .drop_duplicates()
        .set_axis(["recording", "subject_id"], axis=1)
        .merge(held[held["right"] == right], on="subject_id")
        for right, of in (("master", catalogue.columns[0]), ("publishing", "work"))
    ]
    return _sum(pd.concat(by_right), ["territory", "recording", "payee"], "part")


PEERS: dict[str, Callable[[Month, str], pa.Table]] = {"polars": by_polars, "pandas": by_pandas}
