"""What a verb and a program both do. Nothing here knows the command line."""
