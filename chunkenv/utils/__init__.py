"""What every room needs and none owns: checks, files, spaces, seeds, processes, compiled code, pictures."""
