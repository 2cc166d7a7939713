"""PostgreSQL: one database for any number of machines; only this package knows its driver."""
