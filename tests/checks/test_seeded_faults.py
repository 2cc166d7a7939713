"""Every rule catches an issue that breaks it, in its place, and leaves alone one that nearly does."""

from importlib import import_module

import pytest

from newsletter.checks.registry import RULES
from tests.checks.conftest import Workspace, findings_of, summary
from tests.checks.seeded import ELSEWHERE, FAULTS, NEAR_MISSES, Make, Seed


@pytest.mark.parametrize("seed", FAULTS, ids=lambda seed: seed.rule)
def test_a_fault_breaks_one_rule_and_is_told_in_its_place(workspace: Workspace, seed: Seed) -> None:
    found = summary(findings_of(seed.make(workspace)))

    assert {rule for rule, _ in found} == {seed.rule}
    assert seed.place in {place for _, place in found}


@pytest.mark.parametrize("make", [pytest.param(make, id=rule) for rule, make in NEAR_MISSES])
def test_a_near_miss_is_not_told(workspace: Workspace, make: Make) -> None:
    assert summary(findings_of(make(workspace))) == []


def test_each_rule_has_a_fault_and_a_near_miss() -> None:
    rules = {rule.id for rule in RULES}

    assert {seed.rule for seed in FAULTS} | set(ELSEWHERE) == rules
    assert {rule for rule, _ in NEAR_MISSES} | set(ELSEWHERE) == rules


@pytest.mark.parametrize("rule", ELSEWHERE)
def test_what_is_tested_elsewhere_is_there(rule: str) -> None:
    tests = import_module(ELSEWHERE[rule].module)

    assert callable(getattr(tests, ELSEWHERE[rule].fault))
    assert callable(getattr(tests, ELSEWHERE[rule].near_miss))
