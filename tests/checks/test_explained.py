"""What people read about the rules: in the terminal, and on the pages about them."""

import subprocess
import sys
from pathlib import Path

from newsletter.checks.explained import explained_families
from newsletter.checks.registry import RULES
from newsletter.model.finding import AUDIENCE_RULES, REQUIREMENTS

REPOSITORY = Path(__file__).parents[2]


def test_every_rule_is_explained_once_in_its_family() -> None:
    told = [rule.id for family in explained_families() for rule in family.rules]

    assert sorted(told) == sorted(rule.id for rule in (*RULES, *AUDIENCE_RULES, *REQUIREMENTS))
    assert all(family.rules for family in explained_families())


def test_what_a_rule_needs_and_whether_it_can_be_waived_is_told() -> None:
    effects = {rule.id: rule.effects for family in explained_families() for rule in family.rules}

    assert effects["A6"] == ("error", "needs a browser")
    assert effects["M1"] == ("error", "needs a subscriber list")
    assert effects["L1"] == ("error", "cannot be overridden")
    assert effects["R1"] == ("error", "for broadcasts only")


def test_the_page_about_the_checks_says_what_the_rules_say() -> None:
    script = REPOSITORY / "scripts" / "write-checks-page"
    compared = subprocess.run([sys.executable, script, "--check"], cwd=REPOSITORY, check=False)

    assert compared.returncode == 0, "run scripts/write-checks-page"
