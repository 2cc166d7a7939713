"""The studio: the pages that `newsletter preview` opens, served only to this machine."""
