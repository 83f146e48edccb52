"""JSON documents of plans, outcomes and reports, written and read."""
