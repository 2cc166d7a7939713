"""The report is right to the unit where it can know, and its intervals hold the truth where it estimates.

REPORT_PEOPLE sets the size of the audience, and REPORT_ISSUES the number of simulated issues for the intervals. Their
full sizes are 250,000 people and 1,000 issues.
"""

import os
from collections import Counter
from collections.abc import Callable
from math import sqrt
from random import Random
from statistics import NormalDist, mean

import pytest

from newsletter.config import Config
from newsletter.statistics.intervals import STATED, Proportion
from newsletter.store.database import Database
from newsletter.workflows.report.issue import IssueReport, report_on
from newsletter.workflows.report.outcomes import Outcomes, RecipientGroup, estimate
from tests.workflows.report.conftest import LATER, World, send_to_audience

PEOPLE = int(os.environ.get("REPORT_PEOPLE", "1500"))
ISSUES = int(os.environ.get("REPORT_ISSUES", "200"))


@pytest.fixture(scope="module")
def world(audience: Callable[[int], World]) -> World:
    return audience(PEOPLE)


@pytest.fixture(scope="module")
def report(world: World) -> IssueReport:
    return report_on(world.database, "2026-02", now=LATER)


def test_every_email_has_the_outcome_that_it_really_had(world: World, report: IssueReport) -> None:
    truth, total = world.simulation.truth, report.total
    known = {"delivered": total.delivered, "bounced": total.bounced, "blocked": total.blocked}
    known |= {"waiting": total.waiting, "silent": total.silent, "delayed": total.delayed}

    assert known == {name: truth.fates[name] for name in known}
    assert total.accepted == len(world.recipients)
    assert Counter(report.causes.bounced) + Counter(report.causes.blocked) == truth.causes


def test_everyone_who_let_us_know_is_counted_as_they_were(world: World, report: IssueReport) -> None:
    truth, total = world.simulation.truth, report.total
    known = {each.id for each in world.recipients if each.agrees}

    assert total.known == len(known)
    assert total.opened == len(truth.opened & known)
    assert total.clicked == len(truth.clicked & known)
    assert report.only_machines == len(truth.silent_machines & known)
    assert {link.url: link.people for link in report.links if link.people} == +truth.links


def test_complaints_and_leavers_are_counted_as_far_as_they_are_reported(world: World, report: IssueReport) -> None:
    truth, total = world.simulation.truth, report.total
    at_gmail = {each.id for each in world.recipients if each.domain == "gmail.com"}
    others = sum(people for (_, domain), people in truth.delivered.items() if domain != "gmail.com")

    assert total.complaints == len(truth.complaints - at_gmail)
    assert total.may_complain == others
    assert total.left == len(truth.left)


def test_each_group_is_right_too(world: World, report: IssueReport) -> None:
    names = {"gmail.com": "gmail", "outlook.com": "outlook", "yahoo.com": "yahoo", "icloud.com": "icloud"}
    found: Counter[tuple[str, str]] = Counter()
    for group, outcomes in report.groups.items():
        found[group.language, group.mailbox] += outcomes.delivered
    truth = {
        (language, names.get(domain, "other")): people
        for (language, domain), people in world.simulation.truth.delivered.items()
    }

    assert +found == truth


def test_nothing_is_stored_about_what_a_person_without_consent_opened(world: World) -> None:
    without = {each.id for each in world.recipients if not each.agrees}
    with world.database.read() as connection:
        query = "SELECT DISTINCT subscriber FROM {} WHERE type IN ('opened', 'clicked')"
        stored = {
            int(str(person))
            for table in ("event", "reaction")
            for (person,) in connection.execute(query.format(table), {}).fetchall()
        }

    assert stored
    assert stored.isdisjoint(without)


