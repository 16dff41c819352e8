"""Files coming in: every fault is listed, or all of it is recorded in one transaction."""
