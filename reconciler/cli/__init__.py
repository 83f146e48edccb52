"""The command line: options, help, completion, where output goes, and one file for each verb in `commands`."""
