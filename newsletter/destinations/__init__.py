"""Where the archive is put: a folder, or a store of files behind fsspec."""
