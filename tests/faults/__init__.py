"""Runs in which everything goes wrong, and the promise of delivery is held all the same.

A run is drawn from its seed: how many people, chunks, processes and threads; what each request to the provider meets
with; when which process is killed, by its own hand or from outside; what people do meanwhile. Afterwards the ledger is
held against what the stand-in for SendGrid really took (`promise.py`).

    pytest tests/faults                                     200 runs: 100 on SQLite, 100 on PostgreSQL
    FAULT_RUNS=5000 pytest -n auto tests/faults             so many on each
    FAULT_SEED=4711 FAULT_RUNS=1 pytest tests/faults        one run alone, as a failure says

Which process comes first is not in a seed's hands, so that a failure may need several tries to come again.
"""
