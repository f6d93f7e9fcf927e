"""SDK (säker digital kommunikation): messages between authorities, through the care provider's own message service."""
