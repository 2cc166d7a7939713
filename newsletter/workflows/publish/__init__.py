"""Publishing: put the archive of issues, with their images, where readers find it."""
