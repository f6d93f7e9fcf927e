"""What the service does, one story per file. Each runs inside one transaction and awaits nothing."""
