"""The ledger of broadcasts: every delivery that was planned, and its result.

At every moment, a delivery is either in exactly one chunk, or settled individually: excluded or invalid, with the
reason. A chunk is saved to disk as inflight before any of it can leave the machine. Each operation is one transaction.
"""
