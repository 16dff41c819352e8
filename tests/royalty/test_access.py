import pytest

from royalty.access import read_access
from royalty.errors import BadInput

LISTED = """\
ask = "Rita, rita@label.example"
k = 7

[[people]]
email = "Ana@Example.test"
role = "payee"
parties = ["ann"]

[[people]]
subject = "248289761001"
role = "auditor"
"""


def test_people_are_read_with_what_they_may_see() -> None:
    access = read_access(LISTED)

    ana, auditor = access.people
    assert (ana.email, ana.role, ana.parties) == ("ana@example.test", "payee", {"ann"})
    assert (auditor.name, auditor.sees_all, ana.sees_all) == ("248289761001", True, False)
    assert (access.ask, access.k) == ("Rita, rita@label.example", 7)


def test_an_address_counts_however_it_is_written_but_only_once_verified() -> None:
    access = read_access(LISTED)
    ana = {"email": "ANA@example.test", "sub": "1"}

    assert access.find({**ana, "email_verified": True}) is access.people[0]
    assert access.find(ana) is None
    assert access.find({**ana, "email_verified": False}) is None
    assert access.find({**ana, "email_verified": "false"}) is None


def test_somebody_without_a_verified_address_is_known_by_their_subject() -> None:
    access = read_access(LISTED)

    assert access.find({"sub": "248289761001"}) is access.people[1]
    assert access.find({"sub": "ana@example.test"}) is None
    assert access.find({"email": "248289761001", "email_verified": True}) is None


def test_nobody_without_a_name_is_somebody_without_a_name() -> None:
    access = read_access(LISTED)

    assert access.find({}) is None
    assert access.find({"email": "", "sub": "", "email_verified": True}) is None


def test_every_fault_is_listed_with_the_person_it_is_of() -> None:
    text = """\
    k = 0
    colour = "red"
    [[people]]
    role = "payee"
    [[people]]
    email = "ana@example.test"
    subject = "1"
    role = "king"
    [[people]]
    email = "bo@example.test"
    role = "auditor"
    parties = ["ann"]
    [[people]]
    email = " BO@example.test "
    role = "accountant"
    age = 7
    """
    with pytest.raises(BadInput) as refusal:
        read_access(text, "access.toml")

    assert {(each.field, each.message) for each in refusal.value.problems} == {
        ("k", "must be a whole number of listeners, at least 1"),
        ("colour", "is not a setting"),
        ("people 1", "must have an email or a subject, one of them"),
        ("people 1", "a payee must have parties, whose money they see"),
        ("people 2", "must have an email or a subject, one of them"),
        ("people 2", "role must be one of payee, manager, accountant, auditor"),
        ("people 3", "an auditor sees everybody's money; leave parties out"),
        ("people 4", "'age' is not known of people"),
        ("people", "'bo@example.test' is listed more than once"),
    }


@pytest.mark.parametrize("text", ["people = 1", "people = [1]", "[people]", "[[people", "ask = 1"])
def test_what_is_no_list_of_people_is_refused(text: str) -> None:
    with pytest.raises(BadInput):
        read_access(text)
