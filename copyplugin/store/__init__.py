"""The database: typed rows and queries; the only place with SQL."""
