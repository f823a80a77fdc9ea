"""Place: settings, cluster and deployment recipes."""
