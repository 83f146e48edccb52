"""What is sent: a plan carried out under a lock, its records, and the plan that takes it back."""
