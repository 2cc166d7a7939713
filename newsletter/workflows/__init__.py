"""One file an intent: each joins the stages for one thing that a person wants done."""
