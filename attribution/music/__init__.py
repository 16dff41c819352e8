"""Music as events: files, spans, sound."""
