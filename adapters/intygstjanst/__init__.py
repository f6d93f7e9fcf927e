"""Intygstjänst: the national feed of sick-leave certificates of a unit, over SOAP (rehabstod.md § 1)."""
