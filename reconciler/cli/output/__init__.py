"""What is printed and where: formats, files, progress, text for people."""
