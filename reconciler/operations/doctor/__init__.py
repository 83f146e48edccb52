"""The checks of `doctor`, in the order in which they are made."""
