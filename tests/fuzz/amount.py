"""How many inputs each fuzz target tries."""

import os

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "200"))
