"""The books: the only place that speaks SQL, runs a table expression, or owns a transaction."""
