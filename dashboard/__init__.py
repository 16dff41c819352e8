"""The pages: what was earned, what shaped it, and why this amount. They only read."""
