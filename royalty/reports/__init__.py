"""Values as bytes: equal input gives equal bytes."""
