"""The ledger of broadcasts: who was to get what, and what became of it.

Every delivery is, at every moment, in exactly one chunk or settled by itself, excluded or invalid, with the reason.
A chunk is inflight, durably, before any of it can leave the machine. Each operation is one transaction.
"""
