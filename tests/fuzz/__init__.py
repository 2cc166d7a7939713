"""Fuzz targets: hostile, broken and random input for everything that reads what others wrote.

Each target asserts that only the program's own errors are raised, and that what is said about the input stays short.
The usual test run tries 200 inputs per target; `FUZZ_EXAMPLES=5000 pytest tests/fuzz` tries more. Nightly or before a
release, `make fuzz` tries 200,000 inputs in total, none of which may take more than 5 seconds or 500 MiB.
"""
