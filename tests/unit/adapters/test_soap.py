"""What is said of a document that breaks its schema: plain words, names and no values."""

import pytest

from adapters import soap
from tests.unit.service.mock_samples import PERSON, RESPONDER, message

SCHEMA = "send_message_to_recipient_2.xsd"


@pytest.mark.parametrize(
    ("there", "instead", "said"),
    [
        ("<s:amne>", "<s:x/><s:amne>", f"x: This element is not expected. Expected is ( {{{RESPONDER}}}amne )."),
        ("<s:amne>", "<amne/><s:amne>", f"amne: This element is not expected. Expected is ( {{{RESPONDER}}}amne )."),
        ("<s:amne>", "<s:amne hemlig='1'>", "amne: The attribute 'hemlig' is not allowed."),
        ("2026-05-04T10:30:00", "hemlig", "skickatTidpunkt: The value is not of its type."),
        (
            "ffa59d8f-8d7e-46ae-ac9e-31804e8e8499",
            "hemlig",
            "codeSystem: The value is not the one that the schema fixes.",
        ),
        (PERSON.number, "hemlig", "extension: The value has not the form that the schema asks for."),
    ],
)
def test_a_breach_is_told_in_plain_words_without_the_value(there: str, instead: str, said: str) -> None:
    body = message().decode()
    assert there in body
    content = soap.unwrap(body.replace(there, instead, 1).encode())
    assert not isinstance(content, soap.Fault)
    told = soap.schema_errors(SCHEMA, content)
    assert said in {each.partition(": ")[2] for each in told}
    assert "hemlig" not in "".join(told).replace("'hemlig'", "", said.count("hemlig"))
