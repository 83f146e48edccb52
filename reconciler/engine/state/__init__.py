"""What this machine or the repository keeps of objects: journal, lock file, saved plans, marks in file names."""
