"""Turns picture files of any kind into pictures that every mail program shows."""
