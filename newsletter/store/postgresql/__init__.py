"""The PostgreSQL engine: one database for any number of machines. Only this package imports its driver."""
