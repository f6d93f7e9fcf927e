"""Which interaction an address means."""

import pytest

from contracts.errors import NotFound, NotSupported
from service.fhir_api import router
from service.fhir_api.routing import Routes

ROUTES = Routes(
    [
        ("GET", "/metadata", "capabilities"),
        ("GET", "/AuditEvent/{id}", "read-audit"),
        ("PUT", "/AuditEvent/{id}", "refuse"),
        ("POST", "/", "bundle"),
        ("GET", "/{type:id}/{id:id}", "read"),
        ("POST", "/{type:id}/_search", "search"),
        ("GET", "/{type:id}", "search"),
        ("GET", "/{type:id}/{id:id}/_history/{vid}", "vread"),
        ("GET", "/Consent/{id}/$odd", "odd"),
    ]
)


@pytest.mark.parametrize(
    ("method", "path", "end", "taken"),
    [
        ("GET", "/metadata", "capabilities", {}),
        ("POST", "/", "bundle", {}),
        ("POST", "", "bundle", {}),
        ("GET", "/Patient/a.b-1", "read", {"type": "Patient", "id": "a.b-1"}),
        ("HEAD", "/Patient/1", "read", {"type": "Patient", "id": "1"}),
        ("GET", "/Patient/", "search", {"type": "Patient"}),
        ("GET", "/AuditEvent/a_b", "read-audit", {"id": "a_b"}),
        ("POST", "/AuditEvent/_search", "search", {"type": "AuditEvent"}),
        ("GET", "/Consent/1", "read", {"type": "Consent", "id": "1"}),
        ("GET", "/Consent/1/$odd", "odd", {"id": "1"}),
        ("GET", "/Consent/1/_history/x y", "vread", {"type": "Consent", "id": "1", "vid": "x y"}),
    ],
)
def test_a_name_comes_before_a_pattern_and_a_pattern_where_no_name_leads_on(
    method: str, path: str, end: str, taken: dict[str, str]
) -> None:
    assert ROUTES.find(method, path) == (end, taken)


@pytest.mark.parametrize(
    ("method", "path"),
    [("DELETE", "/metadata"), ("DELETE", "/AuditEvent/1"), ("PATCH", "/"), ("OPTIONS", "/Patient/1")],
)
def test_what_is_there_for_other_methods_is_not_done_here(method: str, path: str) -> None:
    with pytest.raises(NotSupported):
        ROUTES.find(method, path)


@pytest.mark.parametrize(
    "path", ["/Patient/a_b", "/Patient/1/$odd", "/Patient//1", "/" + "x" * 65, "/Consent/1/_history/", "/a/b/c/d/e"]
)
def test_what_no_way_leads_to_is_not_there(path: str) -> None:
    with pytest.raises((NotFound, NotSupported)) as told:
        ROUTES.find("GET", path)
    assert isinstance(told.value, NotFound)


def test_two_patterns_at_one_place_are_refused() -> None:
    with pytest.raises(ValueError, match="two patterns"):
        Routes([("GET", "/{type:id}", 1), ("PUT", "/{name}", 2)])


@pytest.mark.parametrize(("method", "path", "interaction"), router.ROUTES)
def test_every_route_of_the_surface_is_found(method: str, path: str, interaction: object) -> None:
    address = path.replace("{type:id}", "Patient").replace("{id:id}", "1").replace("{id}", "1").replace("{vid}", "1")
    assert Routes(router.ROUTES).find(method, address)[0] is interaction