def test_both_engines_count_the_same(config: Config, database: Database) -> None:
    world = send_to_audience(config, database, count=400, seed=3)
    truth, found = world.simulation.truth, report_on(database, "2026-02", now=LATER)
    known = {each.id for each in world.recipients if each.agrees}

    assert (found.total.delivered, found.total.bounced) == (truth.fates["delivered"], truth.fates["bounced"])
    assert (found.total.opened, found.total.clicked) == (len(truth.opened & known), len(truth.clicked & known))
    assert found.total.left == len(truth.left)
    assert {link.url: link.people for link in found.links if link.people} == +truth.links
    opened = sum(people for (what, _), people in found.hours.items() if what == "opened")
    assert opened == found.total.opened


# People as bits of large numbers: a whole audience is drawn in milliseconds.


def coins(numbers: Random, people: int, rate: float) -> int:
    """Return a number in which each bit is 1 with a probability, in steps of 1/65,536."""
    drawn = 0
    for place in range(16):  # from the last binary digit of the rate to the first
        bits = numbers.getrandbits(people)
        drawn = drawn | bits if round(rate * 65_536) >> place & 1 else drawn & bits
    return drawn


def colleagues(numbers: Random, people: int, rate: float, *, alike: float = 0.05) -> int:
    """As `coins`, but some people do the same as their neighbor."""
    drawn, same = coins(numbers, people, rate), coins(numbers, people, alike)
    return drawn & ~same | (drawn << 1) & same & (1 << people) - 1


def wilson_width(rate: Proportion) -> float:
    z = NormalDist().inv_cdf((1 + STATED) / 2)
    return 2 * z * sqrt(rate.rate * (1 - rate.rate) / rate.of + z * z / 4 / rate.of**2) / (1 + z * z / rate.of)


def test_intervals_hold_the_truth_in_95_of_100_issues() -> None:
    """Groups differ in size, in how many agree to tracking, and in how much they read; colleagues do the same."""
    numbers, held, widths = Random(), Counter[str](), []
    for _ in range(ISSUES):
        groups: dict[RecipientGroup, Outcomes] = {}
        truth: Counter[str] = Counter()
        expected = 0.0
        for place in range(10):
            people = 250_000 * (place + 1) // 55
            reads = numbers.uniform(0.15, 0.5)
            fans, agree = coins(numbers, people, 0.3), coins(numbers, people, numbers.uniform(0.1, 0.6))
            opens = (
                colleagues(numbers, people, reads * 1.5) & fans | colleagues(numbers, people, reads * 0.7) & ~fans
            ) & (1 << people) - 1
            clicks = opens & coins(numbers, people, 0.2)
            found = Outcomes(accepted=people, delivered=people, may_complain=people, hears_of_delivery=True)
            found.known, found.opened = agree.bit_count(), (agree & opens).bit_count()
            found.clicked = (agree & clicks).bit_count()
            found.bounced = colleagues(numbers, people, 0.012).bit_count()
            found.complaints = coins(numbers, people, 0.0008).bit_count()
            expected += found.known * reads * (0.3 * 1.5 + 0.7 * 0.7)
            truth["opened"] += opens.bit_count()
            truth["clicked"] += clicks.bit_count()
            groups[RecipientGroup(1, 0, f"l{place % 3}", f"m{place}")] = found
        total = Outcomes()
        for found in groups.values():
            total.take(found)
        for name, is_click in (("opened", False), ("clicked", True)):
            guess = estimate(groups, clicks=is_click)
            assert guess is not None
            held[f"{name}, of all"] += guess.interval.holds(truth[name] / total.accepted)
        held["opened"] += total.opening.interval.holds(expected / total.known)
        held["bounced"] += total.bounce.interval.holds(round(0.012 * 65_536) / 65_536)
        held["complaints"] += total.complaint.interval.holds(round(0.0008 * 65_536) / 65_536)
        rates = (total.opening, total.clicking, total.bounce, total.complaint)
        widths += [rate.interval.width / wilson_width(rate) for rate in rates]

    assert all(count >= STATED * ISSUES for count in held.values()), held
    assert mean(widths) <= 1.15, held
