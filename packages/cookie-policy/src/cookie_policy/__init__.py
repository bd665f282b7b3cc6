"""Serialise and parse HTTP cookies, exactly as the reference does."""
