"""What this is worth beside others, measured: every figure the README quotes has a command here."""
