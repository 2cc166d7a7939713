"""The public archive as files: pages, feeds, sitemap. It knows nothing about where they are put."""
