"""Read and write list files of any tool."""
