from royalty.terms import Terms, rates


def agreed(party: str, percent: int, territory: str = "WW", *, best: bool = False) -> Terms:
    return Terms(
        party=party,
        royalty_rate_ppm=percent * 10_000,
        territory=territory,
        most_favoured=best,
    )


def in_percent(*agreements: Terms) -> dict[tuple[str, str], int]:
    return {key: rate // 10_000 for key, rate in rates(agreements).items()}


def test_rates_are_those_that_agreements_state() -> None:
    found = in_percent(agreed("ann", 60), agreed("ann", 75, "DE"), agreed("bob", 80))

    assert found == {("ann", "WW"): 60, ("ann", "DE"): 75, ("bob", "WW"): 80}


def test_a_most_favoured_party_is_lifted_to_the_best_rate_of_each_territory() -> None:
    found = in_percent(
        agreed("ann", 60, best=True),
        agreed("bob", 80, "DE"),
        agreed("cy", 65),
        agreed("cy", 50, "FR"),
    )

    assert found == {
        ("ann", "WW"): 65,
        ("ann", "DE"): 80,
        ("ann", "FR"): 60,  # its own is the best there: cy's worldwide rate does not hold in France
        ("bob", "DE"): 80,
        ("cy", "WW"): 65,
        ("cy", "FR"): 50,
    }


def test_it_is_lifted_only_where_it_is_favoured_and_never_lowered() -> None:
    found = in_percent(
        agreed("ann", 60), agreed("ann", 70, "DE", best=True), agreed("bob", 65), agreed("cy", 90)
    )

    assert (found["ann", "WW"], found["ann", "DE"]) == (60, 90)
    assert in_percent(agreed("ann", 90, best=True), agreed("bob", 65))["ann", "WW"] == 90


def test_two_most_favoured_parties_meet_at_the_best_that_is_stated() -> None:
    found = in_percent(agreed("ann", 60, best=True), agreed("bob", 70, best=True), agreed("cy", 50))

    assert found == {("ann", "WW"): 70, ("bob", "WW"): 70, ("cy", "WW"): 50}


def test_parties_without_an_agreement_are_not_counted() -> None:
    # Whoever has none earns all of its gross, which is no rate that anybody agreed to.
    assert in_percent(agreed("ann", 60, best=True)) == {("ann", "WW"): 60}
    assert in_percent(agreed("ann", 60, "DE", best=True), agreed("bob", 90, "FR")) == {
        ("ann", "DE"): 60,
        ("bob", "FR"): 90,
    }
