"""One short file for each verb: parse, call an operation, render, exit code."""
