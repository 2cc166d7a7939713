"""The audience and the ledger in a database; all SQL of the product is here."""
