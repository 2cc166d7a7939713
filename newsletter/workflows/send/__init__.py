"""Send an issue: plan, freeze, hand over, account for it."""
