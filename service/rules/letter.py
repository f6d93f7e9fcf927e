"""What a letter to another party says of whom it is about. Pure."""

from typing import Final

from contracts.consent import RecipientKind

NUMBER_TO: Final = frozenset(
    {
        RecipientKind.FORSAKRINGSKASSAN,
        RecipientKind.ARBETSFORMEDLINGEN,
        RecipientKind.MUNICIPALITY,
        RecipientKind.OTHER_CARE_PROVIDER,
        RecipientKind.SAME_CARE_PROVIDER,
    }
)
"""Who keeps its files by personal number: authorities and care. Without the patient's consent to that a number is written only
where the purpose, or being sure of who is meant, clearly calls for it (lag 2018:218 3 kap. 10 §). An employer, its occupational
health, a union know by name and employment whom they are written to about."""


def names_number(recipient: RecipientKind) -> bool:
    """Whether the letter holds the patient's personal number beside the name."""
    return recipient in NUMBER_TO
