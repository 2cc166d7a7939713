"""Rehearse a broadcast: the real code, on a copy of the data and a virtual clock, against a twin of the provider."""
