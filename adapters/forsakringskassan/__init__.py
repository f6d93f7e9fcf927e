"""Försäkringskassan: messages about a certificate (ärendekommunikation) over RIV-TA."""
