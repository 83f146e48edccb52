"""Reads targets and applies plans: snapshots, requests, journal, locks, worker fleet."""
