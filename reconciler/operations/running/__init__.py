"""Continuous reconciliation: passes over targets, probes and metrics, workers."""
