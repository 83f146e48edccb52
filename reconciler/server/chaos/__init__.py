"""The faults that the embedded server plays."""
