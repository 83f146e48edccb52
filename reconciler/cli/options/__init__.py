"""Options that several verbs share, and what the shell offers while one is typed."""
