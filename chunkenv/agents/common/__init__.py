"""What agents share: how they learn, and the files that they are kept in."""
