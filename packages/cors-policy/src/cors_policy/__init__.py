"""CORS as a pure function from request headers to response headers."""
