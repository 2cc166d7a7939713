"""Send an issue: plan it, freeze it, submit it to the provider, and account for every recipient."""
