"""Numbers in and out of the database in great numbers; for jobs and commands, never for what answers a request."""
