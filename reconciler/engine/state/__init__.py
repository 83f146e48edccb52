"""State on this machine or in the repository: journal, lock file, saved plans, marks in file names."""
