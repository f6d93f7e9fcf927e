"""Links inside a bundle: found where they may stand, changed there alone, and nothing else touched."""

import orjson
import pytest

from contracts.record import Document
from fhir_mappings.references import is_conditional, links, relinked, without_conditions

ONE = "urn:uuid:00000000-0000-4000-8000-000000000001"
BODY = f"""{{
  "resourceType": "DocumentReference", "masterIdentifier": {{"system": "urn:ietf:rfc:3986", "value": "{ONE}"}},
  "subject": {{"reference": "{ONE}"}}, "context": {{"related": [{{"reference": "Task/1"}}, {{"reference": "{ONE}"}}]}},
  "extension": [{{"url": "urn:a", "valueUri": "{ONE}"}}, {{"url": "urn:b", "valueDecimal": 1.50}}],
  "text": {{"div": "<div><a href=\\"{ONE}\\">a</a> {ONE} <img src=\\"#b\\"/></div>"}}
}}""".encode()


def document() -> Document:
    return Document(orjson.loads(BODY), BODY)


def renamed(link: str, is_reference: bool) -> str:
    return f"Patient/{'r' if is_reference else 'u'}" if link == ONE else link


def test_links_are_found_where_they_may_stand() -> None:
    assert sorted(links(document().content)) == sorted([ONE, "Task/1", ONE, "urn:a", ONE, "urn:b", ONE, "#b"])


def test_links_are_changed_and_nothing_else() -> None:
    changed = relinked(document(), renamed)
    content = orjson.loads(changed.body)
    assert content == changed.content
    assert content["masterIdentifier"]["value"] == ONE
    assert content["subject"] == {"reference": "Patient/r"}
    assert content["context"]["related"] == [{"reference": "Task/1"}, {"reference": "Patient/r"}]
    assert content["extension"][0]["valueUri"] == "Patient/u"
    assert content["text"]["div"] == f'<div><a href="Patient/u">a</a> {ONE} <img src="#b"/></div>'
    assert b'"valueDecimal": 1.50' in changed.body


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ('<a href="{}">a</a>', 1),
        ("<a href='{}'>a</a>", 1),
        ("<img alt='\"' src = '{}'/><a\n href='{}'>a</a>", 2),
        ("<p>href={}</p>", 0),
        ("<a title='{}'>a</a>", 0),
    ],
)
def test_a_narrative_quotes_its_links_as_it_likes(written: str, meant: int) -> None:
    before, after = (f"<div>{written.replace('{}', each)}</div>" for each in (ONE, "Patient/u"))
    content = {"resourceType": "Basic", "text": {"status": "additional", "div": before}}
    assert links(content) == [ONE] * meant
    changed = relinked(Document(content, orjson.dumps(content)), renamed)
    assert changed.content["text"]["div"] == (after if meant else before)


def test_what_holds_no_such_link_keeps_its_bytes() -> None:
    assert relinked(document(), lambda link, _: link).body is BODY


def test_conditions_are_known_and_put_aside() -> None:
    assert is_conditional("Patient?identifier=urn:a|b")
    assert not any(map(is_conditional, ("Patient/1", ONE, "#a", "https://a/Patient?x")))
    body = rb'{"reference":"Patient?name=a\"b", "x" : {"reference" : "Task?y=1"}, "url":"Task?z"}'
    assert without_conditions(body) == rb'{"reference":"Patient/0", "x" : {"reference" : "Task/0"}, "url":"Task?z"}'
