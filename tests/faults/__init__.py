"""Runs in which everything goes wrong, and the promise of delivery is held all the same.

A run is drawn from its seed: which provider; how many people, chunks, zones, processes and threads; what each request
to the provider meets with, and which mailboxes defer their email; which kinds the issue is sent as; the grace period,
the pace, and how the clock jumps between rounds; which process is killed, by its own hand or from outside; what people
do meanwhile. The processes are `send`, `run-due` and, on PostgreSQL, workers of the queue. Once a broadcast has ended,
the clock jumps to the moments at which a timer recalls held email and tries again who was set aside. Afterwards the
ledger is held against what the provider's stand-in really took (`promise.py`). Each run prints the states and
transitions of the ledger that it reached (pytest shows them with -rP). A transition in `transitions.py` that no run has
reached fails the suite.

    pytest tests/faults                                     120 runs: 60 on SQLite, 60 on PostgreSQL
    FAULT_RUNS=1000 pytest -n auto tests/faults             so many on each, and a long run through Postfix
    FAULT_SEED=4711 FAULT_RUNS=1 pytest tests/faults        one run alone, as a failure says

Which process comes first is not in a seed's hands, so that a failure may need several tries to come again.
"""
