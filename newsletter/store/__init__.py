"""The database that stores the audience and the ledger. All of the product's SQL is in this package."""
