"""The national block service (spärrtjänsten): what of other units may be used."""
