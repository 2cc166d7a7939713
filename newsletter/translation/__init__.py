"""The texts of an issue as units to translate: sentences, what is stale, XLIFF and PO files."""
