"""The worker: processes on any number of machines that hand over what the ledger says is due.

The ledger is the truth. The queue only says where to look, so that idle workers need not ask all the time.
"""
