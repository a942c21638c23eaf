//! PostgreSQL and SQLite as tables and sinks of Biotide.
