"""How a pull of the unit's sick leaves went."""

from service.api import models
from service.usecases.follow_sick_leaves import Pulled


def pulled_out(pulled: Pulled) -> models.PulledOut:
    """As the API shows it."""
    return models.PulledOut(
        unit=pulled.unit,
        certificates=pulled.certificates,
        patients=pulled.patients,
        changed=pulled.changed,
        vanished=pulled.vanished,
        sick_leaves=pulled.sick_leaves,
        set_aside=tuple(
            models.SetAsideOut(certificate=each.certificate, reason=each.reason) for each in pulled.set_aside
        ),
    )
